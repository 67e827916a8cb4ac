"""Baseline ``best-possible``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from affinity_zoo.plugins.contracts import Atoms, Baseline
from affinity_zoo.plugins.hookspecs import hookimpl


@dataclass(frozen=True)
class BestPossible(Baseline):
    """Ranks by the truth: pose label, else active, else affinity, else RMSD (lower first)."""

    name: ClassVar[str] = "best-possible"
    rival: ClassVar[bool] = False
    summary: ClassVar[str] = (
        "The true values as scores: the highest possible value of each metric on this benchmark."
    )
    unit: ClassVar[str] = "truth"
    direction: ClassVar[Literal["higher", "lower"]] = "higher"

    def measure(self, receptor: Atoms, ligand: Atoms, pair: Mapping[str, Any]) -> float:
        """See :class:`~affinity_zoo.plugins.contracts.Baseline`."""
        for truth, sign in (("pose_label", 1.0), ("active", 1.0), ("affinity", 1.0), ("rmsd", -1.0)):
            value = float(pair.get(truth, float("nan")))
            if not math.isnan(value):
                return sign * value
        return float("nan")


@hookimpl
def register_baselines() -> list[type[Baseline]]:
    """Register the baselines of this module."""
    return [BestPossible]
