"""Baseline ``burial``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from affinity_zoo.plugins.contracts import Atoms, Baseline
from affinity_zoo.plugins.hookspecs import hookimpl


@dataclass(frozen=True)
class Burial(Baseline):
    """Burial of the ligand: receptor heavy atoms within ``cutoff`` Å, mean over the ligand's atoms."""

    cutoff: float = 6.0  #: Å

    name: ClassVar[str] = "burial"
    summary: ClassVar[str] = "Receptor heavy atoms within a cutoff of a ligand atom, mean over the ligand."
    unit: ClassVar[str] = "atoms"
    direction: ClassVar[Literal["higher", "lower"]] = "higher"

    def measure(self, receptor: Atoms, ligand: Atoms, pair: Mapping[str, Any]) -> float:
        """See :class:`~affinity_zoo.plugins.contracts.Baseline`."""
        from affinity_zoo.zoo.chem.geometry import burial

        return burial(receptor, ligand, self.cutoff)


@hookimpl
def register_baselines() -> list[type[Baseline]]:
    """Register the baselines of this module."""
    return [Burial]
