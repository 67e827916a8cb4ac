"""Early recognition in screening: enrichment factor and BEDROC, within each target."""

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

FEWEST_SELECTED = 10  #: smallest number of selected rows for which the factor is computed


@dataclass(frozen=True)
class Enrichment(PerTargetRanking):
    """Enrichment factor: concentration of positives in the first percent of a target's rows; mean over targets.

    Refused for a target whose selection would hold fewer than 10 rows. ``highest`` is the highest possible
    value: the selection full of positives, or all positives found.

    Args:
        percent: size of the selection, percent of the rows, rounded up.
    """

    percent: float = 1.0

    name: ClassVar[str] = "enrichment"
    on_boards: ClassVar[tuple[Place, ...]] = (
        Place("active", 30),
        Place("active", 40, {"percent": 5.0}),
        Place("active", 100, {"percent": 0.5}),
    )
    aliases: ClassVar[tuple[str, ...]] = ("ef",)
    summary: ClassVar[str] = (
        "Enrichment factor in the first percent of each target's rows, mean over targets."
    )
    reference: ClassVar[str] = "RDKit, rdkit.ML.Scoring.Scoring.CalcEnrichment"
    unit: ClassVar[str] = "x"
    missing: ClassVar[str] = "refused: fewer than 10 rows in the selection of every target, or one class only"

    def __post_init__(self) -> None:
        if not 0.0 < self.percent <= 100.0:
            raise ValueError(f"percent must be above 0 and at most 100, not {self.percent:g}")

    def measure(self, positives: NDArray[np.float64], negatives: NDArray[np.float64]) -> NDArray[np.float64]:
        """See :class:`~affinity_zoo.zoo.scorers.base.PerTargetRanking`."""
        import numpy as np

        from affinity_zoo.zoo.scorers import ties

        rows = positives.sum(-1) + negatives.sum(-1)
        enough = rows * self.percent / 100.0 >= FEWEST_SELECTED
        return np.where(enough, ties.enrichment(positives, negatives, self.percent), np.nan)

    def explain(
        self, predictions: Predictions, truth: Truth, where: Units, values: NDArray[np.float64]
    ) -> dict[str, Any]:
        """The highest possible value and the size of the selection, means over the targets that count."""
        import numpy as np

        from affinity_zoo.zoo.scorers import ties

        label = getattr(predictions, truth) > 0.5
        rows = np.bincount(where.of_row, minlength=len(where))
        positives = np.bincount(where.of_row, label, len(where))
        size = ties.selected(rows, self.percent)
        with np.errstate(invalid="ignore", divide="ignore"):
            highest = np.minimum(1.0, positives / size) * rows / positives
        used = np.isfinite(values)
        found = {"highest": float(highest[used].mean()), "selected": float(size[used].mean()), "chance": 1.0}
        return {**found, **super().explain(predictions, truth, where, values)}


@dataclass(frozen=True)
class Bedroc(PerTargetRanking):
    """Boltzmann-enhanced discrimination of ROC within each target, mean over targets.

    RDKit's function needs a sorted list, breaks ties by its order and takes no weights; this one gives the
    same value without ties and the mean over all orders with them.

    Args:
        alpha: weight of early ranks; at 20 the first 8 % of the rows contribute 80 % of the value.
    """

    alpha: float = 20.0

    name: ClassVar[str] = "bedroc"
    on_boards: ClassVar[tuple[Place, ...]] = (Place("active", 20),)
    summary: ClassVar[str] = "Boltzmann-enhanced discrimination of ROC within each target, mean over targets."
    reference: ClassVar[str] = "Truchon and Bayly 2007, doi:10.1021/ci600426e; RDKit, CalcBEDROC"
    unit: ClassVar[str] = "fraction"

    def __post_init__(self) -> None:
        if self.alpha <= 0.0:
            raise ValueError(f"alpha must be above 0, not {self.alpha:g}")

    def measure(self, positives: NDArray[np.float64], negatives: NDArray[np.float64]) -> NDArray[np.float64]:
        """See :class:`~affinity_zoo.zoo.scorers.base.PerTargetRanking`."""
        from affinity_zoo.zoo.scorers import ties

        return ties.bedroc(positives, negatives, self.alpha)

    def scan(self) -> tuple[int, float]:
        """See :class:`~affinity_zoo.zoo.scorers.base.PooledRanking`."""
        from affinity_zoo.zoo.scorers import scans

        return scans.BEDROC, self.alpha


@hookimpl
def register_scorers() -> list[type[Scorer]]:
    """Register the scorers of this module."""
    return [Enrichment, Bedroc]
