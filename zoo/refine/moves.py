"""Moves of a pose: as a rigid body and about its rotatable bonds. Bond lengths, angles and rings are fixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
SMALLEST = 1e-6  #: Å; smaller motions are ignored


@dataclass(frozen=True, eq=False)
class Torsion:
    """A rotatable bond from atom ``a`` to atom ``b``, and the atoms that rotate about it: the smaller side."""

    a: int
    b: int
    moved: NDArray[np.int64]


def torsions(molecule: Any) -> list[Torsion]:
    """The rotatable bonds of a molecule: single, not in a ring, no amide, heavy atoms on both sides.

    Args:
        molecule: RDKit, with or without hydrogens; perceived bonds will do.
    """
    from rdkit import Chem

    amide = Chem.MolFromSmarts("[CX3](=[O,S,N])-!@[NX3]")
    fixed = {frozenset((match[0], match[2])) for match in molecule.GetSubstructMatches(amide)}
    n = molecule.GetNumAtoms()
    near = [[b.GetIdx() for b in atom.GetNeighbors()] for atom in molecule.GetAtoms()]
    heavy = np.array([atom.GetAtomicNum() > 1 for atom in molecule.GetAtoms()])
    found = []
    for bond in molecule.GetBonds():
        a, b = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        single = bond.GetBondType() == Chem.BondType.SINGLE and not bond.IsInRing()
        if not single or frozenset((a, b)) in fixed or _linear(molecule, a) or _linear(molecule, b):
            continue
        if min(sum(heavy[j] for j in near[i]) for i in (a, b)) < 2:
            continue
        side = _side(near, a, b)
        if heavy[side].sum() > heavy.sum() / 2:
            a, b, side = b, a, np.setdiff1d(np.arange(n), side)
        found.append(Torsion(a, b, side[side != b]))
    return found


def _linear(molecule: Any, atom: int) -> bool:
    from rdkit.Chem import BondType

    return any(b.GetBondType() == BondType.TRIPLE for b in molecule.GetAtomWithIdx(atom).GetBonds())


def _side(near: list[list[int]], a: int, b: int) -> NDArray[np.int64]:
    """The atoms on b's side of the bond a-b, b included."""
    found, todo = {b}, [b]
    while todo:
        for j in near[todo.pop()]:
            if j not in found and j != a:
                found.add(j)
                todo.append(j)
    return np.array(sorted(found), np.int64)


@dataclass(frozen=True, eq=False)
class Motion:
    """A displacement in each degree of freedom: three translations (Å), three rotations and the torsions (radians)."""

    shift: Array  #: (3,)
    turn: Array  #: (3,) axis times angle, about the centre of the moved atoms
    twists: Array  #: (torsions,)

    def scaled(self, factor: float) -> Motion:
        """Multiply all displacements by a factor.

        Args:
            factor: Number that every part of the motion is multiplied by.
        """
        return Motion(factor * self.shift, factor * self.turn, factor * self.twists)


def uphill(xyz: Array, slope: Array, bonds: list[Torsion], centre_of: NDArray[np.int64]) -> Motion:
    """Return the motion along a gradient, each degree of freedom weighted by its atom displacement; mean square 1 Å².

    Args:
        xyz: (N, 3) Å, all atoms of the molecule.
        slope: (N, 3) of the score, per Å.
        bonds: that may turn; none: the molecule is rigid.
        centre_of: the atoms (heavy ones) that count.

    Returns:
        A motion; all zeros where the gradient gives none.
    """
    fields = _fields(xyz, bonds, centre_of)
    size = np.sqrt(np.mean(np.sum(fields[:, centre_of] ** 2, axis=2), axis=1))
    size = np.where(size > SMALLEST, size, np.inf)
    amount = np.einsum("kij,ij->k", fields, slope) / size**2
    moved = np.einsum("k,kij->ij", amount, fields)[centre_of]
    length = float(np.sqrt(np.mean(np.sum(moved**2, axis=1))))
    amount = amount / length if length > 0 and np.isfinite(length) else np.zeros(len(fields))
    return Motion(amount[:3], amount[3:6], amount[6:])


def _fields(xyz: Array, bonds: list[Torsion], centre_of: NDArray[np.int64]) -> Array:
    """(6 + torsions, N, 3): how each freedom moves each atom, per unit."""
    arms = xyz - xyz[centre_of].mean(axis=0)
    fields = np.zeros((6 + len(bonds), *xyz.shape))
    for k, axis in enumerate(np.eye(3)):
        fields[k] = axis
        fields[3 + k] = np.cross(axis, arms)
    for k, bond in enumerate(bonds, start=6):
        axis = xyz[bond.b] - xyz[bond.a]
        axis = axis / max(float(np.linalg.norm(axis)), SMALLEST)
        fields[k][bond.moved] = np.cross(axis, xyz[bond.moved] - xyz[bond.b])
    return fields


def moved(xyz: Array, motion: Motion, bonds: list[Torsion], centre_of: NDArray[np.int64]) -> Array:
    """Apply a motion: torsions one after the other, then rotation about the centre, then translation.

    Args:
        xyz: (N, 3) Å.
        motion: Shift, turn and torsion angles of a pose.
        bonds: Rotatable bonds.
        centre_of: Atoms that define the centre.
    """
    xyz = xyz.copy()
    for bond, angle in zip(bonds, motion.twists, strict=True):
        origin = xyz[bond.b]
        axis = origin - xyz[bond.a]
        axis = axis / max(float(np.linalg.norm(axis)), SMALLEST)
        xyz[bond.moved] = (xyz[bond.moved] - origin) @ rotation(angle * axis).T + origin
    centre = xyz[centre_of].mean(axis=0)
    return (xyz - centre) @ rotation(motion.turn).T + centre + motion.shift


def rotation(vector: Array) -> Array:
    """Return the rotation matrix about an axis by the vector's length in radians (Rodrigues).

    Args:
        vector: (3,) axis times angle.
    """
    angle = float(np.linalg.norm(vector))
    if angle == 0:
        return np.eye(3)
    x, y, z = vector / angle
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)
