"""Baseline ``random``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from affinity_zoo.plugins.contracts import Atoms, Baseline
from affinity_zoo.plugins.hookspecs import hookimpl


@dataclass(frozen=True)
class RandomOrder(Baseline):
    """A number from a hash of the pair's id and a seed: the same in every run, on every machine."""

    seed: int = 0  #: seed of the random order

    name: ClassVar[str] = "random"
    rival: ClassVar[bool] = False
    chance: ClassVar[bool] = True
    summary: ClassVar[str] = "A random number: the chance level of this benchmark."
    unit: ClassVar[str] = "none"
    direction: ClassVar[Literal["higher", "lower"]] = "higher"

    def measure(self, receptor: Atoms, ligand: Atoms, pair: Mapping[str, Any]) -> float:
        """See :class:`~affinity_zoo.plugins.contracts.Baseline`."""
        import hashlib

        digest = hashlib.sha256(f"{self.seed} {pair['id']}".encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64


@hookimpl
def register_baselines() -> list[type[Baseline]]:
    """Register the baselines of this module."""
    return [RandomOrder]
