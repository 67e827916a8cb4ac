"""Agreement of a score with measured affinity."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from affinity_zoo.plugins.contracts import Place, Predictions, Score, Scorer, Truth
from affinity_zoo.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TOO_FEW = "undefined: fewer than three rows, or a constant column"


@dataclass(frozen=True)
class AffinityScorer(Scorer):
    """Base class of the scorers of this module; weights are integers, rows are repeated accordingly."""

    truths: ClassVar[tuple[Truth, ...]] = ("affinity",)
    direction: ClassVar[Literal["higher", "lower", "none"]] = "higher"

    @abstractmethod
    def agreement(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
        """Return the metric of scores x and true values y, (N,) each."""

    def score(
        self, predictions: Predictions, truth: Truth, weights: NDArray[np.float64] | None = None
    ) -> Score:
        """See :class:`~affinity_zoo.plugins.contracts.Scorer`."""
        from affinity_zoo.zoo.scorers.agreement import repeat, varies

        x, y = repeat(predictions.score, getattr(predictions, truth), weights)
        details = {"rows": len(x)}
        if self.unit != "pK" and not varies(x, y):
            return Score(float("nan"), details, TOO_FEW)
        if not len(x):
            return Score(float("nan"), details, "undefined: no rows")
        return Score(float(self.agreement(x, y)), details)


@dataclass(frozen=True)
class Pearson(AffinityScorer):
    """Pearson's linear correlation over all rows, between targets as well as within them."""

    name: ClassVar[str] = "pearson"
    on_boards: ClassVar[tuple[Place, ...]] = (Place("affinity", 30),)
    summary: ClassVar[str] = "Pearson's correlation of score and pK, pooled over targets."
    reference: ClassVar[str] = "scipy.stats.pearsonr"
    unit: ClassVar[str] = "r"

    def agreement(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
        """Computed by scipy."""
        from scipy.stats import pearsonr

        return pearsonr(x, y).statistic

    def resample(
        self, predictions: Predictions, truth: Truth, group: NDArray[np.int64], counts: NDArray[np.int32]
    ) -> NDArray[np.float64]:
        """See :meth:`~affinity_zoo.zoo.scorers.base.PooledRanking.resample`."""
        from affinity_zoo.zoo.scorers.agreement import pearson_replicates

        return pearson_replicates(predictions.score, getattr(predictions, truth), group, counts)


@dataclass(frozen=True)
class Spearman(AffinityScorer):
    """Spearman's rank correlation, all rows pooled; tied rows share their mean rank."""

    name: ClassVar[str] = "spearman"
    on_boards: ClassVar[tuple[Place, ...]] = (Place("affinity", 20),)
    summary: ClassVar[str] = "Spearman's rank correlation of score and pK, pooled over targets."
    reference: ClassVar[str] = "scipy.stats.spearmanr"
    unit: ClassVar[str] = "rho"

    def agreement(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
        """Computed by scipy."""
        from scipy.stats import spearmanr

        return spearmanr(x, y).statistic

    def resample(
        self, predictions: Predictions, truth: Truth, group: NDArray[np.int64], counts: NDArray[np.int32]
    ) -> NDArray[np.float64]:
        """See :meth:`~affinity_zoo.zoo.scorers.base.PooledRanking.resample`."""
        from affinity_zoo.zoo.scorers.agreement import spearman_replicates

        return spearman_replicates(predictions.score, getattr(predictions, truth), group, counts)


@dataclass(frozen=True)
class Kendall(AffinityScorer):
    """Kendall's tau-b, all rows pooled; pairs tied in one column count in neither direction."""

    name: ClassVar[str] = "kendall"
    on_boards: ClassVar[tuple[Place, ...]] = (Place("affinity", 40),)
    summary: ClassVar[str] = "Kendall's tau-b of score and pK, pooled over targets."
    reference: ClassVar[str] = "scipy.stats.kendalltau"
    unit: ClassVar[str] = "tau"

    def agreement(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
        """Computed by scipy."""
        from scipy.stats import kendalltau

        return kendalltau(x, y).statistic

    def resample(
        self, predictions: Predictions, truth: Truth, group: NDArray[np.int64], counts: NDArray[np.int32]
    ) -> NDArray[np.float64] | None:
        """See :meth:`~affinity_zoo.zoo.scorers.base.PooledRanking.resample`; None for very many rows."""
        from affinity_zoo.zoo.scorers.agreement import MOST_PAIRS, kendall_replicates

        if len(predictions) > MOST_PAIRS or counts.shape[1] > 4000:
            return None
        return kendall_replicates(predictions.score, getattr(predictions, truth), group, counts)


@dataclass(frozen=True)
class Rmse(AffinityScorer):
    """Root mean squared difference of score and pK, for scores in pK units."""

    name: ClassVar[str] = "rmse"
    on_boards: ClassVar[tuple[Place, ...]] = (Place("affinity", 50),)
    calibrated: ClassVar[bool] = True
    summary: ClassVar[str] = "Root mean squared error of a score in pK units."
    unit: ClassVar[str] = "pK"
    direction: ClassVar[Literal["higher", "lower", "none"]] = "lower"

    def agreement(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
        """Computed by definition."""
        import numpy as np

        return float(np.sqrt(np.mean((x - y) ** 2)))

    def resample(
        self, predictions: Predictions, truth: Truth, group: NDArray[np.int64], counts: NDArray[np.int32]
    ) -> NDArray[np.float64]:
        """See :meth:`~affinity_zoo.zoo.scorers.base.PooledRanking.resample`."""
        import numpy as np

        from affinity_zoo.zoo.scorers.agreement import mean_replicates

        error = (predictions.score - getattr(predictions, truth)) ** 2
        return np.sqrt(mean_replicates(error, group, counts))


@dataclass(frozen=True)
class Mae(AffinityScorer):
    """Mean absolute difference of score and pK, for scores in pK units."""

    name: ClassVar[str] = "mae"
    on_boards: ClassVar[tuple[Place, ...]] = (Place("affinity", 60),)
    calibrated: ClassVar[bool] = True
    summary: ClassVar[str] = "Mean absolute error of a score in pK units."
    unit: ClassVar[str] = "pK"
    direction: ClassVar[Literal["higher", "lower", "none"]] = "lower"

    def agreement(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
        """Computed by definition."""
        import numpy as np

        return float(np.mean(np.abs(x - y)))

    def resample(
        self, predictions: Predictions, truth: Truth, group: NDArray[np.int64], counts: NDArray[np.int32]
    ) -> NDArray[np.float64]:
        """See :meth:`~affinity_zoo.zoo.scorers.base.PooledRanking.resample`."""
        import numpy as np

        from affinity_zoo.zoo.scorers.agreement import mean_replicates

        return mean_replicates(np.abs(predictions.score - getattr(predictions, truth)), group, counts)


@hookimpl
def register_scorers() -> list[type[Scorer]]:
    """Register the scorers of this module."""
    return [Pearson, Spearman, Kendall, Rmse, Mae]
