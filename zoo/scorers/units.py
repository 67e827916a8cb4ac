"""Metrics computed within each complex or target and averaged.

A *unit* is the set of rows of one value: the poses of one molecule in one target for a pose truth,
all molecules of one target for an activity.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Predictions, Truth

Array: TypeAlias = NDArray[Any]

AT_ONCE = 65_536  #: rows whose texts are held as Python objects


@dataclass(frozen=True, eq=False)
class Units:
    """Assignment of rows to units."""

    of_row: NDArray[np.int64]  #: (N,) number of the unit
    names: list[str]  #: (U,)

    def __len__(self) -> int:
        return len(self.names)

    def rows(self) -> list[NDArray[np.int64]]:
        """Return the rows of each unit: U arrays."""
        order = np.argsort(self.of_row, kind="stable")
        return np.split(order, np.cumsum(np.bincount(self.of_row, minlength=len(self)))[:-1])

    def means(self, values: Array) -> Array:
        """Mean of ``values`` (N,) over the rows of each unit: (U,).

        Args:
            values: (N,) values of the rows.
        """
        return np.bincount(self.of_row, values, len(self)) / np.maximum(
            np.bincount(self.of_row, minlength=len(self)), 1
        )


def factorize(*columns: Array) -> Units:
    """Number the distinct combinations of text columns in order of first appearance.

    Args:
        columns: (N,) columns of text.
    """
    numbers: dict[Any, int] = {}
    of_row = np.empty(len(columns[0]), np.int64)
    for first in range(0, len(of_row), AT_ONCE):  # a million rows are not all Python texts at once
        part = slice(first, first + AT_ONCE)
        keys = zip(*(column[part].tolist() for column in columns), strict=True)
        of_row[part] = [numbers.setdefault(key, len(numbers)) for key in keys]
    return Units(of_row, ["/".join(p for p in dict.fromkeys(key) if p) for key in numbers])


@lru_cache(maxsize=4)
def units(predictions: Predictions, truth: Truth) -> Units:
    """The units of a truth: molecule in target for ``pose_label`` and ``rmsd``, else the target.

    Without a target the group is used instead.

    Args:
        predictions: Predictions of N rows.
        truth: Column of true values.
    """
    target = predictions.target if np.any(predictions.target != "") else predictions.group
    if truth in ("pose_label", "rmsd"):
        return factorize(target, predictions.molecule)
    return factorize(target)


@dataclass(frozen=True, eq=False)
class UnitBlocks:
    """Blocks of equal scores within units, best first in each unit: K blocks in total."""

    unit: NDArray[np.int64]  #: (K,) ascending
    positives: Array  #: (K,) weight
    negatives: Array  #: (K,) weight
    first: NDArray[np.int64]  #: (U,) each unit's first block
    count: int  #: number of units

    def before(self, values: Array) -> Array:
        """Sum of ``values`` (K,) over the better blocks of the same unit: (K,).

        Args:
            values: (K,) values of the blocks.
        """
        total = np.cumsum(values) - values
        return total - total[self.first][self.unit]

    def sums(self, values: Array) -> Array:
        """Sum of ``values`` (K,) over each unit: (U,).

        Args:
            values: (K,) values of the blocks.
        """
        return np.bincount(self.unit, values, self.count)


def unit_blocks(score: Array, label: Array, where: Units, weights: Array | None = None) -> UnitBlocks:
    """Tie blocks within each unit; see :func:`affinity_zoo.zoo.scorers.ties.blocks`.

    Args:
        score: (N,) scores, larger is better.
        label: (N,) 1 positive, 0 negative.
        where: Units of the rows.
        weights: (N,) multiplicities of the rows; None: once each.
    """
    order = np.lexsort((-score, where.of_row))
    unit, ranked = where.of_row[order], score[order]
    new = (
        np.r_[True, (unit[1:] != unit[:-1]) | (ranked[1:] != ranked[:-1])]
        if len(order)
        else np.zeros(0, bool)
    )
    starts = np.flatnonzero(new)
    counted = np.ones(len(order)) if weights is None else np.asarray(weights, np.float64)[order]
    positive = label[order] > 0.5
    sums = [
        np.add.reduceat(counted * part, starts) if len(order) else counted for part in (positive, ~positive)
    ]
    unit = unit[starts]
    first = np.searchsorted(unit, np.arange(len(where)))
    return UnitBlocks(unit, sums[0], sums[1], np.minimum(first, max(len(unit) - 1, 0)), len(where))


def unit_auc(score: Array, label: Array, where: Units, weights: Array | None = None) -> Array:
    """Area under the ROC curve in each unit, ties one half; NaN in a unit of one class: (U,).

    Args:
        score: (N,) scores, larger is better.
        label: (N,) 1 positive, 0 negative.
        where: Units of the rows.
        weights: (N,) multiplicities of the rows; None: once each.
    """
    b = unit_blocks(score, label, where, weights)
    p, n = b.sums(b.positives), b.sums(b.negatives)
    below = n[b.unit] - b.before(b.negatives) - b.negatives
    good = b.sums(b.positives * (below + 0.5 * b.negatives))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(p * n > 0, good / (p * n), np.nan)


def unit_top(score: Array, label: Array, where: Units, k: int) -> Array:
    """Probability that a positive is among the first ``k`` of each unit, ties in random order: (U,).

    In a block cut by rank k, r of its n rows (p positive) are drawn: 1 - C(n - p, r) / C(n, r).

    Args:
        score: (N,) scores, larger is better.
        label: (N,) 1 positive, 0 negative.
        where: Units of the rows.
        k: Number of first rows of each unit.
    """
    from scipy.special import gammaln

    b = unit_blocks(score, label, where)
    size = b.positives + b.negatives
    drawn = np.clip(k - b.before(size), 0, size)
    room = size - b.positives - drawn  # negatives that remain if no drawn row is positive
    possible = room >= 0
    room = np.maximum(room, 0)
    log_miss = gammaln(b.negatives + 1) - gammaln(room + 1) - gammaln(size + 1) + gammaln(size - drawn + 1)
    miss = np.where(drawn == 0, 1.0, np.where(possible, np.exp(log_miss), 0.0))
    with np.errstate(divide="ignore"):
        missed = np.exp(b.sums(np.log(np.minimum(miss, 1.0))))
    return np.maximum(1.0 - missed, 0.0)


def weighted_mean(values: Array, weights: Array | None, where: Units) -> tuple[float, int]:
    """Mean over the units with a value, and how many those are.

    Args:
        values: (U,), NaN where undefined.
        weights: (N,) of rows; a unit counts as often as its rows do on average.
        where: the units.
    """
    counted = np.ones(len(where)) if weights is None else where.means(np.asarray(weights, np.float64))
    known = np.isfinite(values) & (counted > 0)
    if not known.any():
        return float("nan"), 0
    return float(np.average(values[known], weights=counted[known])), int(known.sum())
