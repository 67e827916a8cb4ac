"""Experiment trackers: watchers that copy recipe, curves and files of a training to where people look at them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from importlib import import_module
from typing import Any

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.models.recipe import Recipe
from affinity_zoo.zoo.models.run_folder import RunFolder
from affinity_zoo.zoo.training.watch import Watcher

EXPERIMENT = "affinity-zoo"
RUN_FILE = "mlflow_run.txt"  #: in the logs: the tracker's run, which a resumed training continues


class MlflowTracker(Watcher):
    """Parameters, curves and files in MLflow, on the server that MLflow's ``MLFLOW_TRACKING_URI`` names."""

    def __init__(self) -> None:
        try:
            self._mlflow: Any = import_module("mlflow")
        except ImportError as error:
            raise AffinityZooError(
                "the tracker mlflow needs MLflow: pip install 'affinity-zoo[mlflow]'"
            ) from error

    def started(self, run: RunFolder, recipe: Recipe) -> None:
        """Open a run, or the one that a stopped training had."""
        file = run.logs / RUN_FILE
        known = file.read_text(encoding="utf-8").strip() if file.is_file() else None
        self._mlflow.end_run()  # of a training in this process that was stopped
        self._mlflow.set_experiment(EXPERIMENT)
        active = self._mlflow.start_run(run_id=known, run_name=None if known else f"run {run.x}")
        file.write_text(f"{active.info.run_id}\n", encoding="utf-8")
        if known is None:
            self._mlflow.log_params(flat(asdict(recipe)))

    def epoch(self, number: int, train: Mapping[str, float], validation: Mapping[str, float]) -> str:
        """Add one point to each curve."""
        for part, scalars in (("train", train), ("validation", validation)):
            values = {f"{part}/{name}": value for name, value in scalars.items() if math.isfinite(value)}
            self._mlflow.log_metrics(values, step=number)
        return ""

    def finished(self, run: RunFolder) -> None:
        """Keep the recipe and the card, and close the run."""
        for name in ("recipe.toml", "card.json"):
            if (run.model / name).is_file():
                self._mlflow.log_artifact(str(run.model / name))
        self._mlflow.end_run()


#: built-in trackers by name
TRACKERS: dict[str, type[Watcher]] = {"mlflow": MlflowTracker}


def find_tracker(name: str) -> Watcher:
    """Make a tracker.

    Args:
        name: a built-in one (``mlflow``), or ``package.module:Class`` of a
            :class:`~affinity_zoo.zoo.training.watch.Watcher` that is made without arguments.

    Raises:
        UsageError: no tracker has this name, or the class is not a watcher.
        AffinityZooError: what it needs is not installed.
    """
    if name in TRACKERS:
        return TRACKERS[name]()
    module, colon, attribute = name.partition(":")
    if not colon:
        raise UsageError(f"`tracker={name!r}`: there are {', '.join(TRACKERS)}, or package.module:Class")
    try:
        cls = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"`tracker={name!r}`: {error}") from error
    if not (isinstance(cls, type) and issubclass(cls, Watcher)):
        raise UsageError(f"`tracker={name!r}`: {attribute} is not a subclass of affinity_zoo's Watcher")
    return cls()


def flat(table: Mapping[str, Any], before: str = "") -> dict[str, str]:
    """A nested table as ``training.epochs`` and so on, values as text of at most 500 characters."""
    found: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{before}{key}.")
        else:
            found[f"{before}{key}"] = str(value)[:500]
    return found
