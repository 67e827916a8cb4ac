"""gnina's atom types, flags and charges from a molecular graph.

The rules are those of ``GninaIndexTyper`` on Open Babel's properties (see the table in
:mod:`affinity_zoo.featurizers.gnina_types`), stated on heavy atoms and their number of hydrogens.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import UNTYPED, AtomFlag
from affinity_zoo.zoo.data.readers.elements import IS_METAL
from affinity_zoo.zoo.data.readers.perceive import Graph, perceive

#: element -> type, where the element alone decides
ELEMENT_TYPE: Final = {
    34: 14, 15: 16, 9: 17, 17: 18, 35: 19, 53: 20, 12: 21, 25: 22, 30: 23, 20: 24, 26: 25, 5: 27,
}  # fmt: skip
HALOGENS: Final = frozenset((9, 17, 35, 53))
GENERIC_METAL: Final = 26


@dataclass(frozen=True, eq=False)
class Typing:
    """Types, flags and charges of N atoms."""

    atom_type: NDArray[np.uint8]
    flags: NDArray[np.uint16]
    charge: NDArray[np.int8]


@dataclass(frozen=True)
class Site:
    """Properties that determine the type of an atom."""

    element: int
    hydrogens: int = 0
    degree: int = 0  #: neighbours, hydrogens included
    planar: bool = False  #: sp2, conjugated amines included
    aromatic: bool = False
    ring: bool = False
    charge: int = 0
    polar_neighbour: bool = False  #: a neighbour is neither carbon nor hydrogen


@lru_cache(4096)
def type_site(site: Site) -> tuple[int, AtomFlag]:
    """gnina type and flags of one atom; ``UNTYPED`` for an unknown element.

    Args:
        site: Properties of the atom.
    """
    flags = AtomFlag(0)
    for flag, holds in (
        (AtomFlag.AROMATIC, site.aromatic),
        (AtomFlag.RING, site.ring),
        (AtomFlag.POSITIVE, site.charge > 0),
        (AtomFlag.NEGATIVE, site.charge < 0),
        (AtomFlag.DONOR, site.element in (7, 8, 16) and site.hydrogens > 0),
    ):
        if holds:
            flags |= flag
    if site.element == 0:
        return UNTYPED, flags
    if site.element == 6:
        if not site.polar_neighbour:
            flags |= AtomFlag.HYDROPHOBIC
        return 2 + 2 * site.aromatic + site.polar_neighbour, flags
    if site.element == 7:
        acceptor = not ((site.degree == 4 and not site.planar) or (site.degree == 3 and site.planar))
        if acceptor and site.charge <= 0:
            flags |= AtomFlag.ACCEPTOR
        return {(True, True): 8, (True, False): 9, (False, True): 7, (False, False): 6}[
            acceptor, site.hydrogens > 0
        ], flags
    if site.element == 8:
        return (12 if site.hydrogens else 13), flags | AtomFlag.ACCEPTOR
    if site.element == 16:
        return (15 if site.charge < 0 else 14), flags
    if site.element in HALOGENS:
        flags |= AtomFlag.HYDROPHOBIC
    if IS_METAL[site.element]:
        flags |= AtomFlag.METAL
    return ELEMENT_TYPE.get(site.element, GENERIC_METAL), flags


def type_from_geometry(
    xyz: NDArray[np.float32], element: NDArray[np.uint8], pairs: NDArray[np.int64] | None = None
) -> Typing:
    """Type heavy atoms whose bond orders are not known: bonds are perceived, and the atoms flagged.

    Args:
        xyz: (N, 3) Å.
        element: (N,) atomic numbers; no hydrogens.
        pairs: (M, 2) bonded atoms from the file; None: perceived too.
    """
    graph = perceive(xyz, element, pairs)
    in_ring = {i for ring in graph.rings for i in ring}
    found = np.array([_type(*_site(graph, i, i in in_ring)) for i in range(len(element))], np.uint16)
    kinds, flags = found.reshape(-1, 2).T
    flags = flags | np.uint16(AtomFlag.PERCEIVED)
    return Typing(kinds.astype(np.uint8), flags, np.zeros(len(element), np.int8))


@lru_cache(4096)
def _type(
    element: int, hydrogens: int, degree: int, planar: bool, aromatic: bool, ring: bool, polar: bool
) -> tuple[int, int]:
    """:func:`type_site` of numbers, which are looked up faster than a site."""
    kind, flags = type_site(Site(element, hydrogens, degree, planar, aromatic, ring, 0, polar))
    return kind, int(flags)


def _site(graph: Graph, i: int, ring: bool) -> tuple[int, int, int, bool, bool, bool, bool]:
    """Everything that the type of an atom depends on: the fields of :class:`Site`, without the charge."""
    near = graph.neighbours[i]
    element = int(graph.element[i])
    hydrogens = _hydrogens(graph, i)
    polar = any(graph.element[j] != 6 for j in near)
    planar = bool(graph.planar[i] or graph.aromatic[i] or i in graph.double)
    if element == 7 and not planar:
        # the lone pair of an amine next to a planar atom is delocalised (amides, anilines)
        planar = any(graph.aromatic[j] or j in graph.double for j in near if graph.element[j] == 6)
    return element, hydrogens, len(near) + hydrogens, planar, bool(graph.aromatic[i]), ring, polar


def _hydrogens(graph: Graph, i: int) -> int:
    """Hydrogens of a nitrogen, oxygen or sulphur by valence (other elements: not needed, 0)."""
    element, degree = int(graph.element[i]), len(graph.neighbours[i])
    if element == 7:
        if graph.aromatic[i]:
            return int(i in graph.protonated)
        if graph.linear[i] or (degree == 1 and graph.linear[graph.neighbours[i][0]]):
            return 0
        return max(0, 3 - degree - (i in graph.double))
    if element in (8, 16):
        return max(0, 2 - degree - (i in graph.double)) if degree <= 2 else 0
    return 0
