"""Agreement of two columns of numbers in bootstrap replicates, for the affinity scorers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

AT_ONCE = 1_000_000  #: counts that are held as float64 at once
MOST_PAIRS = 12_000  #: largest number of rows for which Kendall's replicates use all pairs at once


def repeat(x: Array, y: Array, weights: Array | None) -> tuple[Array, Array]:
    """Repeat each row of two columns by its integer weight.

    Args:
        x: (N,) first column.
        y: (N,) second column.
        weights: (N,) integer weights; None: 1 each.
    """
    if weights is None:
        return x, y
    times = np.rint(weights).astype(np.int64)
    return np.repeat(x, times), np.repeat(y, times)


def varies(x: Array, y: Array) -> bool:
    """Return whether a correlation is defined: three rows or more and no constant column.

    Args:
        x: (N,) first column.
        y: (N,) second column.
    """
    return len(x) > 2 and bool(np.any(x != x[0])) and bool(np.any(y != y[0]))


def spearman_within(x: Array, y: Array, unit: Array, count: int) -> Array:
    """Spearman's correlation within each unit, all at once: (U,).

    0 where ``x`` is constant; NaN where ``y`` is, and in units of fewer than three rows.

    Args:
        x, y: (N,) columns.
        unit: (N,) number of each row's unit.
        count: U.
    """
    size = np.bincount(unit, minlength=count)
    ranks = []
    for column in (x, y):
        rank = _middle_ranks(column, unit, size)
        ranks.append(rank - (np.bincount(unit, rank, count) / np.maximum(size, 1))[unit])
    sxx, syy, sxy = (np.bincount(unit, a * b, count) for a, b in ((ranks[0],) * 2, (ranks[1],) * 2, ranks))
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.where(sxx > 0, sxy / np.sqrt(sxx * syy), 0.0)
    return np.where((size > 2) & (syy > 0), found, np.nan)


def _middle_ranks(values: Array, unit: Array, size: Array) -> Array:
    """The rank of each value in its unit, from 0; equal values share the middle of their ranks: (N,)."""
    order = np.lexsort((values, unit))
    where, column = unit[order], values[order]
    starts = np.flatnonzero(
        np.r_[True, (where[1:] != where[:-1]) | (column[1:] != column[:-1])][: len(order)]
    )
    length = np.diff(np.append(starts, len(order)))
    del column
    middle = starts + (length - 1) / 2 - (np.cumsum(size) - size)[where[starts]]
    del where
    rank = np.empty(len(order))
    rank[order] = np.repeat(middle, length)
    return rank


def group_sums(columns: Iterable[Array], group: Array, counts: Array) -> Iterator[Array]:
    """Sums of columns over the drawn rows: (B,) for each column.

    Args:
        columns: (N,) each.
        group: (N,) number of the resampled group of each row.
        counts: (B, G) multiplicity of each group in each replicate.
    """
    by_group = np.stack([np.bincount(group, column, counts.shape[1]) for column in columns])
    step = max(1, AT_ONCE // max(1, counts.shape[1]))
    parts = [counts[i : i + step].astype(np.float64) @ by_group.T for i in range(0, len(counts), step)]
    yield from np.concatenate([np.zeros((0, len(by_group))), *parts]).T


def pearson_replicates(x: Array, y: Array, group: Array, counts: Array) -> Array:
    """Pearson's correlation in every replicate, from sums over groups: (B,).

    Args:
        x: (N,) first column.
        y: (N,) second column.
        group: (N,) number of the resampled group of each row.
        counts: (B, G) multiplicity of each group in each replicate.
    """
    x, y = x - x.mean(), y - y.mean()
    columns = (np.ones(len(x)), x, y, x * x, y * y, x * y)
    n, sx, sy, sxx, syy, sxy = group_sums(columns, group, counts)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = (sxx - sx * sx / n) * (syy - sy * sy / n)
        found = (sxy - sx * sy / n) / np.sqrt(spread)
    return np.where((n > 2) & (spread > 1e-12 * n * n * x.var() * y.var()), found, np.nan)


def mean_replicates(values: Array, group: Array, counts: Array) -> Array:
    """The mean of ``values`` (N,) in every replicate: (B,).

    Args:
        values: (N,) values of the rows.
        group: (N,) number of the resampled group of each row.
        counts: (B, G) multiplicity of each group in each replicate.
    """
    total, size = group_sums((values, np.ones(len(values))), group, counts)
    with np.errstate(invalid="ignore", divide="ignore"):
        return total / size


def spearman_replicates(x: Array, y: Array, group: Array, counts: Array) -> Array:
    """Spearman's correlation in every replicate: Pearson's of the mid-ranks among the drawn rows: (B,).

    Args:
        x: (N,) first column.
        y: (N,) second column.
        group: (N,) number of the resampled group of each row.
        counts: (B, G) multiplicity of each group in each replicate.
    """
    found = np.full(len(counts), np.nan)
    plans = [_blocks(column) for column in (x, y)]
    for b, drawn in enumerate(counts):
        weight = drawn[group].astype(np.float64)
        total = weight.sum()
        ranks = []
        for order, starts, block_of in plans:
            size = np.add.reduceat(weight[order], starts)
            middle = np.cumsum(size) - size / 2.0 - total / 2.0
            rank = np.empty(len(order))
            rank[order] = middle[block_of]
            ranks.append(rank)
        rx, ry = ranks
        spread = (weight @ (rx * rx)) * (weight @ (ry * ry))
        if spread > 0.0:
            found[b] = (weight @ (rx * ry)) / np.sqrt(spread)
    return found


def _blocks(column: Array) -> tuple[Array, Array, Array]:
    order = np.argsort(column, kind="stable")
    new = np.r_[True, column[order][1:] != column[order][:-1]]
    return order, np.flatnonzero(new), np.cumsum(new) - 1


def kendall_replicates(x: Array, y: Array, group: Array, counts: Array) -> Array:
    """Kendall's tau-b in every replicate, from concordance between groups: (B,).

    The three sums of tau-b over pairs of rows are quadratic in how often each group is drawn, so the
    pairs are counted once, group by group: O(N^2) once, then O(G^2) a replicate.

    Args:
        x: (N,) first column.
        y: (N,) second column.
        group: (N,) number of the resampled group of each row.
        counts: (B, G) multiplicity of each group in each replicate.
    """
    groups = counts.shape[1]
    sums = np.zeros((3, groups, groups))
    order = np.argsort(group, kind="stable")
    x, y, group = x[order], y[order], group[order]
    present, starts = np.unique(group, return_index=True)
    for first in range(0, len(x), 256):
        part = slice(first, first + 256)
        sign_x = np.sign(x[part, None] - x[None, :]).astype(np.float32)
        sign_y = np.sign(y[part, None] - y[None, :]).astype(np.float32)
        for k, values in enumerate((sign_x * sign_y, np.abs(sign_x), np.abs(sign_y))):
            by_group = np.add.reduceat(values, starts, axis=1, dtype=np.float64)
            rows = np.zeros((len(by_group), groups))
            rows[:, present] = by_group
            np.add.at(sums[k], group[part], rows)
    drawn = counts.astype(np.float64)
    agree, in_x, in_y = (np.einsum("bg,bg->b", drawn @ matrix, drawn) for matrix in sums)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(in_x * in_y > 0, agree / np.sqrt(in_x * in_y), np.nan)
