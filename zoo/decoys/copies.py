"""Other copies of a ligand in its crystal structure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import AtomFlag, Atoms
from affinity_zoo.zoo.chem import symmetry
from affinity_zoo.zoo.chem.geometry import within_xyz
from affinity_zoo.zoo.decoys.displace import SIMILAR
from affinity_zoo.zoo.decoys.work import residue_index


def without_copies(
    receptor: Atoms, ligand: Atoms, mates: list[Atoms]
) -> tuple[Atoms, list[NDArray[np.float32]]]:
    """Remove the ligand and similar ligands from its receptor.

    Args:
        receptor: as read; it may still hold the ligand, other copies of it and cofactors.
        ligand: the crystal pose.
        mates: other crystal ligands of the same structure.

    Returns:
        The receptor without groups that lie on the ligand or are similar to it, and the positions of all similar
        ligands, other than this one, whose places a decoy must not take.
    """
    mine = ligand_fingerprint(ligand)
    xyz = np.asarray(ligand.xyz)
    others = [
        m.xyz
        for m in mates
        if symmetry.similarity(mine, ligand_fingerprint(m)) > SIMILAR and _apart(m.xyz, xyz)
    ]
    number = residue_index(receptor)
    keep = np.ones(len(receptor), bool)
    for group in np.unique(number[(receptor.flags & AtomFlag.COFACTOR) > 0]):
        atoms = np.flatnonzero(number == group)
        part = _take(receptor, atoms)
        if not _apart(part.xyz, xyz):
            keep[atoms] = False
        elif len(part) >= 6 and symmetry.similarity(mine, ligand_fingerprint(part)) > SIMILAR:
            keep[atoms] = False
            others.append(part.xyz)
    return (receptor if keep.all() else _take(receptor, np.flatnonzero(keep))), others


def _apart(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Return whether two groups are at different places: under half of the atoms of ``a`` within 1 Å of ``b``."""
    return float(within_xyz(a, b, 1.0).mean()) < 0.5


def ligand_fingerprint(ligand: Atoms) -> Any:
    """Return the fingerprint of a ligand, for :func:`symmetry.similarity`: elements and bonds without orders.

    Args:
        ligand: The ligand in any pose.
    """
    bonds = symmetry.bonds_from_distances(np.asarray(ligand.xyz, np.float64), ligand.element)
    return symmetry.fingerprint(symmetry.skeleton(ligand.element, bonds))


def _take(atoms: Atoms, which: NDArray[np.int64]) -> Atoms:
    """Some atoms of a structure, by their numbers."""
    return Atoms(**{k: v if k == "role" else v[which] for k, v in vars(atoms).items()})
