"""Bonds, rings, hybridisation and hydrogens of a molecule from the positions of its heavy atoms alone.

The rules follow Open Babel's (distance, then mean angle, then ring torsions), which typed the data that
gnina's networks were trained on. Hydrogens in a file are deliberately ignored, so that a molecule is
the same with and without them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.zoo.data.readers.bonds import bonds
from affinity_zoo.zoo.data.readers.elements import COVALENT_RADIUS

#: single bond lengths, Å, by the sum of which a bond is judged short
_SINGLE = {5: 0.82, 6: 0.765, 7: 0.70, 8: 0.66, 14: 1.14, 15: 1.10, 16: 1.04, 34: 1.17}


@dataclass(eq=False)
class Graph:
    """A molecule's heavy atoms and the properties derived from their bonds. N atoms."""

    element: list[int]  #: atomic numbers
    neighbours: list[list[int]]
    rings: list[tuple[int, ...]] = field(default_factory=list)
    aromatic: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    planar: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))  #: sp2
    linear: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))  #: sp
    double: dict[int, int] = field(
        default_factory=dict
    )  #: atom -> its partner in a double bond outside aromatic rings
    protonated: set[int] = field(default_factory=set)  #: aromatic nitrogens that carry a hydrogen
    phenolic: set[int] = field(default_factory=set)  #: aromatic carbons whose own electron is in the ring


def perceive(
    xyz: NDArray[np.float32], element: NDArray[np.uint8], pairs: NDArray[np.int64] | None = None
) -> Graph:
    """The graph of a molecule.

    Args:
        xyz: (N, 3) heavy atoms, Å.
        element: (N,) atomic numbers.
        pairs: (M, 2) bonded atoms, i < j, from the file; None: by distance.
    """
    if pairs is None:
        pairs, length = bonds(xyz, element)
    else:
        length = np.sqrt(((xyz[pairs[:, 0]].astype(np.float64) - xyz[pairs[:, 1]]) ** 2).sum(1))
    graph = Graph(element.tolist(), [[] for _ in element])
    distance: dict[tuple[int, int], float] = {}
    for (i, j), d in zip(pairs.tolist(), length.tolist(), strict=True):
        graph.neighbours[i].append(j)
        graph.neighbours[j].append(i)
        distance[i, j] = distance[j, i] = d
    graph.rings = list(find_rings(len(element), pairs))
    flat = _hybridise(graph, xyz, distance, pairs)
    _find_aromatic(graph, flat, distance)
    _place_double_bonds(graph, distance)
    return graph


def find_rings(n: int, pairs: NDArray[np.int64]) -> tuple[tuple[int, ...], ...]:
    """The smallest set of smallest rings, by RDKit; poses of one molecule are asked for once.

    Args:
        n: number of atoms.
        pairs: (M, 2) bonded atoms.
    """
    return _rings(n, pairs.tobytes()) if len(pairs) >= 3 else ()


@lru_cache(1024)
def _rings(n: int, pairs: bytes) -> tuple[tuple[int, ...], ...]:
    from rdkit import Chem

    molecule = Chem.RWMol()
    atom = Chem.Atom(0)
    for _ in range(n):
        molecule.AddAtom(atom)
    for i, j in np.frombuffer(pairs, np.int64).reshape(-1, 2).tolist():
        molecule.AddBond(i, j, Chem.BondType.SINGLE)
    return tuple(tuple(ring) for ring in Chem.GetSSSR(molecule))


