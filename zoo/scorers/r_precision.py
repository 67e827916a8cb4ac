"""R-precision, the ancestor's top_100_score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from affinity_zoo.plugins.contracts import Place, Scorer
from affinity_zoo.plugins.hookspecs import hookimpl
from affinity_zoo.zoo.scorers.base import PooledRanking

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class RPrecision(PooledRanking):
    """Percent of positives among the first P rows, P being the number of positives.

    The ancestor called it top_100_score; it is no "first 100". Chance is the fraction of
    positives. Ties count by expectation, so a constant score gets exactly chance.
    """

    name: ClassVar[str] = "r-precision"
    on_boards: ClassVar[tuple[Place, ...]] = (Place("pose_label", 50), Place("active", 60))
    aliases: ClassVar[tuple[str, ...]] = ("top-100",)
    summary: ClassVar[str] = (
        "Percent of true positives among the first P rows, P = number of positives (pooled)."
    )
    reference: ClassVar[str] = "Affinity core's top_100_score; Manning et al. 2008, section 8.4"
    unit: ClassVar[str] = "%"

    def measure(self, positives: NDArray[np.float64], negatives: NDArray[np.float64]) -> NDArray[np.float64]:
        """See :class:`~affinity_zoo.zoo.scorers.base.PooledRanking`."""
        from affinity_zoo.zoo.scorers import ties

        return ties.r_precision(positives, negatives)

    def scan(self) -> tuple[int, float]:
        """See :class:`~affinity_zoo.zoo.scorers.base.PooledRanking`."""
        from affinity_zoo.zoo.scorers import scans

        return scans.R_PRECISION, 0.0

    def explain(self, positives: NDArray[np.float64], negatives: NDArray[np.float64]) -> dict[str, Any]:
        """Return the value of a random order."""
        p, n = float(positives.sum()), float(negatives.sum())
        return {"chance": 100.0 * p / (p + n)}


@hookimpl
def register_scorers() -> list[type[Scorer]]:
    """Register the scorers of this module."""
    return [RPrecision]
