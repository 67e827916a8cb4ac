"""Search for possible positions of a ligand: compiled simulated annealing of rigid moves.

A pose is scored by how far its one-number descriptions (contacts, burial, shortest distance,
overlap) are from wished values, the crystal pose's. Receptor atoms are kept in cells as wide as the
longest cutoff, so that one score costs some microseconds for a receptor of any size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from affinity_zoo.zoo.chem.geometry import BURIAL_CUTOFF, CLASH_FRACTION, CONTACT_CUTOFF, near_box, radii
from affinity_zoo.zoo.decoys.maps import CLASH_MARGIN, OVERLAP_FRACTION, look_up

MEASURES = ("contacts", "burial", "shortest", "overlap", "clash")  #: what `measure` returns, in order
_CELL = BURIAL_CUTOFF + 1e-3


@dataclass(frozen=True, eq=False)
class Cells:
    """Receptor atoms sorted into cubes of just over 6 Å."""

    xyz: NDArray[np.float64]  #: (N, 3) Å, cell by cell
    radius: NDArray[np.float64]  #: (N,) van der Waals, Å
    start: NDArray[np.int64]  #: (cells + 1,)
    origin: NDArray[np.float64]  #: (3,) Å
    shape: NDArray[np.int64]  #: (3,)


def make_cells(xyz: NDArray[np.float64], radius: NDArray[np.float64]) -> Cells:
    """Sort receptor atoms into cells.

    Args:
        xyz: (n, 3) Å.
        radius: Van der Waals radii, Å.
    """
    origin = xyz.min(axis=0) - 1e-6
    place = ((xyz - origin) / _CELL).astype(np.int64)
    shape = place.max(axis=0) + 1
    key = (place[:, 0] * shape[1] + place[:, 1]) * shape[2] + place[:, 2]
    order = np.argsort(key, kind="stable")
    start = np.searchsorted(key[order], np.arange(int(shape.prod()) + 1))
    return Cells(
        np.ascontiguousarray(xyz[order]), radius[order].copy(), start.astype(np.int64), origin, shape
    )


def prepared(
    receptor: NDArray[Any],
    receptor_element: NDArray[Any],
    poses: NDArray[Any],
    element: NDArray[Any],
    margin: float = 7.0,
) -> tuple[tuple[Any, ...], NDArray[np.float64]]:
    """Cells of the receptor atoms within ``margin`` Å of the poses' bounds, and the ligand's radii (n,).

    Args:
        receptor: (N, 3) Å.
        receptor_element: (N,) atomic numbers.
        poses: Poses, (n, 3) Å each.
        element: (n,) atomic numbers.
        margin: Distance beyond the extent, Å.
    """
    vdw, _ = radii()
    near = near_box(receptor, poses, margin)
    cells = make_cells(np.asarray(receptor, np.float64)[near], vdw[receptor_element[near]])
    return (cells.xyz, cells.radius, cells.start, cells.origin, cells.shape), vdw[element]


@numba.njit(nogil=True)
def measure(xyz, radius, rec, rec_radius, start, origin, shape, out):  # type: ignore[no-untyped-def]
    """Describe a pose: contacts and burial per atom, shortest distance, overlap per atom, clash (Å).

    Args:
        xyz: (n, 3) Å.
        radius: Van der Waals radii, Å.
        rec: (N, 3) Å, receptor atoms sorted by cell.
        rec_radius: (N,) Å.
        start: First atom of each cell.
        origin: (3,) Å, corner of the cells.
        shape: (3,) number of cells.
        out: Receives the measures.
    """
    n = xyz.shape[0]
    contacts = 0
    buried = 0
    shortest2 = 1e6
    overlap = 0.0
    clash = 0.0
    for a in range(n):
        x, y, z = xyz[a, 0], xyz[a, 1], xyz[a, 2]
        ix = int(np.floor((x - origin[0]) / _CELL))
        iy = int(np.floor((y - origin[1]) / _CELL))
        iz = int(np.floor((z - origin[2]) / _CELL))
        low_z, high_z = max(iz - 1, 0), min(iz + 1, shape[2] - 1)
        if low_z > high_z:
            continue
        for cx in range(max(ix - 1, 0), min(ix + 2, shape[0])):
            for cy in range(max(iy - 1, 0), min(iy + 2, shape[1])):
                row = (cx * shape[1] + cy) * shape[2]
                for k in range(start[row + low_z], start[row + high_z + 1]):
                    dx, dy, dz = x - rec[k, 0], y - rec[k, 1], z - rec[k, 2]
                    d2 = dx * dx + dy * dy + dz * dz
                    if d2 > BURIAL_CUTOFF * BURIAL_CUTOFF:
                        continue
                    buried += 1
                    shortest2 = min(shortest2, d2)
                    if d2 <= CONTACT_CUTOFF * CONTACT_CUTOFF:
                        contacts += 1
                        size = radius[a] + rec_radius[k]
                        if d2 < (OVERLAP_FRACTION * size) ** 2:
                            d = np.sqrt(d2)
                            overlap += OVERLAP_FRACTION * size - d
                            if d < CLASH_FRACTION * size + CLASH_MARGIN:
                                clash += CLASH_FRACTION * size + CLASH_MARGIN - d
    out[0] = contacts / n
    out[1] = buried / n
    out[2] = np.sqrt(shortest2)
    out[3] = overlap / n
    out[4] = clash


@numba.njit(nogil=True)
def _cost(found, wished, scale, moved, min_rmsd):  # type: ignore[no-untyped-def]
    cost = 8.0 * found[4]
    for k in range(4):
        cost += min(abs(found[k] - wished[k]) / scale[k], 60.0)
    if moved < min_rmsd:
        cost += 20.0 * (min_rmsd - moved)
    return cost


@numba.njit(nogil=True)
def _turn(q, dq):  # type: ignore[no-untyped-def]
    w = dq[0] * q[0] - dq[1] * q[1] - dq[2] * q[2] - dq[3] * q[3]
    x = dq[0] * q[1] + dq[1] * q[0] + dq[2] * q[3] - dq[3] * q[2]
    y = dq[0] * q[2] - dq[1] * q[3] + dq[2] * q[0] + dq[3] * q[1]
    z = dq[0] * q[3] + dq[1] * q[2] - dq[2] * q[1] + dq[3] * q[0]
    norm = np.sqrt(w * w + x * x + y * y + z * z)
    return np.array([w / norm, x / norm, y / norm, z / norm])


@numba.njit(nogil=True)
def _put(body, q, t, out):  # type: ignore[no-untyped-def]
    w, x, y, z = q[0], q[1], q[2], q[3]
    r = np.empty((3, 3))
    r[0, 0], r[0, 1], r[0, 2] = 1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)
    r[1, 0], r[1, 1], r[1, 2] = 2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)
    r[2, 0], r[2, 1], r[2, 2] = 2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)
    for a in range(body.shape[0]):
        for i in range(3):
            out[a, i] = r[i, 0] * body[a, 0] + r[i, 1] * body[a, 1] + r[i, 2] * body[a, 2] + t[i]


@numba.njit(nogil=True)
def anneal(  # type: ignore[no-untyped-def]
    body,
    radius,
    crystal,
    rec,
    rec_radius,
    start,
    origin,
    shape,
    values,
    corner,
    kind,
    wished,
    scale,
    min_rmsd,
    limit,
    q,
    t,
    noise,
    heat,
):
    """Move and turn a rigid ligand towards the wished measures.

    Args:
        body: (n, 3) ligand centred at 0. radius: (n,). crystal: (n, 3) where it really lies.
        rec, rec_radius, start, origin, shape: the receptor's :class:`Cells`.
        values, corner, kind: the receptor's maps; empty: distances are taken instead.
        wished, scale: (4,) contacts, burial, shortest, overlap: the goal, and what is one unit off.
        min_rmsd: Å; closer to the crystal pose costs.
        limit: the ligand's centre stays within so many Å of the crystal pose's.
        q, t: (4,) and (3,) first orientation (quaternion) and position.
        noise: (steps, 7) standard normal, the last column uniform in (0, 1).
        heat: factor on the first steps' size and temperature.

    Returns:
        The best pose (n, 3), its five measures, its cost, its orientation and its position.
    """
    n = body.shape[0]
    steps = noise.shape[0]
    now = np.empty((n, 3))
    found = np.empty(5)
    home = np.zeros(3)
    for a in range(n):
        for i in range(3):
            home[i] += crystal[a, i] / n
    best = np.empty((n, 3))
    best_found = np.empty(5)
    best_cost = np.inf
    best_q, best_t = q, t
    cost = np.inf
    for s in range(steps + 1):
        if s == 0:
            q2, t2 = q, t
        else:
            left = 1.0 - (s - 1) / steps
            angle = 0.03 + 0.5 * heat * left * left
            reach = 0.05 + 1.2 * heat * left * left
            dq = np.array([1.0, 0.5 * angle * noise[s - 1, 0], 0.5 * angle * noise[s - 1, 1],
                           0.5 * angle * noise[s - 1, 2]])  # fmt: skip
            q2 = _turn(q, dq)
            t2 = t + reach * noise[s - 1, 3:6]
            gone = 0.0
            for i in range(3):
                gone += (t2[i] - home[i]) ** 2
            if gone > limit * limit:
                continue
        _put(body, q2, t2, now)
        if values.shape[0] > 0:
            look_up(now, values, corner, kind, found)
        else:
            measure(now, radius, rec, rec_radius, start, origin, shape, found)
        moved = 0.0
        for a in range(n):
            for i in range(3):
                moved += (now[a, i] - crystal[a, i]) ** 2
        moved = np.sqrt(moved / n)
        new = _cost(found, wished, scale, moved, min_rmsd)
        temperature = 0.02 + 1.5 * heat * (1.0 - s / steps) ** 2
        if s == 0 or new <= cost or noise[s - 1, 6] < np.exp((cost - new) / temperature):
            cost = new
            q, t = q2, t2
        if new < best_cost:
            best_cost = new
            best[:] = now
            best_found[:] = found
            best_q, best_t = q2, t2
    return best, best_found, best_cost, best_q, best_t
