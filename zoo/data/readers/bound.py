"""A ligand that is still in the receptor: residues of the receptor that lie where a pose lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import AtomFlag, Atoms

_NEAR: Final = 1.2  #: Å; an atom of the receptor nearer than this to an atom of the pose is in its place
_SHARE: Final = 0.3  #: of a residue's atoms, or of the pose's, that are
_SMALLEST: Final = 3  #: atoms of such a residue


@dataclass(frozen=True, eq=False)
class Foreign:
    """A residue of a receptor that is no polymer, water or metal."""

    label: str  #: ``SAH A328``
    atoms: NDArray[np.int64]  #: indices into the receptor
    xyz: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Bound:
    """A residue of the receptor that overlaps with a pose."""

    residue: Foreign
    distance: float  #: Å, the shortest

    def __str__(self) -> str:
        return (
            f"the receptor holds residue {self.residue.label} ({len(self.residue.atoms)} atoms) where the pose lies, "
            f"{self.distance:.2f} Å from it"
        )


def foreign_residues(receptor: Atoms) -> list[Foreign]:
    """The residues of a receptor that may be a ligand left in it.

    Args:
        receptor: as read.
    """
    bits = int(AtomFlag.METAL | AtomFlag.WATER)
    flags = np.asarray(receptor.flags)
    maybe = ((flags & int(AtomFlag.PERCEIVED | AtomFlag.COFACTOR)) > 0) & ((flags & bits) == 0)
    groups: dict[tuple[bytes, int, bytes, bytes], list[int]] = {}
    for i in np.flatnonzero(maybe).tolist():
        key = (
            bytes(receptor.chain[i]),
            int(receptor.residue_number[i]),
            bytes(receptor.insertion[i]),
            bytes(receptor.residue_name[i]),
        )
        groups.setdefault(key, []).append(i)
    found = []
    for (chain, number, code, name), atoms in groups.items():
        if len(atoms) >= _SMALLEST:
            place = f"{chain.decode('utf-8', 'replace')}{number}{code.decode('utf-8', 'replace')}"
            which = np.array(atoms, np.int64)
            found.append(Foreign(f"{name.decode('utf-8', 'replace')} {place}", which, receptor.xyz[which]))
    return found


def lying_on(residues: Sequence[Foreign], ligand: Atoms) -> list[Bound]:
    """The residues that lie where a ligand lies, the nearest first.

    Args:
        residues: of the receptor.
        ligand: the pose.
    """
    found = []
    low, high = ligand.xyz.min(0) - _NEAR, ligand.xyz.max(0) + _NEAR
    for residue in residues:
        if (residue.xyz.max(0) < low).any() or (residue.xyz.min(0) > high).any():
            continue
        gap = np.sqrt(((residue.xyz[:, None].astype(np.float64) - ligand.xyz[None]) ** 2).sum(2))
        here = gap < _NEAR
        if here.any(1).mean() >= _SHARE or here.any(0).mean() >= _SHARE:
            found.append(Bound(residue, float(gap.min())))
    return sorted(found, key=lambda bound: bound.distance)


def without(receptor: Atoms, residues: Sequence[Foreign]) -> Atoms:
    """The receptor without some of its residues.

    Args:
        receptor: as read.
        residues: of it.
    """
    keep = np.ones(len(receptor), bool)
    for residue in residues:
        keep[residue.atoms] = False
    return replace(
        receptor, **{f.name: getattr(receptor, f.name)[keep] for f in fields(receptor) if f.name != "role"}
    )
