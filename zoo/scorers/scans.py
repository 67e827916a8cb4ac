"""Compiled bootstrap replicates of ranking metrics over large tables.

A million rows times a thousand replicates are 10^9 weights: too many for arrays, one or two seconds
in a compiled loop. Small tables do not use this module, so they never wait for the compiler.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

AUC, R_PRECISION, AVERAGE_PRECISION, ENRICHMENT, BEDROC = range(
    5
)  #: metrics that :func:`replicates` computes
AT_ONCE = 1_000_000  #: largest number of float64 counts per job
LARGE = 30_000_000  #: smallest number of rows times replicates that justifies compilation


def replicates(
    what: int, parameter: float, starts: Array, positive: Array, group: Array, counts: Array
) -> Array:
    """Compute a ranking metric in every replicate.

    Args:
        what: one of the constants of this module.
        parameter: percent for enrichment, alpha for bedroc, else unused.
        starts: (K,) first row of each block of equal scores.
        positive: (N,) labels, best row first.
        group: (N,) number of the resampled group of each row.
        counts: (B, G) how often each was drawn.

    Returns:
        (B,), NaN in a replicate of one class.
    """
    ends = np.append(starts[1:], len(positive)).astype(np.int64)
    numbers = group.astype(np.int32)
    label = positive.astype(np.uint8)
    out = np.empty(len(counts))
    workers = max(1, min(len(counts), os.cpu_count() or 1))
    # counts are float64 only while a job runs: for 10^5 groups all of them would take 800 MB
    parts = min(len(counts), max(workers, counts.size // AT_ONCE))
    edges = np.linspace(0, len(counts), parts + 1).astype(int)

    def walk(a: int, b: int) -> None:
        _walk(what, parameter, ends, label, numbers, counts[a:b].astype(np.float64), out[a:b])

    with ThreadPoolExecutor(workers) as pool:
        for job in [pool.submit(walk, a, b) for a, b in pairwise(edges)]:
            job.result()
    return out


@njit(nogil=True)
def _walk(what, parameter, ends, label, group, counts, out):  # type: ignore[no-untyped-def]
    """One pass over the blocks per replicate; see :mod:`~affinity_zoo.zoo.scorers.ties` for the formulas."""
    groups = counts.shape[1]
    class_sizes = np.zeros((2, groups))
    for i in range(len(label)):
        class_sizes[label[i], group[i]] += 1.0
    for b in range(len(out)):
        drawn = counts[b]
        negatives, positives = np.dot(drawn, class_sizes[0]), np.dot(drawn, class_sizes[1])
        rows = negatives + positives
        if positives == 0.0 or negatives == 0.0:
            out[b] = np.nan
            continue
        size = positives if what == 1 else np.ceil(rows * parameter / 100.0 - 1e-9)
        step = parameter / rows
        value, better, better_positives, i = 0.0, 0.0, 0.0, 0
        for end in ends:
            p, n = 0.0, 0.0
            while i < end:
                if label[i]:
                    p += drawn[group[i]]
                else:
                    n += drawn[group[i]]
                i += 1
            block = p + n
            if p > 0.0:
                if what == 0:
                    value += p * (negatives - (better - better_positives) - 0.5 * n)
                elif what in (1, 3):
                    value += p * min(block, size - better) / block
                elif what == 2:
                    slope = (p - 1.0) / (block - 1.0) if block > 1.0 else 0.0
                    inner = 0.0
                    for j in range(1, int(block) + 1):
                        inner += (better_positives + 1.0 + (j - 1.0) * slope) / (better + j)
                    value += p / block * inner
                else:
                    value += p / block * np.exp(-step * (better + 1.0)) * np.expm1(-step * block)
            better += block
            better_positives += p
            if what in (1, 3) and better >= size:
                break
        if what == 0:
            out[b] = value / (positives * negatives)
        elif what in (1, 2):
            out[b] = value / positives
        elif what == 3:
            out[b] = value / size * rows / positives
        else:
            fraction = positives / rows
            rie = value / np.expm1(-step) * rows * np.expm1(step) / (positives * -np.expm1(-parameter))
            best = -np.expm1(-parameter * fraction) / (fraction * -np.expm1(-parameter))
            worst = np.expm1(parameter * fraction) / (fraction * np.expm1(parameter))
            out[b] = (rie - worst) / (best - worst)
