"""Decoy method `displace`: crystal poses moved and turned."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from affinity_zoo.zoo.decoys.displace import DisplaceOptions, displaced_poses
from affinity_zoo.zoo.decoys.work import DecoyTask, Method, write_complex


@dataclass(frozen=True)
class Displace(Method):
    """Displaced crystal poses, matched on contacts, burial, shortest distance and overlap."""

    name: ClassVar[str] = "displace"
    kind: ClassVar[str] = "displaced"
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
            options=replace(self.options, count=task.count, min_rmsd=task.min_rmsd),
        )
        files = [("crystal_ligands", "crystal", home, {"rmsd": 0.0})]
        for n, pose in enumerate(poses, 1):
            off = {"rmsd": round(pose.rmsd, 3), "mismatch": round(pose.mismatch, 2), "seed": seed}
            files.append(("docked_ligands", f"decoy_{n:02d}", pose.xyz, off))
        return write_complex(task, files, len(poses), {}, [seed], self.kind)

    def as_dict(self) -> dict[str, Any]:
        """See :class:`~affinity_zoo.zoo.decoys.work.Method`."""
        found = asdict(self.options)
        return {name: found[name] for name in found if name not in ("count", "min_rmsd")}
