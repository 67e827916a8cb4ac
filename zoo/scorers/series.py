"""Affinity within each series (target): ranking and error without differences between targets."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from affinity_zoo.plugins.contracts import Place, Predictions, Scorer, Truth
from affinity_zoo.plugins.hookspecs import hookimpl
from affinity_zoo.zoo.scorers.base import MeanOverUnits

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from affinity_zoo.zoo.scorers.units import Units


@dataclass(frozen=True)
class SeriesCorrelation(MeanOverUnits):
    """Base class of rank correlations within each target; the mean is over targets with enough rows.

    A target with a constant score counts as 0, its expected value; one with a constant pK is left out.

    Args:
        fewest: Smallest number of rows of a target that counts.
    """

    fewest: int = 5

    truths: ClassVar[tuple[Truth, ...]] = ("affinity",)
    missing: ClassVar[str] = "undefined: no target has enough rows with different pK"

    @abstractmethod
    def correlation(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
        """Return the correlation of scores x and true values y, (N,) each; neither is constant."""

    def values(
        self, predictions: Predictions, truth: Truth, where: Units, weights: NDArray[np.float64] | None
    ) -> NDArray[np.float64]:
        """See :class:`~affinity_zoo.zoo.scorers.base.MeanOverUnits`."""
        import numpy as np

        from affinity_zoo.zoo.scorers.agreement import repeat, varies

        found = np.full(len(where), np.nan)
        for unit, rows in enumerate(where.rows()):
            drawn = None if weights is None else weights[rows]
            x, y = repeat(predictions.score[rows], getattr(predictions, truth)[rows], drawn)
            if len(rows) >= self.fewest and varies(y, y):
                found[unit] = self.correlation(x, y) if varies(x, y) else 0.0
        return found


@dataclass(frozen=True)
class SeriesKendall(SeriesCorrelation):
    """Kendall's tau-b within each target, mean over targets with ``fewest`` rows or more."""

    name: ClassVar[str] = "kendall-per-series"
    on_boards: ClassVar[tuple[Place, ...]] = (Place("affinity", 10),)
    summary: ClassVar[str] = "Kendall's tau-b of score and pK within each target, mean over targets."
    reference: ClassVar[str] = "scipy.stats.kendalltau, within each target"
    unit: ClassVar[str] = "tau"

    def correlation(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
        """Computed by scipy."""
        from scipy.stats import kendalltau

        return kendalltau(x, y).statistic


@dataclass(frozen=True)
class SeriesSpearman(SeriesCorrelation):
    """Spearman's rank correlation within each target, mean over targets: the ranking power of CASF-2016.

    CASF-2016 has five rows in each target, as many as ``fewest``.
    """

    name: ClassVar[str] = "spearman-per-series"
    aliases: ClassVar[tuple[str, ...]] = ("ranking-power",)
    on_boards: ClassVar[tuple[Place, ...]] = (Place("affinity", 15),)
    summary: ClassVar[str] = (
        "Spearman's rank correlation of score and pK within each target, mean over targets."
    )
    reference: ClassVar[str] = "CASF-2016 ranking power, doi:10.1021/acs.jcim.8b00545; scipy.stats.spearmanr"
    unit: ClassVar[str] = "rho"

    def correlation(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
        """Computed by scipy."""
        from scipy.stats import spearmanr

        return spearmanr(x, y).statistic


@dataclass(frozen=True)
class SeriesRmse(MeanOverUnits):
    """Root mean squared error within each target after removal of its mean error, mean over targets.

    The zero point of each target does not matter, as in relative binding free energies.

    Args:
        fewest: rows that a target needs to count.
    """

    fewest: int = 5

    name: ClassVar[str] = "centred-rmse-per-series"
    on_boards: ClassVar[tuple[Place, ...]] = (Place("affinity", 70),)
    calibrated: ClassVar[bool] = True
    summary: ClassVar[str] = "RMSE within each target after removing its mean error, mean over targets."
    truths: ClassVar[tuple[Truth, ...]] = ("affinity",)
    unit: ClassVar[str] = "pK"
    direction: ClassVar[Literal["higher", "lower", "none"]] = "lower"
    missing: ClassVar[str] = "undefined: no target has enough rows"

    def values(
        self, predictions: Predictions, truth: Truth, where: Units, weights: NDArray[np.float64] | None
    ) -> NDArray[np.float64]:
        """See :class:`~affinity_zoo.zoo.scorers.base.MeanOverUnits`."""
        import numpy as np

        error = predictions.score - getattr(predictions, truth)
        drawn = np.ones(len(error)) if weights is None else weights
        size = np.bincount(where.of_row, drawn, len(where))
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.bincount(where.of_row, drawn * error, len(where)) / size
            left = error - mean[where.of_row]
            found = np.sqrt(np.bincount(where.of_row, drawn * left**2, len(where)) / size)
        return np.where(np.bincount(where.of_row, minlength=len(where)) >= self.fewest, found, np.nan)


@hookimpl
def register_scorers() -> list[type[Scorer]]:
    """Register the scorers of this module."""
    return [SeriesKendall, SeriesSpearman, SeriesRmse]
