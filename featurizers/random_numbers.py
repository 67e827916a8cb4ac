"""Random numbers as a function of seed, stream, epoch and row: Philox-4x32-10 over arrays.

The numbers of a generator object depend on earlier calls. Here a number is a function of
(seed, stream, epoch, row): the same for any number of workers, order of rows or restart.
Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC11.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def uniforms(seed: int, stream: int, epoch: int, rows: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Uniform numbers in (0, 1), a function of the arguments alone.

    Args:
        seed: any integer; its lowest 64 bits count.
        stream: purpose of the numbers, 0..255.
        epoch: epoch or view number, 0..2**32 - 1.
        rows: (n,) row numbers, not negative.
        count: numbers per row, at most 1,024.

    Returns:
        (n, count) float64.
    """
    from affinity_zoo.featurizers import _assembly

    out = np.empty((len(rows), count))
    what = (stream << 32) | (epoch & 0xFFFFFFFF)
    _assembly.uniforms(
        np.uint64(seed & 0xFFFFFFFFFFFFFFFF), np.uint64(what), np.ascontiguousarray(rows, np.int64), out
    )
    return out
