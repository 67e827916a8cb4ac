"""Baseline ``shortest-distance``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from affinity_zoo.plugins.contracts import Atoms, Baseline
from affinity_zoo.plugins.hookspecs import hookimpl


@dataclass(frozen=True)
class ShortestDistance(Baseline):
    """Shortest distance. Crystal poses have short hydrogen bonds; docking programs keep poses farther away."""

    name: ClassVar[str] = "shortest-distance"
    summary: ClassVar[str] = "Shortest heavy-atom distance between ligand and receptor."
    unit: ClassVar[str] = "Å"
    direction: ClassVar[Literal["higher", "lower"]] = "lower"

    def measure(self, receptor: Atoms, ligand: Atoms, pair: Mapping[str, Any]) -> float:
        """See :class:`~affinity_zoo.plugins.contracts.Baseline`."""
        from affinity_zoo.zoo.chem.geometry import shortest_distance

        return shortest_distance(receptor, ligand)


@hookimpl
def register_baselines() -> list[type[Baseline]]:
    """Register the baselines of this module."""
    return [ShortestDistance]
