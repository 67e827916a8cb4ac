"""Bonds of a molecule from the distances of its heavy atoms, by Open Babel's rule."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.zoo.data.readers.elements import COVALENT_RADIUS, IS_METAL

_TOLERANCE = 0.45  #: Å beyond the sum of covalent radii that is still a bond
_SHORTEST = 0.6  #: Å; two atoms nearer than this are not bonded but on top of each other
_MOST_BONDS = {6: 4, 7: 4, 8: 2, 9: 1, 17: 1, 35: 1, 53: 1}


def bonds(
    xyz: NDArray[np.float32], element: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Bonded pairs (M, 2), i < j in order, and their lengths (M,) in Å. Metals have none.

    Args:
        xyz: (N, 3) Å.
        element: (N,) atomic numbers.
    """
    usable = (COVALENT_RADIUS[element] > 0) & ~IS_METAL[element]
    if len(xyz) > 400:
        from scipy.spatial import cKDTree

        pairs = cKDTree(xyz).query_pairs(3.3, output_type="ndarray").astype(np.int64)
        pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    else:
        pairs = all_pairs(len(xyz))
    i, j = pairs[:, 0], pairs[:, 1]
    d = np.sqrt(((xyz[i].astype(np.float64) - xyz[j]) ** 2).sum(1))
    reach = COVALENT_RADIUS[element[i]] + COVALENT_RADIUS[element[j]] + _TOLERANCE
    keep = usable[i] & usable[j] & (d > _SHORTEST) & (d < reach)
    return _limit_valence(pairs[keep], d[keep], element)


@lru_cache(256)
def all_pairs(n: int) -> NDArray[np.int64]:
    """(n (n - 1) / 2, 2) all pairs i < j.

    Args:
        n: number of atoms.
    """
    return np.stack(np.triu_indices(n, 1), 1)


def _limit_valence(
    pairs: NDArray[np.int64], d: NDArray[np.float64], element: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Remove the longest bonds of atoms with too many bonds for their element."""
    count = np.bincount(pairs.ravel(), minlength=len(element))
    most = np.array([_MOST_BONDS.get(int(z), 8) for z in element])
    if not (count > most).any():
        return pairs, d
    keep = np.ones(len(pairs), bool)
    for k in np.argsort(-d, kind="stable"):
        i, j = pairs[k]
        if count[i] > most[i] or count[j] > most[j]:
            keep[k] = False
            count[i] -= 1
            count[j] -= 1
    return pairs[keep], d[keep]
