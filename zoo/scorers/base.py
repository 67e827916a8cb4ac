"""Base classes of the built-in scorers: pooled rankings, means over complexes, means over targets.

A scorer may define ``resample``; the bootstrap then computes all replicates at once instead of
calling ``score`` with weights a thousand times. Scorers of plugins may define it too.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from affinity_zoo.plugins.contracts import Predictions, Score, Scorer, Truth

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from affinity_zoo.zoo.scorers.units import Units

ONE_CLASS = "undefined: the rows have one class only"
CHUNK = 1_000_000  #: largest size of temporary arrays while replicates are computed


def resample_blocks(
    measure: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]],
    scan: tuple[int, float] | None,
    score: NDArray[np.float64],
    label: NDArray[np.float64],
    group: NDArray[np.int64],
    counts: NDArray[np.int32],
) -> NDArray[np.float64]:
    """Compute a ranking metric in every bootstrap replicate.

    Args:
        measure: from tie blocks (B, K) of positives and negatives to (B,).
        scan: the equivalent function of :mod:`~affinity_zoo.zoo.scorers.scans`, and its parameter.
        score: (N,).
        label: (N,).
        group: (N,) number of the resampled group, of G, that each row belongs to.
        counts: (B, G) how often each was drawn.

    Returns:
        (B,), NaN where a replicate has one class only.
    """
    import numpy as np

    from affinity_zoo.zoo.scorers import ties

    order, starts = ties.ordered(score)
    positive, group = label[order] > 0.5, group[order]
    if scan is not None:
        from affinity_zoo.zoo.scorers import scans

        if len(order) * len(counts) > scans.LARGE:
            return scans.replicates(*scan, starts, positive, group, counts)
    step = max(1, CHUNK // max(1, len(order)))
    values = [np.zeros(0)]
    for first in range(0, len(counts), step):
        drawn = counts[first : first + step][:, group].astype(np.float64)
        p = np.add.reduceat(drawn * positive, starts, axis=-1)
        n = np.add.reduceat(drawn * ~positive, starts, axis=-1)
        allowed = (p.sum(-1) > 0) & (n.sum(-1) > 0)
        values.append(np.where(allowed, measure(p, n), np.nan))
    return np.concatenate(values)


@dataclass(frozen=True)
class PooledRanking(Scorer):
    """A metric of one ranking over all rows, from the tie blocks of :mod:`~affinity_zoo.zoo.scorers.ties`."""

    truths: ClassVar[tuple[Truth, ...]] = ("pose_label", "active")
    direction: ClassVar[Literal["higher", "lower", "none"]] = "higher"

    @abstractmethod
    def measure(self, positives: NDArray[np.float64], negatives: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the metric as a fraction, from tie blocks (..., K), for each leading index."""

    def scan(self) -> tuple[int, float] | None:
        """Return the equivalent function of :mod:`~affinity_zoo.zoo.scorers.scans`, and its parameter."""
        return None

    def explain(self, positives: NDArray[np.float64], negatives: NDArray[np.float64]) -> dict[str, Any]:
        """Return further details of the result, from tie blocks (K,)."""
        return {}

    @property
    def scale(self) -> float:
        """Factor from the fraction to the unit."""
        return 100.0 if self.unit == "%" else 1.0

    def score(
        self, predictions: Predictions, truth: Truth, weights: NDArray[np.float64] | None = None
    ) -> Score:
        """See :class:`~affinity_zoo.plugins.contracts.Scorer`."""
        from affinity_zoo.zoo.scorers import ties

        p, n = ties.blocks(predictions.score, getattr(predictions, truth), weights)
        counts = {"P": float(p.sum()), "N": float(n.sum())}
        if not counts["P"] or not counts["N"]:
            return Score(float("nan"), counts, ONE_CLASS)
        return Score(self.scale * float(self.measure(p, n)), {**counts, **self.explain(p, n)})

    def resample(
        self, predictions: Predictions, truth: Truth, group: NDArray[np.int64], counts: NDArray[np.int32]
    ) -> NDArray[np.float64] | None:
        """Return the value in every bootstrap replicate.

        Args:
            predictions, truth: as for ``score``.
            group: (N,) number of the resampled group, of G, that each row belongs to.
            counts: (B, G) how often each was drawn.

        Returns:
            (B,), NaN where undefined; None where this scorer has no faster way than ``score``.
        """
        label = getattr(predictions, truth)
        return self.scale * resample_blocks(
            self.measure, self.scan(), predictions.score, label, group, counts
        )


