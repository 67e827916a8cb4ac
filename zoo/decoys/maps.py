"""Maps for the broad part of the search: contacts of an atom at every grid point, counted once.

A pose is then scored by one look-up per atom, about thirty times faster than by distances, with an error of half a
grid step. Promising poses are refined with exact distances.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from affinity_zoo.zoo.chem.geometry import BURIAL_CUTOFF, CLASH_FRACTION, CONTACT_CUTOFF

OVERLAP_FRACTION = 0.9  #: of the van der Waals sum; what lies deeper counts as overlap, in Å
CLASH_MARGIN = 0.02  #: Å: so that a pose rounded to 0.001 Å in a file still has no clash
SPACING = 0.55  #: Å between grid points

#: values (X, Y, Z, 3 + 2 kinds) float32, origin (3,), kind of each ligand atom (n,)
Maps = tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.int64]]


def no_maps() -> Maps:
    """Placeholder for maps if distances are used."""
    return np.zeros((0, 0, 0, 3), np.float32), np.zeros(3), np.zeros(0, np.int64)


def make_maps(
    receptor: NDArray[np.float64],
    receptor_radius: NDArray[np.float64],
    radius: NDArray[np.float64],
    centre: NDArray[np.float64],
    reach: float,
) -> Maps:
    """Count contacts, burial, the shortest distance and, for each radius of the ligand, overlap and clash.

    Args:
        receptor: (N, 3) Å; receptor_radius: (N,) van der Waals, Å.
        radius: (n,) of the ligand's atoms.
        centre: (3,) Å; reach: Å, half the edge of the cube that is mapped.
    """
    sizes, kind = np.unique(radius, return_inverse=True)
    points = int(np.ceil(2.0 * reach / SPACING)) + 1
    values = np.zeros((points, points, points, 3 + 2 * len(sizes)), np.float32)
    values[..., 2] = 1e3
    origin = np.asarray(centre, np.float64) - reach
    _fill(values, origin, receptor, receptor_radius, sizes)
    return values, origin, kind.astype(np.int64)


@numba.njit(nogil=True)
def _fill(values, origin, receptor, receptor_radius, sizes):  # type: ignore[no-untyped-def]
    points = values.shape[0]
    for k in range(receptor.shape[0]):
        low = np.empty(3, np.int64)
        high = np.empty(3, np.int64)
        for i in range(3):
            low[i] = max(int(np.ceil((receptor[k, i] - BURIAL_CUTOFF - origin[i]) / SPACING)), 0)
            high[i] = min(int(np.floor((receptor[k, i] + BURIAL_CUTOFF - origin[i]) / SPACING)), points - 1)
        for a in range(low[0], high[0] + 1):
            dx2 = (origin[0] + a * SPACING - receptor[k, 0]) ** 2
            for b in range(low[1], high[1] + 1):
                dy2 = dx2 + (origin[1] + b * SPACING - receptor[k, 1]) ** 2
                if dy2 > BURIAL_CUTOFF * BURIAL_CUTOFF:
                    continue
                for c in range(low[2], high[2] + 1):
                    d2 = dy2 + (origin[2] + c * SPACING - receptor[k, 2]) ** 2
                    if d2 > BURIAL_CUTOFF * BURIAL_CUTOFF:
                        continue
                    here = values[a, b, c]
                    here[1] += 1.0
                    if d2 > CONTACT_CUTOFF * CONTACT_CUTOFF:
                        continue
                    here[0] += 1.0
                    d = np.sqrt(d2)
                    here[2] = min(here[2], d)
                    for s in range(sizes.shape[0]):
                        size = sizes[s] + receptor_radius[k]
                        if d < OVERLAP_FRACTION * size:
                            here[3 + 2 * s] += OVERLAP_FRACTION * size - d
                            if d < CLASH_FRACTION * size + CLASH_MARGIN:
                                here[4 + 2 * s] += CLASH_FRACTION * size + CLASH_MARGIN - d


@numba.njit(nogil=True)
def look_up(xyz, values, origin, kind, out):  # type: ignore[no-untyped-def]
    """Describe a pose from the maps: contacts and burial per atom, shortest, overlap per atom, clash (Å).

    Args:
        xyz: (n, 3) Å.
        values: Maps.
        origin: (3,) Å, corner of the maps.
        kind: (n,) kind of each ligand atom.
        out: Receives the measures.
    """
    n = xyz.shape[0]
    points = values.shape[0]
    out[:] = 0.0
    out[2] = 1e3
    for a in range(n):
        x = int(np.floor((xyz[a, 0] - origin[0]) / SPACING + 0.5))
        y = int(np.floor((xyz[a, 1] - origin[1]) / SPACING + 0.5))
        z = int(np.floor((xyz[a, 2] - origin[2]) / SPACING + 0.5))
        if x < 0 or y < 0 or z < 0 or x >= points or y >= points or z >= points:
            continue
        here = values[x, y, z]
        out[0] += here[0] / n
        out[1] += here[1] / n
        out[2] = min(out[2], here[2])
        out[3] += here[3 + 2 * kind[a]] / n
        out[4] += here[4 + 2 * kind[a]]
