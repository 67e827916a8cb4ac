"""Decoy method `sample`: many poses at all distances in seconds."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from affinity_zoo.zoo.decoys import sampled_files
from affinity_zoo.zoo.decoys.displace import lies_on
from affinity_zoo.zoo.decoys.dock import versions
from affinity_zoo.zoo.decoys.sample import Sampled, SampleOptions, Sampling
from affinity_zoo.zoo.decoys.work import NEAR_NATIVE, DecoyTask, Judge, Method, docking_texts


@dataclass(frozen=True)
class Sample(Method):
    """Many poses at all distances in seconds: small docking budgets, and displaced and optimised crystal poses."""

    name: ClassVar[str] = "sample"
    kind: ClassVar[str] = ""
    indexed: ClassVar[bool] = True
    options: SampleOptions = field(default_factory=SampleOptions)

    @property
    def guests(self) -> int:
        """See :class:`~affinity_zoo.zoo.decoys.work.Method`."""
        return self.options.cross

    def make(self, task: DecoyTask, seed: int) -> dict[str, Any]:
        """See :class:`~affinity_zoo.zoo.decoys.work.Method`; poses go into one file a complex."""
        crystal = sampled_files.read_molecule(task)
        receptor, pdb = docking_texts(task, self.options.box_margin)
        text, kind = (pdb, "pdb") if crystal is None else (sampled_files.mol_block(crystal, task), "mol")
        xyz = np.asarray(task.ligand.xyz, np.float64)
        sampling = Sampling(receptor, text, xyz, self.options, seed=seed, ligand_format=kind)
        kept, dropped = self._sort(task, sampling.cross() if task.host else sampling.run())
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
            rmsd = math.nan if task.host else judge.rmsd(pose.pose.xyz)
            if pose.origin != "crystal" and pose.pose.energy > 0:
                reason = "energy above 0"
            elif any(_distance(pose, other) < self.options.apart for _, other in kept):
                reason = "like a pose already kept"
            elif self.options.keep == "labelled" and NEAR_NATIVE <= rmsd <= task.min_rmsd:
                reason = f"RMSD between {NEAR_NATIVE:g} and {task.min_rmsd:g} Å"
            elif any(lies_on(pose.pose.xyz, other) for other in task.others):
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


def _distance(a: Sampled, b: Sampled) -> float:
    return float(np.sqrt(((a.pose.xyz - b.pose.xyz) ** 2).sum(axis=1).mean()))
