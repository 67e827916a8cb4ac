"""Distances between a receptor and a ligand: contacts, burial, clashes, covalent links.

All functions take two :class:`~affinity_zoo.plugins.contracts.Atoms` (heavy atoms, Å) or, where
they end in ``_xyz``, bare ``(N, 3)`` arrays. For a structure without atoms the
result is NaN (or zero clashes), never an exception.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from affinity_zoo.plugins.contracts import Atoms

Array: TypeAlias = NDArray[Any]

CONTACT_CUTOFF = 4.0  #: Å, a heavy-heavy contact
BURIAL_CUTOFF = 6.0  #: Å, distance within which a receptor atom buries a ligand atom
CLASH_FRACTION = 0.75  #: of the sum of the van der Waals radii; below it two atoms clash
#: a bond is between these fractions of the sum of the covalent radii (RDKit's); C-C: 1.22 to 1.82 Å
BOND_FRACTIONS = (0.8, 1.2)
MOST_LINKS = 2  #: a ligand with more bonds to its receptor than this overlaps it
#: below this fraction of the covalent sum a metal and its neighbour overlap (Zn-O: 1.4 Å)
METAL_FRACTION = 0.75

_NON_METALS = frozenset((0, 1, 2, *range(5, 11), *range(14, 19), *range(32, 37), *range(51, 55), 85, 86))
#: by atomic number: whether the element is a metal
IS_METAL: NDArray[np.bool_] = np.array([z not in _NON_METALS for z in range(256)])


@cache
def radii() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Van der Waals and covalent radii by atomic number (256 entries), Å, from RDKit's periodic table.

    An unknown element has carbon's.
    """
    from rdkit.Chem import GetPeriodicTable

    periodic = GetPeriodicTable()
    vdw = np.full(256, periodic.GetRvdw(6))
    covalent = np.full(256, periodic.GetRcovalent(6))
    for z in range(1, 119):
        vdw[z] = periodic.GetRvdw(z)
        covalent[z] = periodic.GetRcovalent(z)
    return vdw, covalent


def centre(atoms: Atoms) -> NDArray[np.float64]:
    """Return the mean position of atoms, (3,) Å; NaN for no atoms.

    Args:
        atoms: Heavy atoms.
    """
    if not len(atoms):
        return np.full(3, np.nan)
    return np.asarray(atoms.xyz, np.float64).mean(axis=0)


def near_box(points: Array, around: Array, margin: float) -> NDArray[np.int64]:
    """Indices of the points inside the bounds of ``around`` widened by ``margin`` Å on each side.

    A fast preselection: it keeps every point within ``margin`` of any of ``around``, and some others.

    Args:
        points: (N, 3) Å.
        around: (M, 3) Å.
        margin: Distance beyond the box that still counts, Å.
    """
    low = around.min(axis=0) - margin
    high = around.max(axis=0) + margin
    inside = (points[:, 0] >= low[0]) & (points[:, 0] <= high[0])
    for axis in (1, 2):
        inside &= (points[:, axis] >= low[axis]) & (points[:, axis] <= high[axis])
    return np.flatnonzero(inside)


