"""Ranking of poses with trained models, for ``affinity-zoo predict``."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from affinity_zoo.zoo.prediction.output import write_predictions_csv
    from affinity_zoo.zoo.prediction.rows import PosePrediction
    from affinity_zoo.zoo.prediction.run import predict

__all__ = ["PosePrediction", "predict", "write_predictions_csv"]

#: loaded on first use: the command line checks its arguments before anything heavy is imported
_HOMES = {"PosePrediction": "rows", "predict": "run", "write_predictions_csv": "output"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
