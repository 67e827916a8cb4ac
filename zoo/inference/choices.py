"""Scoring options: everything that determines a score besides the model and the atoms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from affinity_zoo.featurizers.views import View, fixed_views
from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.models.cards import default_views

PLACES = ("auto", "host", "device")


@dataclass(frozen=True)
class ScoringChoices:
    """Options of scoring.

    Args:
        views: fixed rotations that the outputs are averaged over, the file's own orientation first; None: as many as
            the model's card says (:meth:`resolved`).
        seed: of the list of rotations.
        batch_size: images at once.
        voxelize: where images are made: ``auto``, ``host`` or ``device``.
        threads: threads that make batches.
        mixed_precision: compute the network's convolutions in bfloat16, where the device is faster in it.

    Raises:
        UsageError: a value is out of its range.
    """

    views: int | None = None
    seed: int = 0
    batch_size: int = 32
    voxelize: str = "auto"
    threads: int = 2
    mixed_precision: bool = False

    def __post_init__(self) -> None:
        for name in ("views", "batch_size", "threads"):
            number = getattr(self, name)
            if number is not None and number < 1:
                raise UsageError(f"`{name}` must be at least 1, not {number}")
        if self.voxelize not in PLACES:
            raise UsageError(f"`voxelize` must be one of {', '.join(PLACES)}, not {self.voxelize!r}")

    def resolved(self, cards: Iterable[Mapping[str, Any]]) -> ScoringChoices:
        """Set an open number of views to that of the models.

        Args:
            cards: of the models; of several, the largest number counts.

        Returns:
            Choices whose number of views is set.
        """
        return self if self.views is not None else replace(self, views=default_views(cards))

    @property
    def n_views(self) -> int:
        """The number of views; choices that are not resolved are an error."""
        if self.views is None:
            raise ValueError("the number of views is open: call resolved() with the models' cards")
        return self.views

    def fixed_views(self) -> tuple[View, ...]:
        """The views, a function of seed and number alone: equal poses have equal images."""
        return fixed_views(self.seed, self.n_views)
