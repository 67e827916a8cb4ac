"""Confusion matrix at a threshold, in the ancestor's layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from affinity_zoo.plugins.contracts import UNSCORED, Place, Predictions, Score, Scorer, Truth
from affinity_zoo.plugins.hookspecs import hookimpl
from affinity_zoo.zoo.scorers.base import ONE_CLASS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Confusion(Scorer):
    """[[TP FP] [FN TN]]: rows with a score above the threshold are called positive.

    The value that a leaderboard sorts by is Matthews' correlation coefficient of the matrix: 0 for a
    constant answer, 1 for a perfect one.

    Args:
        threshold: score above which a row is called positive, chosen on validation data; a logit of 0 is a
            probability of one half.
    """

    threshold: float = 0.0

    name: ClassVar[str] = "confusion"
    on_boards: ClassVar[tuple[Place, ...]] = (Place("pose_label", 70), Place("active", 80))
    calibrated: ClassVar[bool] = True
    summary: ClassVar[str] = (
        "Confusion matrix [[TP FP] [FN TN]] at a threshold; sorted by Matthews' correlation."
    )
    reference: ClassVar[str] = "Affinity core; scikit-learn, confusion_matrix and matthews_corrcoef"
    truths: ClassVar[tuple[Truth, ...]] = ("pose_label", "active")
    unit: ClassVar[str] = "MCC"
    direction: ClassVar[Literal["higher", "lower", "none"]] = "higher"

    def called(self, predictions: Predictions) -> NDArray[np.bool_]:
        """Return the rows called positive, (N,); a row without a score is negative.

        Args:
            predictions: Predictions of N rows.
        """
        above = predictions.score > self.threshold
        return above & (predictions.extra[UNSCORED] == 0) if UNSCORED in predictions.extra else above

    def score(
        self, predictions: Predictions, truth: Truth, weights: NDArray[np.float64] | None = None
    ) -> Score:
        """Computed by scikit-learn; see :class:`~affinity_zoo.plugins.contracts.Scorer`."""
        from sklearn.metrics import confusion_matrix

        label = getattr(predictions, truth) > 0.5
        called = self.called(predictions)
        (tn, fp), (fn, tp) = confusion_matrix(
            label, called, labels=[False, True], sample_weight=weights
        ).tolist()
        details = {"matrix": [[tp, fp], [fn, tn]], "threshold": self.threshold}
        if not (tp + fn) or not (tn + fp):
            return Score(float("nan"), details, ONE_CLASS)
        details["sensitivity"], details["specificity"] = tp / (tp + fn), tn / (tn + fp)
        return Score(_matthews(tp, fp, fn, tn), details)

    def resample(
        self, predictions: Predictions, truth: Truth, group: NDArray[np.int64], counts: NDArray[np.int32]
    ) -> NDArray[np.float64]:
        """See :meth:`~affinity_zoo.zoo.scorers.base.PooledRanking.resample`."""
        import numpy as np

        from affinity_zoo.zoo.scorers.agreement import group_sums

        label = getattr(predictions, truth) > 0.5
        called = self.called(predictions)
        parts = (label & called, ~label & called, label & ~called, ~label & ~called)
        tp, fp, fn, tn = group_sums((part.astype(np.float64) for part in parts), group, counts)
        with np.errstate(invalid="ignore", divide="ignore"):
            mcc = (tp * tn - fp * fn) / np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
        mcc = np.where((tp + fp == 0) | (tn + fn == 0), 0.0, mcc)
        return np.where((tp + fn > 0) & (tn + fp > 0), mcc, np.nan)


def _matthews(tp: float, fp: float, fn: float, tn: float) -> float:
    below = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    return (tp * tn - fp * fn) / float(below) ** 0.5 if below else 0.0


@hookimpl
def register_scorers() -> list[type[Scorer]]:
    """Register the scorers of this module."""
    return [Confusion]
