"""What the built-in scorers share: one class for pooled rankings, one for means over complexes.

A scorer may offer ``resample``; the bootstrap then asks for all replicates at once instead of
calling ``score`` with weights a thousand times. It is part of the public contract: any plugin's
scorer may have it.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from affinity_zoo.plugins.contracts import Predictions, Score, Scorer, Truth

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from affinity_zoo.zoo.scorers.units import Units

ONE_CLASS = "undefined: the rows have one class only"
CHUNK = 4_000_000  #: numbers held at once while replicates are computed


@dataclass(frozen=True)
class PooledRanking(Scorer):
    """A figure of one ranking over all rows, from the tie blocks of :mod:`~affinity_zoo.zoo.scorers.ties`."""

    truths: ClassVar[tuple[Truth, ...]] = ("pose_label", "active")
    direction: ClassVar[Literal["higher", "lower", "none"]] = "higher"

    @abstractmethod
    def measure(self, positives: NDArray[np.float64], negatives: NDArray[np.float64]) -> NDArray[np.float64]:
        """The figure from tie blocks (..., K), for each leading index."""

    def explain(self, positives: NDArray[np.float64], negatives: NDArray[np.float64]) -> dict[str, Any]:
        """Further details for the result, from tie blocks (K,)."""
        return {}

    def refuse(self, positives: float, negatives: float) -> str:
        """Why no figure can be given for so many positives and negatives; empty: it can."""
        return "" if positives and negatives else ONE_CLASS

    def score(
        self, predictions: Predictions, truth: Truth, weights: NDArray[np.float64] | None = None
    ) -> Score:
        """See :class:`~affinity_zoo.plugins.contracts.Scorer`."""
        from affinity_zoo.zoo.scorers import ties

        p, n = ties.blocks(predictions.score, getattr(predictions, truth), weights)
        counts = {"P": float(p.sum()), "N": float(n.sum())}
        note = self.refuse(counts["P"], counts["N"])
        if note:
            return Score(float("nan"), counts, note)
        return Score(float(self.measure(p, n)), {**counts, **self.explain(p, n)})

    def resample(
        self, predictions: Predictions, truth: Truth, group: NDArray[np.int64], counts: NDArray[np.int32]
    ) -> NDArray[np.float64] | None:
        """The value in every bootstrap replicate.

        Args:
            predictions, truth: as for ``score``.
            group: (N,) which of the G resampled things each row belongs to.
            counts: (B, G) how often each was drawn.

        Returns:
            (B,), NaN where undefined; None where this scorer cannot do it faster than ``score``.
        """
        import numpy as np

        from affinity_zoo.zoo.scorers import ties

        order, starts = ties.ordered(predictions.score)
        positive = getattr(predictions, truth)[order] > 0.5
        group = group[order]
        step = max(1, CHUNK // max(1, len(order)))
        values = [np.zeros(0)]
        for first in range(0, len(counts), step):
            drawn = counts[first : first + step][:, group].astype(np.float64)
            p = np.add.reduceat(drawn * positive, starts, axis=-1)
            n = np.add.reduceat(drawn * ~positive, starts, axis=-1)
            allowed = (p.sum(-1) > 0) & (n.sum(-1) > 0)
            values.append(np.where(allowed, self.measure(p, n), np.nan))
        return np.concatenate(values)


@dataclass(frozen=True)
class MeanOverUnits(Scorer):
    """A figure taken within each complex (or target) and averaged over all of them."""

    direction: ClassVar[Literal["higher", "lower", "none"]] = "higher"
    scale: ClassVar[float] = 1.0  #: 100 for percent

    @abstractmethod
    def values(
        self, predictions: Predictions, truth: Truth, where: Units, weights: NDArray[np.float64] | None
    ) -> NDArray[np.float64]:
        """The figure in each unit, (U,); NaN leaves the unit out of the mean."""

    def explain(
        self, predictions: Predictions, truth: Truth, where: Units, values: NDArray[np.float64]
    ) -> dict[str, Any]:
        """Further details for the result."""
        return {}

    def score(
        self, predictions: Predictions, truth: Truth, weights: NDArray[np.float64] | None = None
    ) -> Score:
        """See :class:`~affinity_zoo.plugins.contracts.Scorer`."""
        from affinity_zoo.zoo.scorers.units import units, weighted_mean

        where = units(predictions, truth)
        values = self.values(predictions, truth, where, weights)
        mean, used = weighted_mean(values, weights, where)
        details = {"units": used, "left_out": len(where) - used}
        if not used:
            return Score(float("nan"), details, "undefined: no complex has what this figure needs")
        return Score(self.scale * mean, {**details, **self.explain(predictions, truth, where, values)})

    def resample(
        self, predictions: Predictions, truth: Truth, group: NDArray[np.int64], counts: NDArray[np.int32]
    ) -> NDArray[np.float64] | None:
        """See :meth:`PooledRanking.resample`; None where a unit is cut by the resampled groups."""
        import numpy as np

        from affinity_zoo.zoo.scorers.units import units

        where = units(predictions, truth)
        owner = np.zeros(len(where), np.int64)
        owner[where.of_row] = group
        if np.any(owner[where.of_row] != group):
            return None
        values = self.values(predictions, truth, where, None)
        known = np.isfinite(values)
        total = np.bincount(owner[known], values[known], counts.shape[1])
        number = np.bincount(owner[known], minlength=counts.shape[1])
        drawn = counts.astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.scale * (drawn @ total) / (drawn @ number)