@dataclass(frozen=True)
class MeanOverUnits(Scorer):
    """A metric computed within each complex (or target) and averaged."""

    direction: ClassVar[Literal["higher", "lower", "none"]] = "higher"
    missing: ClassVar[str] = "undefined: no complex has the rows that this metric needs"

    @abstractmethod
    def values(
        self, predictions: Predictions, truth: Truth, where: Units, weights: NDArray[np.float64] | None
    ) -> NDArray[np.float64]:
        """Return the metric in each unit, (U,); a unit with NaN does not enter the mean."""

    def places(self, predictions: Predictions, truth: Truth) -> Units:
        """Return the units: complexes for a pose truth, targets for an activity."""
        from affinity_zoo.zoo.scorers.units import units

        return units(predictions, truth)

    def unit_name(self, truth: Truth) -> str:
        """Return the name of the units, plural."""
        return "complexes" if truth in ("pose_label", "rmsd") else "targets"

    def explain(
        self, predictions: Predictions, truth: Truth, where: Units, values: NDArray[np.float64]
    ) -> dict[str, Any]:
        """Return further details of the result."""
        return {}

    @property
    def scale(self) -> float:
        """Factor from the fraction to the unit."""
        return 100.0 if self.unit == "%" else 1.0

    def score(
        self, predictions: Predictions, truth: Truth, weights: NDArray[np.float64] | None = None
    ) -> Score:
        """See :class:`~affinity_zoo.plugins.contracts.Scorer`."""
        from affinity_zoo.zoo.scorers.units import weighted_mean

        where = self.places(predictions, truth)
        values = self.values(predictions, truth, where, weights)
        mean, used = weighted_mean(values, weights, where)
        details = {"units": used, "left_out": len(where) - used}
        if not used:
            return Score(float("nan"), details, self.missing)
        return Score(self.scale * mean, {**details, **self.explain(predictions, truth, where, values)})

    def resample(
        self, predictions: Predictions, truth: Truth, group: NDArray[np.int64], counts: NDArray[np.int32]
    ) -> NDArray[np.float64] | None:
        """See :meth:`PooledRanking.resample`; None where a unit spans several resampled groups."""
        import numpy as np

        where = self.places(predictions, truth)
        owner = np.zeros(len(where), np.int64)
        owner[where.of_row] = group
        if np.any(owner[where.of_row] != group):
            return self.resample_within(predictions, truth, where, group, counts)
        values = self.values(predictions, truth, where, None)
        known = np.isfinite(values)
        total = np.bincount(owner[known], values[known], counts.shape[1])
        number = np.bincount(owner[known], minlength=counts.shape[1])
        step = max(1, CHUNK // max(1, counts.shape[1]))
        found = [np.zeros(0)]
        with np.errstate(invalid="ignore", divide="ignore"):
            for first in range(0, len(counts), step):
                drawn = counts[first : first + step].astype(np.float64)
                found.append(self.scale * (drawn @ total) / (drawn @ number))
        return np.concatenate(found)

    def resample_within(
        self,
        predictions: Predictions,
        truth: Truth,
        where: Units,
        group: NDArray[np.int64],
        counts: NDArray[np.int32],
    ) -> NDArray[np.float64] | None:
        """Return the value in every replicate if a unit spans several resampled groups; None: no fast way."""
        return None


@dataclass(frozen=True)
class PerTargetRanking(MeanOverUnits):
    """A metric of the ranking within each target, mean over targets, as in a screen of one target."""

    truths: ClassVar[tuple[Truth, ...]] = ("active", "pose_label")
    missing: ClassVar[str] = ONE_CLASS

    @abstractmethod
    def measure(self, positives: NDArray[np.float64], negatives: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the metric as a fraction, from tie blocks (..., K), for each leading index; NaN: refused."""

    def scan(self) -> tuple[int, float] | None:
        """See :meth:`PooledRanking.scan`."""
        return None

    def places(self, predictions: Predictions, truth: Truth) -> Units:
        """Return the targets for any truth."""
        from affinity_zoo.zoo.scorers.units import units

        return units(predictions, "active")

    def unit_name(self, truth: Truth) -> str:
        """See :class:`MeanOverUnits`."""
        return "targets"

    def values(
        self, predictions: Predictions, truth: Truth, where: Units, weights: NDArray[np.float64] | None
    ) -> NDArray[np.float64]:
        """See :class:`MeanOverUnits`."""
        import numpy as np

        from affinity_zoo.zoo.scorers import ties

        label = getattr(predictions, truth)
        found = np.full(len(where), np.nan)
        for unit, rows in enumerate(where.rows()):
            drawn = None if weights is None else weights[rows]
            p, n = ties.blocks(predictions.score[rows], label[rows], drawn)
            if p.sum() and n.sum():
                found[unit] = self.measure(p, n)
        return found

    def resample_within(
        self,
        predictions: Predictions,
        truth: Truth,
        where: Units,
        group: NDArray[np.int64],
        counts: NDArray[np.int32],
    ) -> NDArray[np.float64]:
        """Return the mean over targets of the replicates of each target."""
        import numpy as np

        label = getattr(predictions, truth)
        total, number = np.zeros(len(counts)), np.zeros(len(counts))
        for rows in where.rows():
            drawn = (predictions.score[rows], label[rows], group[rows], counts)
            values = resample_blocks(self.measure, self.scan(), *drawn)
            weight = counts[:, group[rows]].mean(axis=1) * np.isfinite(values)
            total += weight * np.nan_to_num(values)
            number += weight
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.scale * total / number

    def explain(
        self, predictions: Predictions, truth: Truth, where: Units, values: NDArray[np.float64]
    ) -> dict[str, Any]:
        """Return the metric of each target, if there are few."""
        if len(where) > 50:
            return {}
        return {
            "per_target": {name: self.scale * value for name, value in zip(where.names, values, strict=True)}
        }
