"""Agreement of a score with the RMSD of poses: first pose, order, error of a predicted RMSD."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from affinity_zoo.plugins.contracts import Place, Predictions, Scorer, Truth
from affinity_zoo.plugins.hookspecs import hookimpl
from affinity_zoo.zoo.scorers.base import MeanOverUnits
from affinity_zoo.zoo.scorers.poses import NOT_DOCKED

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from affinity_zoo.zoo.scorers.units import Units

CAP = 8.0  #: Å; larger RMSDs carry no further information


@dataclass(frozen=True)
class FirstRmsd(MeanOverUnits):
    """RMSD of the docked pose that is ranked first, mean over complexes; poses tied for the first place share it.

    Crystal poses and minimised crystal poses are excluded: only docked poses count.

    Args:
        cap: larger RMSDs count as this, Å.
    """

    cap: float = CAP

    name: ClassVar[str] = "first-rmsd"
    on_boards: ClassVar[tuple[Place, ...]] = (Place("rmsd", 40),)
    summary: ClassVar[str] = "RMSD of the docked pose that is ranked first, mean over complexes."
    truths: ClassVar[tuple[Truth, ...]] = ("rmsd",)
    unit: ClassVar[str] = "Å"
    direction: ClassVar[Literal["higher", "lower", "none"]] = "lower"
    missing: ClassVar[str] = "undefined: no docked pose has an RMSD"

    def __post_init__(self) -> None:
        _check_cap(self.cap)

    def values(
        self, predictions: Predictions, truth: Truth, where: Units, weights: NDArray[np.float64] | None
    ) -> NDArray[np.float64]:
        """See :class:`~affinity_zoo.zoo.scorers.base.MeanOverUnits`."""
        import numpy as np

        docked = np.flatnonzero(~np.isin(predictions.source, NOT_DOCKED))
        unit, score = where.of_row[docked], predictions.score[docked]
        best = np.full(len(where), -np.inf)
        np.maximum.at(best, unit, score)
        first = docked[score == best[unit]]
        number = np.bincount(where.of_row[first], minlength=len(where))
        total = np.bincount(where.of_row[first], _capped(predictions.rmsd[first], self.cap), len(where))
        return np.where(number > 0, total / np.maximum(number, 1), np.nan)

    def explain(
        self, predictions: Predictions, truth: Truth, where: Units, values: NDArray[np.float64]
    ) -> dict[str, Any]:
        """Return the best possible value and the value of a random choice, Å."""
        import numpy as np

        docked = ~np.isin(predictions.source, NOT_DOCKED)
        unit, rmsd = where.of_row[docked], _capped(predictions.rmsd[docked], self.cap)
        least = np.full(len(where), np.inf)
        np.minimum.at(least, unit, rmsd)
        number = np.bincount(unit, minlength=len(where))
        mean = np.bincount(unit, rmsd, len(where)) / np.maximum(number, 1)
        used = np.isfinite(values)
        return {"floor": float(least[used].mean()), "chance": float(mean[used].mean())}


@dataclass(frozen=True)
class RmsdOrder(MeanOverUnits):
    """Spearman's rank correlation of score and nearness within each complex, mean over complexes.

    All poses take part. RMSDs beyond ``cap`` are tied. A complex with a constant score counts as 0, its expected
    value; one with fewer than ``fewest`` poses or a constant RMSD is left out.

    Args:
        cap: RMSD above which poses count as equally wrong, Å.
        fewest: poses that a complex needs to count.
    """

    cap: float = CAP
    fewest: int = 5

    name: ClassVar[str] = "rmsd-order"
    on_boards: ClassVar[tuple[Place, ...]] = (Place("rmsd", 50),)
    summary: ClassVar[str] = (
        "Spearman's correlation of score and nearness (minus the RMSD) within each complex."
    )
    reference: ClassVar[str] = "scipy.stats.spearmanr, within each complex"
    truths: ClassVar[tuple[Truth, ...]] = ("rmsd",)
    unit: ClassVar[str] = "rho"
    missing: ClassVar[str] = "undefined: no complex has enough poses of different RMSD"

    def __post_init__(self) -> None:
        _check_cap(self.cap)

    def values(
        self, predictions: Predictions, truth: Truth, where: Units, weights: NDArray[np.float64] | None
    ) -> NDArray[np.float64]:
        """See :class:`~affinity_zoo.zoo.scorers.base.MeanOverUnits`."""
        import numpy as np

        from affinity_zoo.zoo.scorers.agreement import spearman_within

        columns = predictions.score, -_capped(predictions.rmsd, self.cap), where.of_row
        if weights is not None:
            times = np.rint(weights).astype(np.int64)
            score, nearness, unit = (np.repeat(column, times) for column in columns)
        else:
            score, nearness, unit = columns
        found = spearman_within(score, nearness, unit, len(where))
        return np.where(np.bincount(where.of_row, minlength=len(where)) >= self.fewest, found, np.nan)


@dataclass(frozen=True)
class RmsdError(MeanOverUnits):
    """Mean absolute error of a predicted RMSD, mean over complexes; both are capped.

    Args:
        cap: RMSD above which poses count as equally wrong, Å.
    """

    cap: float = CAP

    name: ClassVar[str] = "rmsd-error"
    on_boards: ClassVar[tuple[Place, ...]] = (Place("rmsd", 60),)
    calibrated: ClassVar[bool] = True
    summary: ClassVar[str] = "Mean absolute error of a predicted RMSD, for scores that are minus an RMSD."
    truths: ClassVar[tuple[Truth, ...]] = ("rmsd",)
    unit: ClassVar[str] = "Å"
    direction: ClassVar[Literal["higher", "lower", "none"]] = "lower"

    def __post_init__(self) -> None:
        _check_cap(self.cap)

    def values(
        self, predictions: Predictions, truth: Truth, where: Units, weights: NDArray[np.float64] | None
    ) -> NDArray[np.float64]:
        """See :class:`~affinity_zoo.zoo.scorers.base.MeanOverUnits`."""
        import numpy as np

        error = np.abs(_capped(-predictions.score, self.cap) - _capped(predictions.rmsd, self.cap))
        drawn = np.ones(len(error)) if weights is None else weights
        total = np.bincount(where.of_row, drawn * error, len(where))
        number = np.bincount(where.of_row, drawn, len(where))
        return np.where(number > 0, total / np.where(number > 0, number, 1.0), np.nan)


def _capped(rmsd: NDArray[np.float64], cap: float) -> NDArray[np.float64]:
    import numpy as np

    return np.minimum(rmsd, cap)


def _check_cap(cap: float) -> None:
    if cap <= 0.0:
        raise ValueError(f"cap must be above 0 Å, not {cap:g}")


@hookimpl
def register_scorers() -> list[type[Scorer]]:
    """Register the scorers of this module."""
    return [FirstRmsd, RmsdOrder, RmsdError]
