"""Brier score and calibration of probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from affinity_zoo.plugins.contracts import Place, Predictions, Score, Scorer, Truth
from affinity_zoo.plugins.hookspecs import hookimpl
from affinity_zoo.zoo.scorers.base import ONE_CLASS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NO_PROBABILITY = "undefined: there is no column 'probability', and a score is not a probability"


@dataclass(frozen=True)
class Brier(Scorer):
    """Mean squared difference between the stated probability and the label; 0 is perfect.

    Needs the further column ``probability``: corrected for loss weight and balanced batches, which the raw
    logit is not. ``details`` holds the calibration: in bins of equal size, the mean probability and the
    fraction of positives, and the expected calibration error; ``chance`` is the score of a
    constant prediction of the fraction of positives.

    Args:
        bins: number of calibration bins.
    """

    bins: int = 10

    name: ClassVar[str] = "brier"
    on_boards: ClassVar[tuple[Place, ...]] = (Place("pose_label", 80), Place("active", 90))
    calibrated: ClassVar[bool] = True
    columns: ClassVar[tuple[str, ...]] = ("probability",)
    aliases: ClassVar[tuple[str, ...]] = ("calibration",)
    summary: ClassVar[str] = "Mean squared error of the probability, with calibration bins."
    reference: ClassVar[str] = "scikit-learn, brier_score_loss and calibration_curve"
    truths: ClassVar[tuple[Truth, ...]] = ("pose_label", "active")
    unit: ClassVar[str] = "probability²"
    direction: ClassVar[Literal["higher", "lower", "none"]] = "lower"

    def __post_init__(self) -> None:
        if self.bins < 1:
            raise ValueError(f"bins must be at least 1, not {self.bins}")

    def score(
        self, predictions: Predictions, truth: Truth, weights: NDArray[np.float64] | None = None
    ) -> Score:
        """Computed by scikit-learn; see :class:`~affinity_zoo.plugins.contracts.Scorer`."""
        import numpy as np
        from sklearn.metrics import brier_score_loss

        if "probability" not in predictions.extra:
            return Score(float("nan"), {}, NO_PROBABILITY)
        stated = np.asarray(predictions.extra["probability"], np.float64)
        label = getattr(predictions, truth) > 0.5
        drawn = np.ones(len(label)) if weights is None else weights
        base = float(np.average(label, weights=drawn))
        if base in (0.0, 1.0):
            return Score(float("nan"), {}, ONE_CLASS)
        value = float(brier_score_loss(label, stated, sample_weight=drawn))
        return Score(value, {"chance": base * (1.0 - base), **self._calibration(stated, label, drawn)})

    def _calibration(
        self, stated: NDArray[np.float64], label: NDArray[np.bool_], drawn: NDArray[np.float64]
    ) -> dict[str, Any]:
        import numpy as np

        order = np.argsort(stated, kind="stable")
        rank = np.cumsum(drawn[order]) - drawn[order]
        of_bin = np.minimum((rank / drawn.sum() * self.bins).astype(int), self.bins - 1)
        size = np.bincount(of_bin, drawn[order], self.bins)
        used = size > 0
        mean = np.bincount(of_bin, drawn[order] * stated[order], self.bins)[used] / size[used]
        fraction = np.bincount(of_bin, drawn[order] * label[order], self.bins)[used] / size[used]
        error = float(np.average(np.abs(mean - fraction), weights=size[used]))
        bins = {"probability": mean.tolist(), "fraction": fraction.tolist(), "rows": size[used].tolist()}
        return {"calibration": bins, "calibration_error": error}

    def resample(
        self, predictions: Predictions, truth: Truth, group: NDArray[np.int64], counts: NDArray[np.int32]
    ) -> NDArray[np.float64] | None:
        """See :meth:`~affinity_zoo.zoo.scorers.base.PooledRanking.resample`."""
        import numpy as np

        from affinity_zoo.zoo.scorers.agreement import mean_replicates

        if "probability" not in predictions.extra:
            return None
        label = getattr(predictions, truth) > 0.5
        error = (np.asarray(predictions.extra["probability"], np.float64) - label) ** 2
        return mean_replicates(error, group, counts)


@hookimpl
def register_scorers() -> list[type[Scorer]]:
    """Register the scorers of this module."""
    return [Brier]
