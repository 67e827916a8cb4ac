"""State of a training over epochs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

#: monitors of which less is better
_LOWER = frozenset({"loss", "rmse", "rmse-rmsd"})


@dataclass
class History:
    """Scalars by epoch, and which epoch was best on validation."""

    monitor: str
    epochs: list[dict[str, Any]] = field(default_factory=list)
    best_epoch: int = 0
    best_value: float = math.nan
    images_per_s: float = 0.0

    def add(self, epoch: int, train: dict[str, float], validation: dict[str, float]) -> None:
        """Add an epoch (from 1) and return whether it is the best. Without validation the last is the best.

        Args:
            epoch: Epoch of the training, from 1.
            train: Metrics of the training rows.
            validation: Metrics of the validation rows.
        """
        self.epochs.append({"epoch": epoch, "train": train, "validation": validation})
        value = validation.get(self.monitor, math.nan)
        sign = -1.0 if self.monitor in _LOWER else 1.0
        if not validation or math.isnan(self.best_value) or sign * value > sign * self.best_value:
            self.best_epoch, self.best_value = epoch, value

    def state(self) -> dict[str, Any]:
        """Return the state for the checkpoint, ready for JSON (NaN as null)."""
        return {
            "monitor": self.monitor,
            "epochs": [
                {"epoch": e["epoch"], "train": _plain(e["train"]), "validation": _plain(e["validation"])}
                for e in self.epochs
            ],
            "best_epoch": self.best_epoch,
            "best_value": _plain({"best": self.best_value})["best"],
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> History:
        """Restore it from a checkpoint.

        Args:
            state: State from a checkpoint.
        """
        best = math.nan if state["best_value"] is None else state["best_value"]
        return cls(state["monitor"], list(state["epochs"]), state["best_epoch"], best)


def _plain(scalars: dict[str, float | None]) -> dict[str, float | None]:
    return {k: None if value is None or math.isnan(value) else value for k, value in scalars.items()}