def close_pairs_xyz(
    receptor: Array, ligand: Array, cutoff: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """All pairs at most ``cutoff`` Å apart.

    Args:
        receptor: (N, 3) Å.
        ligand: (M, 3) Å.
        cutoff: Largest distance of a pair, Å.

    Returns:
        Receptor index, ligand index and distance (Å) of each pair, sorted by the two indices.
    """
    empty = np.zeros(0, np.int64)
    if not len(receptor) or not len(ligand):
        return empty, empty, np.zeros(0)
    # the bound is on squared float32 sums: a small margin keeps pairs at the cutoff despite rounding
    near = near_box(receptor, ligand, cutoff + 1e-3)
    if not len(near):
        return empty, empty, np.zeros(0)
    found = cKDTree(receptor[near]).sparse_distance_matrix(cKDTree(ligand), cutoff, output_type="ndarray")
    i = near[found["i"]]
    j = found["j"].astype(np.int64)
    order = np.lexsort((j, i))
    return i[order], j[order], found["v"][order]


def contacts_per_atom(receptor: Atoms, ligand: Atoms, cutoff: float = CONTACT_CUTOFF) -> float:
    """Heavy-atom pairs at most ``cutoff`` Å apart, per ligand atom; NaN without ligand or receptor atoms.

    Args:
        receptor: Heavy atoms of the receptor.
        ligand: Heavy atoms of the ligand.
        cutoff: Largest distance of a pair, Å.
    """
    return _pairs_per_atom(receptor, ligand, cutoff)


def burial(receptor: Atoms, ligand: Atoms, cutoff: float = BURIAL_CUTOFF) -> float:
    """Receptor heavy atoms within ``cutoff`` Å of a ligand atom, mean over the ligand's atoms.

    The same count as :func:`contacts_per_atom` over a wider shell: it measures the depth of the ligand,
    not the tightness of its fit. NaN without ligand or receptor atoms.

    Args:
        receptor: Heavy atoms of the receptor.
        ligand: Heavy atoms of the ligand.
        cutoff: Largest distance of a pair, Å.
    """
    return _pairs_per_atom(receptor, ligand, cutoff)


def _pairs_per_atom(receptor: Atoms, ligand: Atoms, cutoff: float) -> float:
    if not len(ligand) or not len(receptor):
        return float("nan")
    near = near_box(receptor.xyz, ligand.xyz, cutoff + 1e-3)
    if not len(near):
        return 0.0
    counts = cKDTree(receptor.xyz[near]).query_ball_point(ligand.xyz, cutoff, return_length=True)
    return float(np.sum(counts)) / len(ligand)


def shortest_distance(receptor: Atoms, ligand: Atoms) -> float:
    """The shortest heavy-heavy distance between receptor and ligand, Å; NaN without atoms on a side.

    Args:
        receptor: Heavy atoms of the receptor.
        ligand: Heavy atoms of the ligand.
    """
    if not len(ligand) or not len(receptor):
        return float("nan")
    near = near_box(receptor.xyz, ligand.xyz, CONTACT_CUTOFF)
    if len(near):
        found = float(cKDTree(receptor.xyz[near]).query(ligand.xyz)[0].min())
        if found <= CONTACT_CUTOFF:  # nothing outside the margin can be closer
            return found
    return float(cKDTree(receptor.xyz).query(ligand.xyz)[0].min())


def within(receptor: Atoms, ligand: Atoms, cutoff: float) -> NDArray[np.bool_]:
    """Which receptor atoms lie within ``cutoff`` Å of any ligand atom: (N,) bool.

    Args:
        receptor: Heavy atoms of the receptor.
        ligand: Heavy atoms of the ligand.
        cutoff: Largest distance of a pair, Å.
    """
    return within_xyz(receptor.xyz, ligand.xyz, cutoff)


def within_xyz(points: Array, around: Array, cutoff: float) -> NDArray[np.bool_]:
    """Which of ``points`` (N, 3) lie at most ``cutoff`` Å from any of ``around`` (M, 3): (N,) bool.

    Args:
        points: (N, 3) Å.
        around: (M, 3) Å.
        cutoff: Largest distance of a pair, Å.
    """
    mask = np.zeros(len(points), bool)
    if not len(points) or not len(around):
        return mask
    near = near_box(points, around, cutoff + 1e-3)
    if len(near):
        distance, _ = cKDTree(around).query(points[near])
        mask[near] = distance <= cutoff
    return mask


@dataclass(frozen=True)
class CloseContacts:
    """Heavy-atom pairs under 0.75 of their van der Waals sum, by kind.

    Each is an array of ``(receptor index, ligand index)`` rows, int64 ``(K, 2)``.
    """

    clash: NDArray[np.int64]  #: two atoms where there is room for one
    metal: NDArray[np.int64]  #: a metal and an atom that coordinates it
    covalent: NDArray[np.int64]  #: a bond between receptor and ligand
    beside_covalent: NDArray[np.int64]  #: pairs that are close because they are next to such a bond


def close_contacts(receptor: Atoms, ligand: Atoms, fraction: float = CLASH_FRACTION) -> CloseContacts:
    """Sort the heavy-atom pairs that are closer than ``fraction`` of their van der Waals sum.

    A pair with a metal is coordination, unless the two overlap (under 0.75 of the covalent sum). A
    pair at bond length, each of whose atoms has no second such partner on the other side, is a
    covalent link; pairs of its atoms and their direct neighbours belong to it (angles and
    torsions across the bond). Everything else is a clash. Two molecules pushed into each other
    can have pairs at bond length too: with more than two of them, or where such an atom clashes
    with a third one, all pairs are clashes.

    Args:
        receptor, ligand: heavy atoms.
        fraction: of the sum of RDKit's van der Waals radii.
    """
    vdw, covalent = radii()
    reach = fraction * 2.0 * float(vdw.max())
    i, j, distance = close_pairs_xyz(receptor.xyz, ligand.xyz, reach)
    zi, zj = receptor.element[i], ligand.element[j]
    short = distance < fraction * (vdw[zi] + vdw[zj])
    i, j, distance, zi, zj = i[short], j[short], distance[short], zi[short], zj[short]
    bond_sum = covalent[zi] + covalent[zj]
    metal = (IS_METAL[zi] | IS_METAL[zj]) & (distance >= METAL_FRACTION * bond_sum)
    at_bond = ~metal & (distance >= BOND_FRACTIONS[0] * bond_sum) & (distance <= BOND_FRACTIONS[1] * bond_sum)
    link = at_bond & (_count(i, at_bond) == 1) & (_count(j, at_bond) == 1)
    beside = _beside(i, j, link, receptor, ligand) & ~link & ~metal
    clash = ~(metal | link | beside)
    overlap = link.sum() > MOST_LINKS or (link & ((_count(i, clash) > 0) | (_count(j, clash) > 0))).any()
    if overlap:  # molecules pushed into each other, not bonded
        clash, link, beside = ~metal, np.zeros_like(link), np.zeros_like(link)
    pairs = np.stack([i, j], axis=1)
    return CloseContacts(pairs[clash], pairs[metal], pairs[link], pairs[beside])


def clashes(receptor: Atoms, ligand: Atoms, fraction: float = CLASH_FRACTION) -> int:
    """The number of clashing heavy-atom pairs; see :func:`close_contacts` for what is not one.

    Args:
        receptor: Heavy atoms of the receptor.
        ligand: Heavy atoms of the ligand.
        fraction: Fraction of the sum of the van der Waals radii below which two atoms clash.
    """
    return len(close_contacts(receptor, ligand, fraction).clash)


def _count(index: NDArray[np.int64], mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many of the masked pairs have the same atom as this pair."""
    if not len(index):
        return index
    return np.bincount(index[mask], minlength=int(index.max()) + 1)[index]


def _beside(
    i: NDArray[np.int64], j: NDArray[np.int64], link: NDArray[np.bool_], receptor: Atoms, ligand: Atoms
) -> NDArray[np.bool_]:
    """Pairs whose atoms are the atoms of a covalent link or bonded to them, on each side."""
    _, covalent = radii()
    found = np.zeros(len(i), bool)
    for a, b in zip(i[link], j[link], strict=True):
        side_a = _at_bond_or_same(receptor, i, a, covalent)
        side_b = _at_bond_or_same(ligand, j, b, covalent)
        found |= side_a & side_b
    return found


def _at_bond_or_same(
    atoms: Atoms, index: NDArray[np.int64], of: int, covalent: NDArray[np.float64]
) -> NDArray[np.bool_]:
    gap = np.linalg.norm(atoms.xyz[index].astype(np.float64) - atoms.xyz[of], axis=1)
    return gap <= BOND_FRACTIONS[1] * (covalent[atoms.element[index]] + covalent[atoms.element[of]])
