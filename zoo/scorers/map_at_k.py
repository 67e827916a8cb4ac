"""Mean average precision at K, the metric of the ancestor's Kaggle competition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from affinity_zoo.plugins.contracts import Place, Predictions, Scorer, Truth
from affinity_zoo.plugins.hookspecs import hookimpl
from affinity_zoo.zoo.scorers.base import PerTargetRanking

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from affinity_zoo.zoo.scorers.units import Units


@dataclass(frozen=True)
class MapAtK(PerTargetRanking):
    """Mean over receptors of the average precision of the first K rows.

    For each receptor: the sum, over the positives among the first K rows, of the precision down to each,
    divided by the smaller of K and the number of positives. Ties count by expectation. Receptors
    with one class only are left out.

    Args:
        k: number of first rows of each receptor.
    """

    k: int = 10

    name: ClassVar[str] = "map-at-k"
    on_boards: ClassVar[tuple[Place, ...]] = (Place("pose_label", 90),)
    aliases: ClassVar[tuple[str, ...]] = ("map",)
    summary: ClassVar[str] = (
        "Mean over receptors of the average precision of the first K rows (the Kaggle score)."
    )
    reference: ClassVar[str] = "Kaggle, mean average precision at K"
    truths: ClassVar[tuple[Truth, ...]] = ("pose_label", "active")
    unit: ClassVar[str] = "fraction"

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ValueError(f"k must be at least 1, not {self.k}")

    def measure(self, positives: NDArray[np.float64], negatives: NDArray[np.float64]) -> NDArray[np.float64]:
        """See :class:`~affinity_zoo.zoo.scorers.base.PerTargetRanking`."""
        from affinity_zoo.zoo.scorers import ties

        return ties.average_precision(positives, negatives, float(self.k))

    def explain(
        self, predictions: Predictions, truth: Truth, where: Units, values: NDArray[np.float64]
    ) -> dict[str, Any]:
        """Return the value of a random order."""
        import numpy as np

        from affinity_zoo.zoo.scorers.rescored import with_score

        chance = self.values(with_score(predictions, np.zeros(len(predictions))), truth, where, None)
        return {"chance": float(np.nanmean(chance))}


@hookimpl
def register_scorers() -> list[type[Scorer]]:
    """Register the scorers of this module."""
    return [MapAtK]
