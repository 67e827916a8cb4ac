"""Checks of an evaluation that do not need Keras."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.board.benchmarks import FOLDER
from affinity_zoo.zoo.catalog.registry import catalog
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.models.folders import Name, find_model_folders

SPLITS = ("test", "validation", "train", "all")
PLACES = ("auto", "host", "device")


def check_arguments(
    run: Name, data: str | Path | None, *, split: str, scorers: Sequence[str], runs: Path, voxelize: str
) -> None:
    """Check the arguments of an evaluation without Keras.

    Args:
        run, data, split, scorers, runs, voxelize: as :func:`~affinity_zoo.zoo.evaluation.run.evaluate` takes them.

    Raises:
        UsageError: an unknown name or value.
        AffinityZooError: the model or the data is not there.
    """
    if split not in SPLITS:
        raise UsageError(f"`split` is one of {', '.join(SPLITS)}, not {split!r}")
    if voxelize not in PLACES:
        raise UsageError(f"`voxelize` is one of {', '.join(PLACES)}, not {voxelize!r}")
    for name in scorers:
        catalog().create("scorer", name, {})
    find_model_folders([run], runs)
    if data is not None and not (runs / FOLDER / f"{data}.json").is_file():
        Dataset.open(Path(data))