@lru_cache(1024)
def _corners(n: int, pairs: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The angles at atoms with two or three neighbours: (K, 3) centre and ends, and (n,) how many each atom has."""
    near: list[list[int]] = [[] for _ in range(n)]
    for i, j in np.frombuffer(pairs, np.int64).reshape(-1, 2).tolist():
        near[i].append(j)
        near[j].append(i)
    found = [(i, a, b) for i in range(n) if len(near[i]) in (2, 3) for a, b in combinations(near[i], 2)]
    corners = np.array(found, np.int64).reshape(-1, 3)
    return corners, np.bincount(corners[:, 0], minlength=n)


def _mean_angles(x: NDArray[np.float64], pairs: NDArray[np.int64]) -> list[float]:
    """Degrees at each atom, mean over its pairs of neighbours; 0 at atoms without."""
    corners, count = _corners(len(x), pairs.tobytes())
    if not len(corners):
        return [0.0] * len(x)
    a, b = x[corners[:, 1]] - x[corners[:, 0]], x[corners[:, 2]] - x[corners[:, 0]]
    length = np.sqrt((a * a).sum(1)) * np.sqrt((b * b).sum(1))
    cosine = (a * b).sum(1) / np.where(length > 0, length, 1.0)
    angle = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
    total = np.bincount(corners[:, 0], angle, minlength=len(x))
    found: list[float] = (total / np.maximum(count, 1)).tolist()
    return found


def _hybridise(
    graph: Graph,
    xyz: NDArray[np.float32],
    distance: dict[tuple[int, int], float],
    pairs: NDArray[np.int64],
) -> list[tuple[int, ...]]:
    """Set ``planar`` and ``linear``; return the rings that are flat."""
    n = len(graph.element)
    planar, linear = np.zeros(n, bool), np.zeros(n, bool)
    x: list[Vector] = xyz.astype(np.float64).tolist()
    angles = _mean_angles(xyz.astype(np.float64), pairs)
    for i, near in enumerate(graph.neighbours):
        if len(near) in (2, 3) and graph.element[i] in (5, 6, 7):
            angle = angles[i]
            linear[i] = len(near) == 2 and angle > 155
            planar[i] = not linear[i] and angle > 115
    flat = []
    for ring in graph.rings:
        limit = {5: 7.5, 6: 12.0}.get(len(ring))
        if limit is not None and _mean_torsion([x[i] for i in ring]) < limit:
            flat.append(ring)
            for i in ring:
                planar[i] |= len(graph.neighbours[i]) in (2, 3)
    for i, near in enumerate(graph.neighbours):
        if len(near) == 1:
            j = near[0]
            short = distance[i, j] < _single(graph, i, j) - 0.10
            planar[i] = short and bool(
                planar[j] or graph.element[j] in (15, 16) or len(graph.neighbours[j]) == 1
            )
            linear[i] = bool(linear[j]) and distance[i, j] < _single(graph, i, j) - 0.2
    graph.planar, graph.linear = planar, linear
    return flat


def _single(graph: Graph, i: int, j: int) -> float:
    radius = COVALENT_RADIUS
    zi, zj = int(graph.element[i]), int(graph.element[j])
    return _SINGLE.get(zi, float(radius[zi])) + _SINGLE.get(zj, float(radius[zj]))


Vector = list[float]  # plain Python: for two or three neighbours NumPy's calls cost ten times the arithmetic


def _mean_torsion(x: list[Vector]) -> float:
    n = len(x)
    b = [[x[(i + 1) % n][k] - x[i][k] for k in range(3)] for i in range(n)]
    normals = []
    for i in range(n):
        (ax, ay, az), (bx, by, bz) = b[i], b[(i + 1) % n]
        normals.append(_unit([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx]))
    return sum(_angle(normals[i], normals[(i + 1) % n]) for i in range(n)) / n


def _unit(v: Vector) -> Vector:
    length = math.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]) or 1.0
    return [v[0] / length, v[1] / length, v[2] / length]


def _angle(a: Vector, b: Vector) -> float:
    """Degrees between two unit vectors."""
    cosine = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))


def _find_aromatic(graph: Graph, flat: list[tuple[int, ...]], distance: dict[tuple[int, int], float]) -> None:
    """Flat rings of five or six atoms in which six pi electrons are possible, and their N-H."""
    graph.aromatic = np.zeros(len(graph.element), bool)
    fused = _shared(flat)
    for ring in sorted(flat, key=len):
        if not all(graph.element[i] in (6, 7, 8, 16) and len(graph.neighbours[i]) <= 3 for i in ring):
            continue
        excess = [
            distance[a, b] - _single(graph, a, b) for a, b in zip(ring, ring[1:] + ring[:1], strict=True)
        ]
        if max(excess) > _LONGEST or sum(excess) > _MEAN * len(ring):
            continue
        electrons, more, free = 0, 0, []
        for i in ring:
            low, high, is_free = _electrons(graph, i, ring, distance, i in fused)
            electrons += low
            more += high - low
            if is_free:
                free.append(i)
        missing, phenolic = 6 - electrons, []
        if sum(excess) < _SHORT * len(ring):
            # Bonds as in benzene: what looked like C=O out of the ring is a phenol.
            phenolic = [i for i in ring if _points_out(graph, i, ring, distance)]
            more += len(phenolic)
        if not 0 <= missing <= more + len(free):
            continue
        graph.aromatic[list(ring)] = True
        graph.phenolic.update(i for i in ring if i in phenolic or not _points_out(graph, i, ring, distance))
        graph.protonated.update(sorted(free)[: max(0, missing - more)])


_LONGEST = 0.06  #: Å; a ring bond longer than a single bond by this is no aromatic one
_MEAN = -0.03  #: Å; aromatic rings are shorter than single bonds by at least this on average
_SHORT = -0.12  #: Å; and by this where all bonds are as in benzene


def _shared(rings: list[tuple[int, ...]]) -> set[int]:
    seen: set[int] = set()
    twice: set[int] = set()
    for ring in rings:
        twice.update(seen.intersection(ring))
        seen.update(ring)
    return twice


def _electrons(
    graph: Graph, i: int, ring: tuple[int, ...], distance: dict[tuple[int, int], float], fused: bool
) -> tuple[int, int, bool]:
    """Fewest and most pi electrons of a ring atom, and whether a proton may add one (N with two neighbours)."""
    element = graph.element[i]
    if element in (8, 16):
        return 2, 2, False
    if element == 7:
        if i in graph.protonated:
            return 2, 2, False
        if len(graph.neighbours[i]) == 3:
            # a bridgehead shares its pair, a pyridinium has given it away
            return (1, 2, False) if fused or len(ring) == 6 else (2, 2, False)
        return 1, 1, True
    outside = 0 if _points_out(graph, i, ring, distance) else 1
    return outside, outside, False


def _points_out(graph: Graph, i: int, ring: tuple[int, ...], distance: dict[tuple[int, int], float]) -> bool:
    """Whether a C=O, C=S or C=NH points out of the ring at this atom."""
    return graph.element[i] == 6 and any(
        j not in ring and len(graph.neighbours[j]) == 1 and distance[i, j] < _single(graph, i, j) - 0.12
        for j in graph.neighbours[i]
    )


def _place_double_bonds(graph: Graph, distance: dict[tuple[int, int], float]) -> None:
    """Give planar atoms outside aromatic rings their double bonds, the shortest bonds first."""
    room = [_double_bonds_possible(graph, i) for i in range(len(graph.element))]
    edges = []
    for i, near in enumerate(graph.neighbours):
        for j in near:
            if i < j and room[i] and room[j] and _may_double(graph, i, j):
                edges.append((distance[i, j] - _single(graph, i, j), i, j))
    for shorter, i, j in sorted(edges):
        polar = bool(graph.element[i] != 6 or graph.element[j] != 6)
        if shorter < (-0.10 if polar else -0.05) and room[i] and room[j]:
            room[i] -= 1
            room[j] -= 1
            graph.double.update({i: j, j: i})


def _double_bonds_possible(graph: Graph, i: int) -> int:
    element, degree = int(graph.element[i]), len(graph.neighbours[i])
    oxygens = sum(graph.element[j] == 8 and len(graph.neighbours[j]) == 1 for j in graph.neighbours[i])
    if element == 6:
        return int(bool(graph.planar[i] or graph.linear[i] or degree == 1))
    if element == 7:
        return 2 if degree == 3 and oxygens == 2 else int(degree <= 2 and not graph.aromatic[i])
    if element == 16:
        return {1: 1, 3: 1, 4: 2}.get(degree, 0)
    if element == 15:
        return int(oxygens > 0)
    return int(element == 8 and degree == 1)


def _may_double(graph: Graph, i: int, j: int) -> bool:
    if graph.aromatic[i] or graph.aromatic[j]:
        # exocyclic C=O or C=S of a pyridone and the like; an amine on a ring stays single
        inner, outer = (i, j) if graph.aromatic[i] else (j, i)
        terminal = graph.element[outer] in (8, 16) and len(graph.neighbours[outer]) == 1
        return terminal and inner not in graph.phenolic
    return True
