"""Decoy method `dock`: docking with Vina."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.zoo.decoys.dock import Docked, Docking, DockOptions, versions
from affinity_zoo.zoo.decoys.work import NEAR_NATIVE, DecoyTask, Judge, Method, docking_texts, write_complex

Files = list[tuple[str, str, NDArray[Any], dict[str, Any]]]


@dataclass(frozen=True)
class Dock(Method):
    """Docking with Vina: decoys far from the crystal pose, near-native poses, the optimised crystal pose."""

    name: ClassVar[str] = "dock"
    kind: ClassVar[str] = "docked"
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
        return write_complex(task, files, len(decoys), dropped, seeds, self.kind)

    def programs(self) -> dict[str, str]:
        """See :class:`~affinity_zoo.zoo.decoys.work.Method`."""
        return versions()

    def as_dict(self) -> dict[str, Any]:
        """See :class:`~affinity_zoo.zoo.decoys.work.Method`."""
        return self.options.as_dict()


def _columns(rmsd: float, pose: Docked) -> dict[str, Any]:
    return {"rmsd": round(rmsd, 3), "docking_score": round(pose.energy, 3), "seed": pose.seed}
