"""Decoy methods: one class per method. A new method is a class and a line in :data:`METHODS`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.decoys import sampled_files
from affinity_zoo.zoo.decoys.displace import DisplaceOptions, displaced_poses
from affinity_zoo.zoo.decoys.dock import Docked, Docking, DockOptions, versions
from affinity_zoo.zoo.decoys.sample import Sampled, SampleOptions, Sampling
from affinity_zoo.zoo.decoys.work import NEAR_NATIVE, DecoyTask, Judge, Method, docking_texts, write_complex

Files = list[tuple[str, str, NDArray[Any], dict[str, Any]]]


@dataclass(frozen=True)
class Dock:
    """Docking with Vina: decoys far from the crystal pose, near-native poses, the optimised crystal pose."""

    name: ClassVar[str] = "dock"
    options: DockOptions = field(default_factory=DockOptions)

    def make(self, task: DecoyTask, seed: int) -> dict[str, Any]:
        """See :class:`~affinity_zoo.zoo.decoys.work.Method`."""
        home = np.asarray(task.ligand.xyz, np.float64)
        docking = Docking(*docking_texts(task, self.options.box_margin), home, self.options)
        score, relaxed = docking.crystal(seed)
        judge = Judge(task)
        poses: list[Docked] = []
        seeds = []
        for number in range(self.options.passes):
            seeds.append(seed + number)
            poses += docking.dock(seed + number)
            near, decoys, dropped = judge.sort(poses)
            if len(decoys) >= task.count:
                break
        files: Files = [("crystal_ligands", "crystal", home, {"rmsd": 0.0, "docking_score": round(score, 3)})]
        off = judge.rmsd(relaxed.xyz)
        if off < NEAR_NATIVE and relaxed.energy <= 0:
            files.append(("crystal_relaxed", "relaxed", relaxed.xyz, _columns(off, relaxed)))
        files += [("near_native", f"near_{n:02d}", p.xyz, _columns(r, p)) for n, (r, p) in enumerate(near, 1)]
        files += [
            ("docked_ligands", f"decoy_{n:02d}", p.xyz, _columns(r, p)) for n, (r, p) in enumerate(decoys, 1)
        ]
        return write_complex(task, files, len(decoys), dropped, seeds, "docked")

    def programs(self) -> dict[str, str]:
        """See :class:`~affinity_zoo.zoo.decoys.work.Method`."""
        return versions()

    def as_dict(self) -> dict[str, Any]:
        """See :class:`~affinity_zoo.zoo.decoys.work.Method`."""
        return self.options.as_dict()


@dataclass(frozen=True)
class Displace:
    """Displaced crystal poses, matched on contacts, burial, shortest distance and overlap."""

    name: ClassVar[str] = "displace"
    options: DisplaceOptions = field(default_factory=DisplaceOptions)

    def make(self, task: DecoyTask, seed: int) -> dict[str, Any]:
        """See :class:`~affinity_zoo.zoo.decoys.work.Method`."""
        home = np.asarray(task.ligand.xyz, np.float64)
        poses = displaced_poses(
            np.asarray(task.receptor.xyz, np.float64),
            task.receptor.element,
            home,
            task.ligand.element,
            seed=seed,
            others=task.others,
            options=self.options,
        )
        files: Files = [("crystal_ligands", "crystal", home, {"rmsd": 0.0})]
        for n, pose in enumerate(poses, 1):
            off = {"rmsd": round(pose.rmsd, 3), "mismatch": round(pose.mismatch, 2), "seed": seed}
            files.append(("docked_ligands", f"decoy_{n:02d}", pose.xyz, off))
        return write_complex(task, files, len(poses), {}, [seed], "displaced")

    def programs(self) -> dict[str, str]:
        """See :class:`~affinity_zoo.zoo.decoys.work.Method`."""
        return {}

    def as_dict(self) -> dict[str, Any]:
        """See :class:`~affinity_zoo.zoo.decoys.work.Method`."""
        return asdict(self.options)


@dataclass(frozen=True)
class Sample:
    """Many poses at all distances in seconds: small docking budgets, and displaced and optimised crystal poses."""

    name: ClassVar[str] = "sample"
    options: SampleOptions = field(default_factory=SampleOptions)

    def make(self, task: DecoyTask, seed: int) -> dict[str, Any]:
        """See :class:`~affinity_zoo.zoo.decoys.work.Method`; poses go into one file a complex."""
        crystal = sampled_files.read_molecule(task)
        receptor, pdb = docking_texts(task, self.options.box_margin)
        text, kind = (pdb, "pdb") if crystal is None else (sampled_files.mol_block(crystal, task), "mol")
        xyz = np.asarray(task.ligand.xyz, np.float64)
        sampling = Sampling(receptor, text, xyz, self.options, seed=seed, ligand_format=kind)
        kept, dropped = self._sort(task, sampling.run())
        return sampled_files.write_sampled(task, kept, dropped, seed, crystal)

    def _sort(
        self, task: DecoyTask, poses: list[Sampled]
    ) -> tuple[list[tuple[float, Sampled]], dict[str, int]]:
        """Return poses with their symmetric RMSD, Å, and the number of dropped poses by reason."""
        judge = Judge(task)
        kept: list[tuple[float, Sampled]] = []
        dropped: dict[str, int] = {}
        for pose in poses:
            reason = ""
            rmsd = judge.rmsd(pose.pose.xyz)
            if pose.origin != "crystal" and pose.pose.energy > 0:
                reason = "energy above 0"
            elif any(_distance(pose, other) < self.options.apart for _, other in kept):
                reason = "like a pose already kept"
            elif self.options.keep == "labelled" and NEAR_NATIVE <= rmsd <= task.min_rmsd:
                reason = f"RMSD between {NEAR_NATIVE:g} and {task.min_rmsd:g} Å"
            elif any(sampled_files.taken(pose.pose.xyz, other) for other in task.others):
                reason = "on another crystal copy of a similar ligand"
            if reason:
                dropped[reason] = dropped.get(reason, 0) + 1
            else:
                kept.append((rmsd, pose))
        return kept, dropped

    def programs(self) -> dict[str, str]:
        """See :class:`~affinity_zoo.zoo.decoys.work.Method`."""
        return versions()

    def as_dict(self) -> dict[str, Any]:
        """See :class:`~affinity_zoo.zoo.decoys.work.Method`."""
        return self.options.as_dict()


#: name -> class whose only field is its options
METHODS: Final[dict[str, type[Dock] | type[Displace] | type[Sample]]] = {
    method.name: method for method in (Dock, Displace, Sample)
}


def method_of(name: str, options: Any = None) -> Method:
    """Return a method by name.

    Args:
        name: a key of :data:`METHODS`.
        options: its options; None: the defaults.

    Raises:
        UsageError: there is no such method.
    """
    if name not in METHODS:
        raise UsageError(f"unknown method {name!r}: {' or '.join(METHODS)}")
    return METHODS[name]() if options is None else METHODS[name](options)


def _distance(a: Sampled, b: Sampled) -> float:
    return float(np.sqrt(((a.pose.xyz - b.pose.xyz) ** 2).sum(axis=1).mean()))


def _columns(rmsd: float, pose: Docked) -> dict[str, Any]:
    return {"rmsd": round(rmsd, 3), "docking_score": round(pose.energy, 3), "seed": pose.seed}
