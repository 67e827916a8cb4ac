"""Baseline ``docking-score``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from affinity_zoo.plugins.contracts import Atoms, Baseline, Predictions
from affinity_zoo.plugins.hookspecs import hookimpl


@dataclass(frozen=True)
class DockingScore(Baseline):
    """The score of the program that made the poses, as in the file (Vina: kcal/mol, lower is better).

    The score of a raw crystal pose is not a fair comparison: minimise crystal poses first.
    """

    name: ClassVar[str] = "docking-score"
    spoken: ClassVar[str] = "{docking_program}'s ranking"
    summary: ClassVar[str] = "Docking score stored with the poses."
    unit: ClassVar[str] = "kcal/mol"
    direction: ClassVar[Literal["higher", "lower"]] = "lower"

    def note(self, predictions: Predictions) -> str:
        """See :class:`~affinity_zoo.plugins.contracts.Baseline`."""
        if (predictions.source == "crystal").any():
            return "not a fair comparison: crystal poses are not minimised"
        return ""

    def measure(self, receptor: Atoms, ligand: Atoms, pair: Mapping[str, Any]) -> float:
        """See :class:`~affinity_zoo.plugins.contracts.Baseline`."""
        return float(pair.get("docking_score", float("nan")))


@hookimpl
def register_baselines() -> list[type[Baseline]]:
    """Register the baselines of this module."""
    return [DockingScore]
