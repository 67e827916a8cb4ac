"""Wrong poses of a known ligand: displaced copies that single numbers cannot distinguish from the real pose.

A ligand at a random place on a protein has fewer contacts than a bound one, and a network (or a count)
learns only that: contacts alone had an AUC of 0.99 on such a set. Therefore each decoy is searched by
simulated annealing of rigid moves towards the contacts, burial, shortest distance and overlap of the
crystal pose, more than ``min_rmsd`` away from it, without a clash, and not on another crystal copy of a
similar ligand. The remaining difference is which atoms are in contact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from affinity_zoo.zoo.chem import symmetry
from affinity_zoo.zoo.chem.geometry import BURIAL_CUTOFF, CLASH_FRACTION, close_pairs_xyz, radii, within_xyz

SIMILAR = 0.75  #: Tanimoto similarity above which another ligand's site may also bind this ligand
OVERLAP_SHARE = (
    0.30  #: fraction of a pose's atoms within 4 Å of another ligand above which it overlaps that ligand
)
OVERLAP_CUTOFF = 4.0  #: Å
#: each search aims at the crystal pose's measures + (shift + spread x normal) x MATCH_SCALE: rigid poses end up
#: less buried and with more overlap than they aim at
AIM_SPREAD = 1.0
AIM_SHIFT = np.array([0.0, 2.5, 0.0, -1.0])
REFINED = 7  #: searches per wanted pose that continue with exact distances
SAME_PLACE = 0.8  #: Å RMSD between two of them at least
FREE = 2.8  #: Å from every receptor atom: a place where a ligand's middle may start
#: what counts as one unit off when poses are matched: contacts, burial (per atom), shortest (Å), overlap (Å per atom)
MATCH_SCALE = (0.10, 0.30, 0.05, 0.009)


@dataclass(frozen=True, eq=False)
class Displaced:
    """One displaced pose, its atoms in the order of the crystal pose."""

    xyz: NDArray[np.float64]  #: (n, 3) Å, rounded to 0.001 as a PDB file holds it
    rmsd: float  #: to the crystal pose, in place, symmetry-corrected, Å
    mismatch: float  #: sum of the differences to the crystal pose's measures in units of MATCH_SCALE


@dataclass(frozen=True, eq=False)
class DisplaceOptions:
    """Options of the search for displaced poses.

    Args:
        count: poses wanted per ligand.
        min_rmsd: Å to the crystal pose; every pose is farther.
        reach: Å, how far the ligand's centre may go.
        tries: broad searches per wanted pose; the best seven continue with exact distances.
        steps: moves in one exact search; a broad one has half as many.
        apart: Å RMSD between two kept poses.
        max_mismatch: poses that differ more from the crystal pose, in units of MATCH_SCALE, are not kept.
    """

    count: int = 10
    min_rmsd: float = 6.0
    reach: float = 20.0
    tries: int = 100
    steps: int = 350
    apart: float = 2.0
    max_mismatch: float = 40.0


def lies_on(
    pose: NDArray[Any], other: NDArray[Any], cutoff: float = OVERLAP_CUTOFF, share: float = OVERLAP_SHARE
) -> bool:
    """Return whether a pose overlaps another ligand: more than ``share`` of its atoms within ``cutoff`` Å.

    Args:
        pose: (n, 3) Å.
        other: (m, 3) Å.
        cutoff: Distance within which an atom counts, Å.
        share: Fraction of the pose's atoms.
    """
    return float(within_xyz(np.asarray(pose), np.asarray(other), cutoff).mean()) > share


def clashing(
    receptor: NDArray[Any], receptor_element: NDArray[Any], pose: NDArray[Any], element: NDArray[Any]
) -> bool:
    """Return whether any heavy-atom pair is below 0.75 of its van der Waals sum, metals and bonds included.

    Stricter than :func:`affinity_zoo.zoo.chem.geometry.clashes`, because a generated pose cannot be covalently bound.

    Args:
        receptor: (N, 3) Å.
        receptor_element: (N,) atomic numbers.
        pose: (n, 3) Å.
        element: (n,) atomic numbers.
    """
    vdw, _ = radii()
    i, j, distance = close_pairs_xyz(receptor, pose, CLASH_FRACTION * 2.0 * float(vdw.max()))
    return bool(np.any(distance < CLASH_FRACTION * (vdw[receptor_element[i]] + vdw[element[j]])))


def displaced_poses(
    receptor: NDArray[Any],
    receptor_element: NDArray[Any],
    ligand: NDArray[Any],
    element: NDArray[Any],
    *,
    seed: int | Sequence[int],
    others: Sequence[NDArray[Any]] = (),
    options: DisplaceOptions | None = None,
) -> list[Displaced]:
    """Search displaced poses of one ligand, best match first; it may find fewer than requested.

    Args:
        receptor: (N, 3) Å; receptor_element: (N,) atomic numbers.
        ligand: (n, 3) Å, the crystal pose; element: (n,) atomic numbers.
        seed: of the random numbers; the same seed gives the same poses.
        others: positions of other crystal ligands a pose must not lie on.
        options: options of the search.
    """
    from affinity_zoo.zoo.decoys import maps, search

    options = options or DisplaceOptions()
    vdw, _ = radii()
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed)))
    crystal = np.asarray(ligand, np.float64)
    home = crystal.mean(axis=0)
    body = crystal - home
    size = float(np.linalg.norm(body, axis=1).max())
    around = np.linalg.norm(receptor - home, axis=1) <= options.reach + size + 7.0
    rec, rec_element = np.asarray(receptor, np.float64)[around], receptor_element[around]
    if not len(rec):
        return []
    cells = search.make_cells(rec, vdw[rec_element])
    grid = (cells.xyz, cells.radius, cells.start, cells.origin, cells.shape)
    measures = np.empty(5)
    search.measure(crystal, vdw[element], *grid, measures)
    wished = measures[:4].copy()
    scale = np.array(MATCH_SCALE)
    rules = (options.min_rmsd, options.reach)
    broad = maps.make_maps(cells.xyz, cells.radius, vdw[element], home, options.reach + size + 1.0)
    quick = []
    for q, t in _starts(rng, home, cells, measures[1], options):
        aim = wished + AIM_SPREAD * scale * rng.standard_normal(4) + AIM_SHIFT * scale
        noise = _noise(rng, options.steps // 2)
        args = (body, vdw[element], crystal, *grid, *broad, aim, scale, *rules)
        found = search.anneal(*args, q, t, noise, 1.0)
        quick.append((float(found[2]), found[0], aim, found[3], found[4]))
    poses = []
    for aim, q, t in _best(quick, options.count * REFINED):
        args = (body, vdw[element], crystal, *grid, *maps.no_maps(), aim, scale, *rules)
        pose, got, *_ = search.anneal(*args, q, t, _noise(rng, options.steps), 0.3)
        if got[4] == 0.0:
            poses.append(((got[:4] - wished) / scale, np.round(pose, 3)))
    return _keep(poses, rec, rec_element, crystal, element, others, options)


def _best(
    quick: list[tuple[float, NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]], count: int
) -> Iterator[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]:
    """Return the distinct poses of lowest cost: target, orientation, position."""
    kept: list[NDArray[Any]] = []
    for _, pose, aim, q, t in sorted(quick, key=lambda item: item[0]):
        if all(np.sqrt(((pose - other) ** 2).sum(axis=1).mean()) > SAME_PLACE for other in kept):
            kept.append(pose)
            yield aim, q, t
            if len(kept) == count:
                return


def _noise(rng: np.random.Generator, steps: int) -> NDArray[np.float64]:
    noise = rng.standard_normal((steps, 7))
    noise[:, 6] = rng.random(steps)
    return noise


def _starts(
    rng: np.random.Generator, home: NDArray[np.float64], cells: Any, buried: float, options: DisplaceOptions
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """First orientations and positions: a quarter in the ligand's own place.

    The others lie in free places that are about as buried as the crystal pose.
    """
    count = options.count * options.tries
    side = np.arange(-options.reach, options.reach + 0.1, 1.5)
    points = np.stack(np.meshgrid(side, side, side, indexing="ij"), axis=-1).reshape(-1, 3)
    points = points[np.linalg.norm(points, axis=1) <= options.reach] + home
    tree = cKDTree(cells.xyz)
    free = points[tree.query(points, distance_upper_bound=FREE)[0] >= FREE]
    around = tree.query_ball_point(free, BURIAL_CUTOFF, return_length=True)
    weight = np.exp(-np.abs(around - buried) / (0.15 * buried + 1.0)) + 1e-6
    chosen = free[rng.choice(len(free), size=count, p=weight / weight.sum())] if len(free) else None
    starts = []
    for k in range(count):
        at = home + rng.standard_normal(3) if k % 4 == 0 or chosen is None else chosen[k]
        q = rng.standard_normal(4)
        starts.append((q / np.linalg.norm(q), at))
    return starts


def _keep(
    found: list[tuple[NDArray[np.float64], NDArray[np.float64]]],
    receptor: NDArray[Any],
    receptor_element: NDArray[Any],
    crystal: NDArray[np.float64],
    element: NDArray[Any],
    others: Sequence[NDArray[Any]],
    options: DisplaceOptions,
) -> list[Displaced]:
    """Return the best-matched poses that pass every rule, without near duplicates.

    Each next pose is the one with the least difference to the crystal pose that also evens out the
    differences of those already taken: decoys a little less buried are joined by some a little more.
    """
    mol = symmetry.skeleton(element, symmetry.bonds_from_distances(crystal, element))
    ways = symmetry.mappings(mol, mol)
    left = []
    for off, pose in found:
        rmsd = symmetry.rmsd(pose, crystal, ways)
        bad = not rmsd > options.min_rmsd or clashing(receptor, receptor_element, pose, element)
        bad = bad or float(np.abs(off).sum()) > options.max_mismatch
        if not bad and not any(lies_on(pose, other) for other in others):
            left.append((off, Displaced(pose, rmsd, float(np.abs(off).sum()))))
    kept: list[Displaced] = []
    total = np.zeros(4)
    while left and len(kept) < options.count:
        costs = [new.mismatch + float(np.abs(total + off).sum()) for off, new in left]
        off, new = left.pop(int(np.argmin(costs)))
        if all(symmetry.rmsd(new.xyz, other.xyz, ways) >= options.apart for other in kept):
            kept.append(new)
            total += off
    return kept
