"""Interactions of a ligand with a receptor, by distances and angles of heavy atoms.

No hydrogens are needed. The cut-offs (Å) and their sources:

* hydrogen bond: donor to acceptor at most 3.5 (Baker and Hubbard, Prog. Biophys. Mol. Biol. 44, 97, 1984), and at
  donor and acceptor no angle to a bonded heavy atom below 90 degrees (HBPLUS: McDonald and Thornton, J. Mol. Biol. 238,
  777, 1994);
* salt bridge: charged N to charged O at most 4.0 (Barlow and Thornton, J. Mol. Biol. 168, 867, 1983); amidines,
  guanidines and acids share their charge among their N or O;
* hydrophobic contact: between hydrophobic atoms at most 4.0 (PLIP: Salentin et al., Nucleic Acids Res. 43, W443, 2015);
* metal contact: N, O or S of the ligand to a metal at most 3.0 (Harding, Acta Cryst. D57, 401, 2001).

Stacking of rings and halogen bonds are not looked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import AtomFlag, Atoms
from affinity_zoo.zoo.chem.symmetry import bonds_from_distances

HYDROGEN_BOND, SALT_BRIDGE, HYDROPHOBIC, METAL = (
    "hydrogen bond",
    "salt bridge",
    "hydrophobic contact",
    "metal contact",
)
#: largest distance of each kind, Å
CUTOFFS = {HYDROGEN_BOND: 3.5, SALT_BRIDGE: 4.0, HYDROPHOBIC: 4.0, METAL: 3.0}
LEAST_ANGLE = 90.0  #: degrees, at donor and acceptor of a hydrogen bond
NEAR = max(CUTOFFS.values())


@dataclass(frozen=True)
class Interaction:
    """One interaction between two heavy atoms."""

    kind: str  #: a key of :data:`CUTOFFS`
    receptor: int  #: number of the receptor atom, from 0
    ligand: int  #: number of the ligand atom, from 0
    distance: float  #: Å


def interactions(receptor: Atoms, ligand: Atoms, bonds: NDArray[np.int64] | None = None) -> list[Interaction]:
    """Find the interactions of a pose.

    Args:
        receptor, ligand: typed heavy atoms, as the readers give them.
        bonds: (K, 2) bonded atoms of the ligand; None: by distance.

    Returns:
        Interactions by kind, then by distance. A pair of atoms has one kind: metal contact before salt bridge before
        hydrogen bond. Of the hydrophobic contacts of an atom the shortest is kept, of salt bridges those that are the
        shortest of one of their atoms.
    """
    from scipy.spatial import cKDTree

    if not len(receptor) or not len(ligand):
        return []
    near = np.flatnonzero(
        cKDTree(ligand.xyz).query(receptor.xyz, distance_upper_bound=NEAR + 3.0)[0] < np.inf
    )
    around = receptor.xyz[near]
    neighbours = _neighbours(bonds_from_distances(around, receptor.element[near]), len(near))
    if bonds is None:
        bonds = bonds_from_distances(ligand.xyz, ligand.element)
    own = _neighbours(bonds, len(ligand))
    flags = receptor.flags.copy()
    flags[near] = _shared(receptor.element[near], flags[near], neighbours)
    receptor = replace(receptor, flags=flags)
    ligand = replace(ligand, flags=_shared(ligand.element, ligand.flags, own))
    pairs = cKDTree(around).query_ball_tree(cKDTree(ligand.xyz), NEAR) if len(near) else []
    found: list[Interaction] = []
    for i, partners in enumerate(pairs):
        for j in partners:
            distance = float(np.linalg.norm(around[i] - ligand.xyz[j]))
            kind = _kind(receptor, int(near[i]), ligand, j, distance)
            if kind == HYDROGEN_BOND and not (
                _open(around[i], ligand.xyz[j], around[neighbours[i]])
                and _open(ligand.xyz[j], around[i], ligand.xyz[own[j]])
            ):
                continue
            if kind:
                found.append(Interaction(kind, int(near[i]), j, distance))
    order = list(CUTOFFS)
    return sorted(_thinned(found), key=lambda one: (order.index(one.kind), one.distance))


def _kind(receptor: Atoms, i: int, ligand: Atoms, j: int, distance: float) -> str:
    """Kind of the interaction between two atoms, by their flags and distance; empty: none."""
    a, b = int(receptor.flags[i]), int(ligand.flags[j])
    z, own = int(receptor.element[i]), int(ligand.element[j])
    if a & AtomFlag.METAL:
        return METAL if distance <= CUTOFFS[METAL] and own in (7, 8, 16) else ""
    charged = (a & AtomFlag.POSITIVE and b & AtomFlag.NEGATIVE) or (
        a & AtomFlag.NEGATIVE and b & AtomFlag.POSITIVE
    )
    if charged and {z, own} == {7, 8} and distance <= CUTOFFS[SALT_BRIDGE]:
        return SALT_BRIDGE
    bond = (a & AtomFlag.DONOR and b & AtomFlag.ACCEPTOR) or (a & AtomFlag.ACCEPTOR and b & AtomFlag.DONOR)
    if bond and distance <= CUTOFFS[HYDROGEN_BOND]:
        return HYDROGEN_BOND
    if a & b & AtomFlag.HYDROPHOBIC and distance <= CUTOFFS[HYDROPHOBIC]:
        return HYDROPHOBIC
    return ""


def _shared(
    element: NDArray[np.uint8], flags: NDArray[np.uint16], bonded: list[list[int]]
) -> NDArray[np.uint16]:
    """Flags with the charge of an N or O given also to the atoms that share it by resonance."""
    flags = flags.copy()
    for charge, z in ((int(AtomFlag.POSITIVE), 7), (int(AtomFlag.NEGATIVE), 8)):
        charged = np.flatnonzero((element == z) & ((flags & charge) > 0)).tolist()
        for atom in charged:
            for middle in bonded[atom]:
                for other in bonded[middle]:
                    # an N in its own right (an amine on a ring) keeps to itself: the atom between must be a flat C
                    if element[other] == z and len(bonded[middle]) == 3 and len(bonded[other]) <= 2:
                        flags[other] |= charge
    return flags


def _open(atom: NDArray[np.float32], partner: NDArray[np.float32], bonded: NDArray[np.float32]) -> bool:
    """Return whether no bond of an atom points towards its partner."""
    towards = partner - atom
    along = bonded - atom
    lengths = np.linalg.norm(along, axis=1) * np.linalg.norm(towards)
    cosine = (along @ towards) / np.maximum(lengths, 1e-9)
    return bool((cosine <= np.cos(np.radians(LEAST_ANGLE)) + 1e-6).all())


def _thinned(found: list[Interaction]) -> Iterator[Interaction]:
    """All interactions but the longer ones of several hydrophobic contacts or salt bridges of an atom."""
    seen: dict[str, tuple[set[int], set[int]]] = {HYDROPHOBIC: (set(), set()), SALT_BRIDGE: (set(), set())}
    for one in sorted(found, key=lambda one: one.distance):
        if one.kind in seen:
            receptor, ligand = seen[one.kind]
            known = (one.receptor in receptor, one.ligand in ligand)
            if any(known) if one.kind == HYDROPHOBIC else all(known):
                continue
            receptor.add(one.receptor)
            ligand.add(one.ligand)
        yield one


def _neighbours(bonds: NDArray[np.int64], atoms: int) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in range(atoms)]
    for a, b in bonds.tolist():
        found[a].append(b)
        found[b].append(a)
    return found
