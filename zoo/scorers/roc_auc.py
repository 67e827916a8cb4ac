"""Area under the ROC curve: over all rows, and within each complex or target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from affinity_zoo.plugins.contracts import Place, Predictions, Score, Scorer, Truth
from affinity_zoo.plugins.hookspecs import hookimpl
from affinity_zoo.zoo.scorers.base import ONE_CLASS, MeanOverUnits, PooledRanking

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from affinity_zoo.zoo.scorers.units import Units


@dataclass(frozen=True)
class RocAuc(PooledRanking):
    """The chance that a random positive ranks above a random negative, ties one half; all rows pooled.

    ``details`` carries the mean over complexes (targets for ``active``) too. The pooled value also depends
    on whether scores of different targets are comparable.
    """

    name: ClassVar[str] = "roc-auc"
    on_boards: ClassVar[tuple[Place, ...]] = (Place("pose_label", 40), Place("active", 50))
    on_cards: ClassVar[bool] = True
    aliases: ClassVar[tuple[str, ...]] = ("auc",)
    summary: ClassVar[str] = "Area under the ROC curve over all rows, pooled over targets."
    reference: ClassVar[str] = "scikit-learn, roc_auc_score"
    unit: ClassVar[str] = "fraction"

    def measure(self, positives: NDArray[np.float64], negatives: NDArray[np.float64]) -> NDArray[np.float64]:
        """See :class:`~affinity_zoo.zoo.scorers.base.PooledRanking`."""
        from affinity_zoo.zoo.scorers import ties

        return ties.auc(positives, negatives)

    def scan(self) -> tuple[int, float]:
        """See :class:`~affinity_zoo.zoo.scorers.base.PooledRanking`."""
        from affinity_zoo.zoo.scorers import scans

        return scans.AUC, 0.0

    def score(
        self, predictions: Predictions, truth: Truth, weights: NDArray[np.float64] | None = None
    ) -> Score:
        """Computed by scikit-learn; see :class:`~affinity_zoo.plugins.contracts.Scorer`."""
        from sklearn.metrics import roc_auc_score

        label = getattr(predictions, truth)
        counted = (label >= 0) * 1.0 if weights is None else weights
        positives = float(counted[label > 0.5].sum())
        negatives = float(counted.sum()) - positives
        counts = {"P": positives, "N": negatives}
        if not positives or not negatives:
            return Score(float("nan"), counts, ONE_CLASS)
        within = RocAucPerComplex().score(predictions, truth, weights)
        mean = {"per_complex_mean": within.value, "complexes": within.details["units"]}
        value = float(roc_auc_score(label > 0.5, predictions.score, sample_weight=weights))
        return Score(value, {**counts, "chance": 0.5, **mean})


@dataclass(frozen=True)
class RocAucPerComplex(MeanOverUnits):
    """Area under the ROC curve within each complex (for ``active`` within each target), mean over them.

    Complexes with one class only are left out and counted in ``left_out``.
    """

    name: ClassVar[str] = "roc-auc-per-complex"
    on_boards: ClassVar[tuple[Place, ...]] = (Place("pose_label", 10), Place("active", 10))
    aliases: ClassVar[tuple[str, ...]] = ("auc-per-complex", "roc-auc-per-target")
    summary: ClassVar[str] = (
        "Area under the ROC curve within each complex (activity: target), mean over all of them."
    )
    reference: ClassVar[str] = "scikit-learn, roc_auc_score, within each complex"
    truths: ClassVar[tuple[Truth, ...]] = ("pose_label", "active")
    unit: ClassVar[str] = "fraction"

    def values(
        self, predictions: Predictions, truth: Truth, where: Units, weights: NDArray[np.float64] | None
    ) -> NDArray[np.float64]:
        """See :class:`~affinity_zoo.zoo.scorers.base.MeanOverUnits`."""
        from affinity_zoo.zoo.scorers.units import unit_auc

        return unit_auc(predictions.score, getattr(predictions, truth), where, weights)

    def explain(
        self, predictions: Predictions, truth: Truth, where: Units, values: NDArray[np.float64]
    ) -> dict[str, Any]:
        """Chance."""
        return {"chance": 0.5}


@hookimpl
def register_scorers() -> list[type[Scorer]]:
    """Register the scorers of this module."""
    return [RocAuc, RocAucPerComplex]
