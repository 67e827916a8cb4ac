"""Baseline ``contacts``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from affinity_zoo.plugins.contracts import Atoms, Baseline
from affinity_zoo.plugins.hookspecs import hookimpl


@dataclass(frozen=True)
class Contacts(Baseline):
    """Receptor-ligand heavy-atom pairs within ``cutoff`` Å, divided by the ligand's heavy atoms."""

    cutoff: float = 4.0  #: Å

    name: ClassVar[str] = "contacts"
    spoken: ClassVar[str] = "contacts per ligand atom"
    summary: ClassVar[str] = "Heavy-atom contacts within a cutoff, per ligand atom."
    unit: ClassVar[str] = "contacts/atom"
    direction: ClassVar[Literal["higher", "lower"]] = "higher"

    def measure(self, receptor: Atoms, ligand: Atoms, pair: Mapping[str, Any]) -> float:
        """See :class:`~affinity_zoo.plugins.contracts.Baseline`."""
        from affinity_zoo.zoo.chem.geometry import contacts_per_atom

        return contacts_per_atom(receptor, ligand, self.cutoff)


@hookimpl
def register_baselines() -> list[type[Baseline]]:
    """Register the baselines of this module."""
    return [Contacts]
