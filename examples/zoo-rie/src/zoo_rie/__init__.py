"""Robust initial enhancement: early recognition with an exponential weight instead of a cut-off."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

from affinity_zoo.plugins import hookimpl
from affinity_zoo.plugins.contracts import Predictions, Score, Scorer, Truth

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class RobustInitialEnhancement(Scorer):
    """Mean of exp(-alpha rank / N) over the positives, divided by its expectation in a random order.

    Rows with the same score share the mean weight of the ranks they fill, so that the order of the file is
    nothing: a constant score gives exactly 1.
    """

    name: ClassVar[str] = "robust-initial-enhancement"
    aliases: ClassVar[tuple[str, ...]] = ("rie",)
    summary: ClassVar[str] = "Early recognition with an exponential weight; 1 is chance."
    reference: ClassVar[str] = "Sheridan, Singh, Fluder, Kearsley, J. Chem. Inf. Comput. Sci. 2001, 41, 1395"
    api_version: ClassVar[int] = 1
    truths: ClassVar[tuple[Truth, ...]] = ("active", "pose_label")
    unit: ClassVar[str] = "x chance"
    direction: ClassVar[Literal["higher", "lower", "none"]] = "higher"

    alpha: float = field(
        default=20.0, metadata={"help": "how early: 20 puts 80 % of the weight on the first 8 %"}
    )

    def __post_init__(self) -> None:
        if not self.alpha > 0:
            raise ValueError(f"alpha is above 0, not {self.alpha}")

    def score(
        self, predictions: Predictions, truth: Truth, weights: NDArray[np.float64] | None = None
    ) -> Score:
        """Judge a ranking; undefined where there is no positive or no negative."""
        import numpy as np

        label = getattr(predictions, truth) > 0.5
        counted = np.ones(len(label)) if weights is None else np.asarray(weights, np.float64)
        total, positives = float(counted.sum()), float(counted[label].sum())
        details = {"P": positives, "N": total - positives, "alpha": self.alpha, "chance": 1.0}
        if positives in (0, total):
            return Score(math.nan, details, "undefined: the rows have one class only")
        _, block = np.unique(-predictions.score, return_inverse=True)
        size = np.bincount(block, counted)
        found = np.bincount(block, counted * label)
        size, found = size[size > 0], found[size > 0]
        value = self._enhancement(size, found, total, positives)
        best = np.array([positives, total - positives]), np.array([positives, 0.0])
        return Score(value, {**details, "ceiling": self._enhancement(*best, total, positives)})

    def _enhancement(
        self, size: NDArray[np.float64], found: NDArray[np.float64], total: float, positives: float
    ) -> float:
        """RIE from blocks of equal scores, best first: rows and positives in each."""
        import numpy as np

        rate = self.alpha / total
        before = np.cumsum(size) - size
        # mean of exp(-rate k) over the ranks k = before + 1 ... before + size, a geometric sum
        mean = np.exp(-rate * before) * -np.expm1(-rate * size) / (size * math.expm1(rate))
        chance = -math.expm1(-self.alpha) / (total * math.expm1(rate))
        return float(np.sum(found * mean) / positives / chance)


@hookimpl
def register_scorers() -> list[type[Scorer]]:
    """Offer ``robust-initial-enhancement``."""
    return [RobustInitialEnhancement]
