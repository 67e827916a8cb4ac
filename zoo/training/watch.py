"""Watchers of a training: notified of its start, epochs and end; they may stop it after an epoch."""

from __future__ import annotations

from collections.abc import Mapping

from affinity_zoo.zoo.models.recipe import Recipe
from affinity_zoo.zoo.models.run_folder import RunFolder


class Watcher:
    """Base class without actions, for example for the pruning of a search or an experiment tracker."""

    def started(self, run: RunFolder, recipe: Recipe) -> None:
        """The run has its number and its resolved recipe; nothing is trained yet.

        Args:
            run: folders of the run; a resumed run is announced again.
            recipe: every choice.
        """

    def epoch(self, number: int, train: Mapping[str, float], validation: Mapping[str, float]) -> str:
        """An epoch is whole on disk.

        Args:
            number: of the epoch, from 1.
            train: scalars of the training rows, such as ``loss``.
            validation: scalars of the validation rows.

        Returns:
            Why training should stop now; empty: it continues.
        """
        return ""

    def finished(self, run: RunFolder) -> None:
        """The model directory is written.

        Args:
            run: folders of the run.
        """
