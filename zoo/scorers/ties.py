"""Rankings as tie blocks: every metric is the expectation over all orders of equal scores.

Rows with equal scores form one block. All ranking metrics depend only on the weight of positives and
of negatives in each block, best block first: two arrays ``(..., K)``, whose leading axes are bootstrap
replicates.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]


def ordered(score: Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the row numbers, best first, and the start of each block of equal scores in that order.

    Args:
        score: (N,) scores, larger is better.
    """
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]]) if len(ranked) else np.zeros(0, np.int64)
    return order, starts


def blocks(score: Array, label: Array, weights: Array | None = None) -> tuple[Array, Array]:
    """Weight of positives and of negatives in each block of equal scores, best first.

    Args:
        score: (N,), larger is better, no NaN.
        label: (N,), 1 positive, 0 negative.
        weights: (..., N) how often each row counts; None: once.

    Returns:
        Two float64 arrays (..., K).
    """
    order, starts = ordered(score)
    positive = label[order] > 0.5
    counted = np.ones(len(order)) if weights is None else np.asarray(weights, np.float64)[..., order]
    if not len(order):
        return counted, counted
    positives = np.add.reduceat(counted * positive, starts, axis=-1)
    return positives, np.add.reduceat(counted * ~positive, starts, axis=-1)


def auc(positives: Array, negatives: Array) -> Array:
    """Area under the ROC curve: the chance that a positive ranks above a negative, ties one half.

    Args:
        positives: (..., K) weight of positives in each block, best block first.
        negatives: (..., K) weight of negatives in each block.
    """
    p, n = positives.sum(-1), negatives.sum(-1)
    below = n[..., None] - np.cumsum(negatives, -1)
    return _ratio((positives * (below + 0.5 * negatives)).sum(-1), p * n)


def hits(positives: Array, negatives: Array, size: Array) -> Array:
    """Expected weight of positives among the first ``size`` (weight of) rows.

    Args:
        positives: (..., K) weight of positives in each block, best block first.
        negatives: (..., K) weight of negatives in each block.
        size: (...) number (weight) of first rows.
    """
    block = positives + negatives
    end = np.cumsum(block, -1)
    inside = np.clip(np.asarray(size, np.float64)[..., None] - (end - block), 0.0, block)
    return (positives * _ratio(inside, block, empty=0.0)).sum(-1)


def r_precision(positives: Array, negatives: Array) -> Array:
    """Expected fraction of positives among the first P rows, P the number of positives.

    Args:
        positives: (..., K) weight of positives in each block, best block first.
        negatives: (..., K) weight of negatives in each block.
    """
    p = positives.sum(-1)
    return _ratio(hits(positives, negatives, p), p)


def average_precision(positives: Array, negatives: Array, depth: float = np.inf) -> Array:
    """Expected sum of the precision at the rank of each positive, over the number of positives.

    With ``depth``, only the first so many ranks count, and the number of positives is at most that.
    Within a block of n rows with p positives, after R rows with T positives, rank R + j holds a
    positive with probability p / n, and then T + 1 + (j - 1) (p - 1) / (n - 1) positives are
    expected down to it. The sum over j is closed by harmonic numbers.

    Args:
        positives: (..., K) weight of positives in each block, best block first.
        negatives: (..., K) weight of negatives in each block.
        depth: Largest rank that counts.
    """
    from scipy.special import digamma

    block = positives + negatives
    before = np.cumsum(block, -1) - block
    earlier = np.cumsum(positives, -1) - positives
    seen = np.clip(depth - before, 0.0, block)
    slope = np.where(block > 1.0, _ratio(positives - 1.0, block - 1.0, empty=0.0), 0.0)
    harmonic = digamma(before + seen + 1.0) - digamma(before + 1.0)
    summed = slope * seen + (earlier + 1.0 - slope * (before + 1.0)) * harmonic
    total = np.minimum(positives.sum(-1), depth)
    return _ratio((_ratio(positives, block, empty=0.0) * summed).sum(-1), total)


def selected(rows: Array, percent: float) -> Array:
    """Number of rows in the first ``percent`` of ``rows``, rounded up as RDKit does.

    Args:
        rows: (...) numbers of rows.
        percent: Size of the selection, percent of the rows.
    """
    return np.ceil(np.asarray(rows, np.float64) * percent / 100.0 - 1e-9)


def enrichment(positives: Array, negatives: Array, percent: float) -> Array:
    """Expected fraction of positives in the first ``percent`` of the rows over that in all rows.

    Args:
        positives: (..., K) weight of positives in each block, best block first.
        negatives: (..., K) weight of negatives in each block.
        percent: Size of the selection, percent of the rows.
    """
    rows = positives.sum(-1) + negatives.sum(-1)
    size = selected(rows, percent)
    return _ratio(_ratio(hits(positives, negatives, size), size) * rows, positives.sum(-1))


def bedroc(positives: Array, negatives: Array, alpha: float) -> Array:
    """Boltzmann-enhanced discrimination (Truchon and Bayly 2007), expected over orders of equal scores.

    A positive at rank r counts exp(-alpha r / N); the sum over a block's ranks is a geometric series.

    Args:
        positives: (..., K) weight of positives in each block, best block first.
        negatives: (..., K) weight of negatives in each block.
        alpha: Weight of early ranks.
    """
    block = positives + negatives
    rows = block.sum(-1)
    before = np.cumsum(block, -1) - block
    step = alpha / np.where(rows > 0, rows, 1.0)
    series = np.exp(-step[..., None] * (before + 1.0)) * np.expm1(-step[..., None] * block)
    found = (_ratio(positives, block, empty=0.0) * series).sum(-1) / np.expm1(-step)
    total = positives.sum(-1)
    fraction = _ratio(total, rows)
    rie = _ratio(found * rows * np.expm1(step), total * -np.expm1(-alpha))
    with np.errstate(invalid="ignore", divide="ignore"):
        best = -np.expm1(-alpha * fraction) / (fraction * -np.expm1(-alpha))
        worst = np.expm1(alpha * fraction) / (fraction * np.expm1(alpha))
        return np.where(best > worst, (rie - worst) / (best - worst), np.nan)


def _ratio(above: Array, below: Array, empty: float = np.nan) -> Array:
    """Return ``above / below``, or ``empty`` where below is zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below != 0.0, above / np.where(below != 0.0, below, 1.0), empty)
