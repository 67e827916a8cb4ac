"""Average precision, the area under the precision-recall curve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from affinity_zoo.plugins.contracts import Place, Scorer
from affinity_zoo.plugins.hookspecs import hookimpl
from affinity_zoo.zoo.scorers.base import PooledRanking

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class AveragePrecision(PooledRanking):
    """Mean over the positives of the precision at the rank of each, all rows pooled.

    Without ties it is scikit-learn's ``average_precision_score``. With ties it is the mean over all orders
    of the tied rows, where scikit-learn takes the precision at the end of each tie. ``chance`` is what a
    random order gets on average: a little above the fraction of positives on few rows.
    """

    name: ClassVar[str] = "average-precision"
    on_boards: ClassVar[tuple[Place, ...]] = (Place("pose_label", 60), Place("active", 70))
    aliases: ClassVar[tuple[str, ...]] = ("auprc", "pr-auc")
    summary: ClassVar[str] = "Area under the precision-recall curve over all rows, pooled over targets."
    reference: ClassVar[str] = "scikit-learn, average_precision_score"
    unit: ClassVar[str] = "fraction"

    def measure(self, positives: NDArray[np.float64], negatives: NDArray[np.float64]) -> NDArray[np.float64]:
        """See :class:`~affinity_zoo.zoo.scorers.base.PooledRanking`."""
        from affinity_zoo.zoo.scorers import ties

        return ties.average_precision(positives, negatives)

    def scan(self) -> tuple[int, float]:
        """See :class:`~affinity_zoo.zoo.scorers.base.PooledRanking`."""
        from affinity_zoo.zoo.scorers import scans

        return scans.AVERAGE_PRECISION, 0.0

    def explain(self, positives: NDArray[np.float64], negatives: NDArray[np.float64]) -> dict[str, Any]:
        """Return the value of a random order."""
        from affinity_zoo.zoo.scorers import ties

        one_block = positives.sum(keepdims=True), negatives.sum(keepdims=True)
        return {"chance": float(ties.average_precision(*one_block))}


@hookimpl
def register_scorers() -> list[type[Scorer]]:
    """Register the scorers of this module."""
    return [AveragePrecision]
