"""Metrics of pose prediction: quality of the first-ranked pose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from affinity_zoo.plugins.contracts import VALID, Place, Predictions, Score, Scorer, Truth
from affinity_zoo.plugins.hookspecs import hookimpl
from affinity_zoo.zoo.scorers.base import MeanOverUnits

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from affinity_zoo.zoo.scorers.units import Units

NOT_DOCKED = ("crystal", "crystal_relaxed")  #: sources other than docking programs


@dataclass(frozen=True)
class Top1(MeanOverUnits):
    """Percent of complexes whose first-ranked pose is near-native, all poses, crystal ones too.

    Complexes with one class only are left out. Ties count by expectation. A complex is kept whole in the
    bootstrap.
    """

    name: ClassVar[str] = "top-1"
    on_boards: ClassVar[tuple[Place, ...]] = (Place("pose_label", 20),)
    summary: ClassVar[str] = (
        "Percent of complexes whose first-ranked pose is near-native (crystal poses count too)."
    )
    truths: ClassVar[tuple[Truth, ...]] = ("pose_label",)
    unit: ClassVar[str] = "%"

    def values(
        self, predictions: Predictions, truth: Truth, where: Units, weights: NDArray[np.float64] | None
    ) -> NDArray[np.float64]:
        """See :class:`~affinity_zoo.zoo.scorers.base.MeanOverUnits`."""
        import numpy as np

        from affinity_zoo.zoo.scorers.units import unit_top

        near = getattr(predictions, truth) > 0.5
        share = where.means(near)
        return np.where((share > 0) & (share < 1), unit_top(predictions.score, near, where, 1), np.nan)

    def explain(
        self, predictions: Predictions, truth: Truth, where: Units, values: NDArray[np.float64]
    ) -> dict[str, Any]:
        """Return the value of a random choice: the mean fraction of near-native poses."""
        import numpy as np

        share = where.means(getattr(predictions, truth) > 0.5)
        return {"chance": 100.0 * float(share[np.isfinite(values)].mean())}


@dataclass(frozen=True)
class DockingSuccess(MeanOverUnits):
    """Percent of all complexes with a near-native docked pose among the first ``top``.

    Crystal poses and minimised crystal poses are excluded: only docked poses count. A complex for which
    the docking made no near-native pose counts as a failure; ``ceiling`` is the percent that has one.

    Args:
        top: number of first poses that count.
        cutoff: a pose is near-native up to this RMSD, Å; where no RMSD is known the pose label decides.
    """

    top: int = 1
    cutoff: float = 2.0

    name: ClassVar[str] = "docking-success"
    on_boards: ClassVar[tuple[Place, ...]] = (
        Place("pose_label", 30),
        Place("rmsd", 10),
        Place("rmsd", 20, {"top": 3}),
        Place("rmsd", 30, {"top": 5}),
    )
    summary: ClassVar[str] = (
        "Percent of all complexes with a docked pose within 2 Å ranked first (or in the first 3, 5)."
    )
    reference: ClassVar[str] = "CASF-2016 docking power, doi:10.1021/acs.jcim.8b00545"
    truths: ClassVar[tuple[Truth, ...]] = ("rmsd", "pose_label")
    unit: ClassVar[str] = "%"
    direction: ClassVar[Literal["higher", "lower", "none"]] = "higher"
    missing: ClassVar[str] = "undefined: no docked pose is near-native"

    def __post_init__(self) -> None:
        if self.top < 1 or self.cutoff <= 0.0:
            raise ValueError(
                f"top must be at least 1 and cutoff above 0 Å, not {self.top} and {self.cutoff:g}"
            )

    def near(self, predictions: Predictions, truth: Truth) -> NDArray[np.bool_]:
        """Return which poses are near-native and docked, (N,).

        Args:
            predictions: Predictions of N rows.
            truth: Column of true values.
        """
        import numpy as np

        good = predictions.rmsd <= self.cutoff if truth == "rmsd" else predictions.pose_label > 0.5
        return good & ~np.isin(predictions.source, NOT_DOCKED)

    def possible(self, predictions: Predictions, truth: Truth) -> bool:
        """Return whether any docked pose is near-native: without one there is nothing to measure.

        Args:
            predictions: Predictions of N rows.
            truth: Column of true values.
        """
        return bool(self.near(predictions, truth).any())

    def values(
        self, predictions: Predictions, truth: Truth, where: Units, weights: NDArray[np.float64] | None
    ) -> NDArray[np.float64]:
        """See :class:`~affinity_zoo.zoo.scorers.base.MeanOverUnits`."""
        import numpy as np

        from affinity_zoo.zoo.scorers.units import Units, unit_top

        docked = ~np.isin(predictions.source, NOT_DOCKED)
        if not self.possible(predictions, truth):
            return np.full(len(where), np.nan)
        kept = Units(where.of_row[docked], where.names)
        return unit_top(predictions.score[docked], self.near(predictions, truth)[docked], kept, self.top)

    def explain(
        self, predictions: Predictions, truth: Truth, where: Units, values: NDArray[np.float64]
    ) -> dict[str, Any]:
        """Return the ceiling and chance, percent."""
        import numpy as np

        from affinity_zoo.zoo.scorers.units import Units, unit_top

        docked = ~np.isin(predictions.source, NOT_DOCKED)
        near = self.near(predictions, truth)
        kept = Units(where.of_row[docked], where.names)
        chance = unit_top(np.zeros(docked.sum()), near[docked], kept, self.top)
        has_one = np.bincount(where.of_row[near], minlength=len(where)) > 0
        return {"ceiling": 100.0 * float(has_one.mean()), "chance": 100.0 * float(chance.mean())}


@dataclass(frozen=True)
class DockingSuccessValid(DockingSuccess):
    """Percent of all complexes with a docked pose that is near-native and valid among the first ``top``.

    As docking-success, but a near-native pose counts only if it is physically valid: if the benchmark's column
    ``pose_valid`` (``affinity-zoo label --validity``) is 1. A pose that was not checked counts as not valid; how many
    the details give their number.

    Args:
        top: number of first poses that count.
        cutoff: a pose is near-native up to this RMSD, Å; where no RMSD is known the pose label decides.
    """

    name: ClassVar[str] = "docking-success-valid"
    on_boards: ClassVar[tuple[Place, ...]] = (
        Place("pose_label", 31),
        Place("rmsd", 11),
        Place("rmsd", 21, {"top": 3}),
        Place("rmsd", 31, {"top": 5}),
    )
    columns: ClassVar[tuple[str, ...]] = (VALID,)
    summary: ClassVar[str] = (
        "Percent of all complexes with a valid docked pose within 2 Å ranked first (or in the first 3, 5)."
    )
    reference: ClassVar[str] = "PoseBusters, doi:10.1039/D3SC04185A"

    def near(self, predictions: Predictions, truth: Truth) -> NDArray[np.bool_]:
        """Return which poses are near-native, docked and valid, (N,).

        Args:
            predictions: Predictions of N rows.
            truth: Column of true values.
        """
        return super().near(predictions, truth) & (predictions.extra[VALID] == 1)

    def possible(self, predictions: Predictions, truth: Truth) -> bool:
        """See :class:`DockingSuccess`: near-native poses of which none is valid are 0 %, not undefined.

        Args:
            predictions: Predictions of N rows.
            truth: Column of true values.
        """
        return bool(super().near(predictions, truth).any())

    def score(
        self, predictions: Predictions, truth: Truth, weights: NDArray[np.float64] | None = None
    ) -> Score:
        """See :class:`~affinity_zoo.plugins.contracts.Scorer`."""
        import numpy as np

        if VALID not in predictions.extra:
            return Score(float("nan"), {}, f"undefined: the benchmark has no column {VALID}")
        found = super().score(predictions, truth, weights)
        unknown = int(np.isnan(predictions.extra[VALID]).sum())
        if not unknown:
            return found
        said = f"{unknown:,} of {len(predictions):,} poses were not checked: counted as not valid"
        note = "; ".join(part for part in (found.note, said) if part)
        return Score(found.value, {**found.details, "not_checked": unknown}, note)


@hookimpl
def register_scorers() -> list[type[Scorer]]:
    """Register the scorers of this module."""
    return [Top1, DockingSuccess, DockingSuccessValid]
