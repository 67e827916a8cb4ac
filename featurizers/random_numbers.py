"""Random numbers that depend on what they are for, and on nothing else: Philox-4x32-10 over arrays.

A generator object has a state, so what it gives depends on who asked before. Here a number is a
function of (seed, stream, epoch, row): the same for any number of workers, order of rows or restart.
Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC11.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

_MULTIPLIERS: Final = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL: Final = (np.uint64(0x9E3779B9), np.uint64(0xBB67AE85))
_LOW: Final = np.uint64(0xFFFFFFFF)
_HALF: Final = np.uint64(32)
_ROUNDS: Final = 10


def philox(counter: NDArray[np.uint64], key: tuple[int, int]) -> NDArray[np.uint64]:
    """Philox-4x32-10.

    Args:
        counter: (4, n), each below 2**32.
        key: two numbers below 2**32.

    Returns:
        (4, n) uniform over 0..2**32 - 1.
    """
    c0, c1, c2, c3 = counter
    k0, k1 = np.uint64(key[0]), np.uint64(key[1])
    for _ in range(_ROUNDS):
        first, second = _MULTIPLIERS[0] * c0, _MULTIPLIERS[1] * c2
        c0, c1, c2, c3 = (second >> _HALF) ^ c1 ^ k0, second & _LOW, (first >> _HALF) ^ c3 ^ k1, first & _LOW
        k0, k1 = (k0 + _WEYL[0]) & _LOW, (k1 + _WEYL[1]) & _LOW
    return np.stack((c0, c1, c2, c3))


def uniforms(seed: int, stream: int, epoch: int, rows: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Uniform numbers in (0, 1), a function of the arguments alone.

    Args:
        seed: any integer; its lowest 64 bits count.
        stream: what the numbers are for, 0..255.
        epoch: epoch or view number, 0..2**32 - 1.
        rows: (n,) row numbers, not negative.
        count: numbers a row, at most 1,024.

    Returns:
        (n, count) float64.
    """
    rows = np.asarray(rows, np.uint64)
    blocks = -(-count // 4)
    columns = []
    for block in range(blocks):
        counter = np.empty((4, len(rows)), np.uint64)
        counter[0] = rows & _LOW
        counter[1] = rows >> _HALF
        counter[2] = np.uint64(epoch & 0xFFFFFFFF)
        counter[3] = np.uint64((stream << 8) | block)
        columns.append(philox(counter, (seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF)))
    bits = np.concatenate(columns)[:count].T
    return (bits.astype(np.float64) + 0.5) * 2.0**-32
