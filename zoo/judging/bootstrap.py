"""Intervals by resampling whole groups: 95 % percentile bootstrap, seeded.

Rows of one target or complex are not independent, so groups are drawn with replacement, not rows.
With fewer than ten groups such an interval is unreliable. Molecules are then drawn within each target, and
the interval states that it holds for these targets only. If the targets have hardly more than one molecule
each (poses of a few complexes), the few groups are drawn nevertheless, and the interval states this.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Predictions, Scorer, Truth
from affinity_zoo.zoo import scorers
from affinity_zoo.zoo.scorers.units import factorize

REPLICATES = 1000
FEWEST_GROUPS = 10
LEVEL = 0.95
ONE_BYTE = 255


@dataclass(frozen=True, eq=False)
class Resampling:
    """Bootstrap replicates as multiplicities."""

    group: NDArray[np.int64]  #: (N,) number of the resampled group of each row
    counts: NDArray[Any]  #: (B, G) whole numbers, how often each was drawn
    over: str  #: "groups", "molecules within targets", or "groups (only 6: too narrow)"
    seed: int


@dataclass(frozen=True)
class Interval:
    """A 95 % interval and its method."""

    low: float
    high: float
    over: str  #: resampled units
    drawn: int  #: number of units
    replicates: int
    undefined: int  #: replicates without a value, for example with one class only
    seed: int

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def resampling(predictions: Predictions, replicates: int = REPLICATES, seed: int = 0) -> Resampling:
    """Draw the groups of these rows with replacement.

    Args:
        predictions: the rows; the bootstrap resamples ``group``, or the target where it is empty.
        replicates: B.
        seed: the same seed and rows give the same draws, which allows paired comparisons of models.
    """
    rng = np.random.Generator(np.random.Philox(seed))
    named = predictions.group if np.any(predictions.group != "") else predictions.target
    groups = factorize(named)
    if len(groups) >= FEWEST_GROUPS:
        return Resampling(groups.of_row, _draw(rng, len(groups), replicates), "groups", seed)
    target = predictions.target if np.any(predictions.target != "") else named
    molecule = predictions.molecule if np.any(predictions.molecule != "") else predictions.id
    molecules = factorize(target, molecule)
    if len(molecules) < 2 * len(groups):
        over = f"groups (only {len(groups)}: too narrow)"
        return Resampling(groups.of_row, _draw(rng, len(groups), replicates), over, seed)
    owner = np.zeros(len(molecules), np.int64)
    owner[molecules.of_row] = factorize(target).of_row
    counts: NDArray[Any] = np.zeros((replicates, len(molecules)), np.int32)
    for number in range(int(owner.max(initial=-1)) + 1):
        members = np.flatnonzero(owner == number)
        counts[:, members] = _draw(rng, len(members), replicates)
    return Resampling(molecules.of_row, counts, "molecules within targets", seed)


def _draw(rng: np.random.Generator, size: int, replicates: int) -> NDArray[Any]:
    """(B, size) multiplicities of ``size`` draws with replacement, in one byte each where they fit."""
    counts: NDArray[Any] = np.zeros((replicates, size), np.uint8)
    for number in range(replicates):
        drawn = np.bincount(rng.integers(0, size, size), minlength=size)
        if counts.dtype == np.uint8 and drawn.max(initial=0) > ONE_BYTE:
            counts = counts.astype(np.int32)
        counts[number] = drawn
    return counts


def replicate_values(
    scorer: Scorer, predictions: Predictions, truth: Truth, draws: Resampling
) -> NDArray[np.float64]:
    """Return the scorer's value in every replicate, (B,); NaN where undefined.

    Args:
        scorer: Computes the figure from scores and truths.
        predictions: Predictions of N rows.
        truth: Column of true values.
        draws: How often each group is drawn in each replicate.
    """
    fast = getattr(scorer, "resample", None)
    # a scorer of a plugin gets the types of the contract: counts of one byte could overflow there
    own = type(scorer).__module__.startswith(scorers.__name__)
    counts = draws.counts if own else draws.counts.astype(np.int32)
    values = fast(predictions, truth, draws.group, counts) if fast is not None else None
    if values is not None:
        return np.asarray(values, np.float64)
    rows = (counts[draws.group].astype(np.float64) for counts in draws.counts)
    return np.array([scorer.score(predictions, truth, weights).value for weights in rows])


def interval_of(values: NDArray[np.float64], draws: Resampling, level: float = LEVEL) -> Interval:
    """Return the percentile interval of replicate values.

    Args:
        values: (B,) values of the replicates.
        draws: How often each group is drawn in each replicate.
        level: Coverage of the interval.
    """
    known = values[np.isfinite(values)]
    tail = 50.0 * (1.0 - level)
    low, high = np.percentile(known, [tail, 100.0 - tail]) if len(known) else (np.nan, np.nan)
    drawn = draws.counts.shape[1]
    return Interval(
        float(low), float(high), draws.over, drawn, len(values), len(values) - len(known), draws.seed
    )


def interval(
    scorer: Scorer, predictions: Predictions, truth: Truth, draws: Resampling, level: float = LEVEL
) -> Interval:
    """Return the bootstrap interval of a scorer's value.

    Args:
        scorer: Computes the figure from scores and truths.
        predictions: Predictions of N rows.
        truth: Column of true values.
        draws: How often each group is drawn in each replicate.
        level: Coverage of the interval.
    """
    return interval_of(replicate_values(scorer, predictions, truth, draws), draws, level)
