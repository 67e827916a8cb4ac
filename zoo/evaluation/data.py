"""Inputs of an evaluation: rows of a benchmark or index, and scorers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Predictions, Scorer
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.board.benchmarks import FOLDER, Benchmark, check, find, select_rows
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.judging.judge import default_scorers, metric_key


def judged_rows(
    data: str | Path, split: str, sources: tuple[str, ...], runs: Path
) -> tuple[Dataset, NDArray[np.int64], dict[str, Any]]:
    """Find the rows to evaluate.

    Args:
        data: name of a benchmark below ``runs``, or the folder of an index.
        split: of a folder.
        sources: of a folder; empty: all.
        runs: Folder that holds ``x_logs`` and ``x_netstate`` of each run.

    Returns:
        The index, the numbers of its rows that are judged, and their description in a result.

    Raises:
        AffinityZooError: the index cannot be opened, is not what the benchmark was, or has no such rows.
    """
    known = _benchmark(data, runs)
    if known is not None:
        dataset = Dataset.open(known.path)
        return dataset, select_rows(dataset, known.split, known.sources), known.as_result_entry()
    dataset = Dataset.open(Path(data))
    benchmark = {
        "name": benchmark_name(dataset, split, sources),
        "hash": dataset.content_hash,
        "path": str(dataset.path.resolve()),
        "split": split,
        "sources": list(sources),
    }
    return dataset, select_rows(dataset, split, sources), benchmark


def benchmark_name(dataset: Dataset, split: str, sources: tuple[str, ...]) -> str:
    """Name the evaluated rows: data, split and sources.

    Args:
        dataset: The index.
        split: ``train``, ``validation``, ``test`` or ``all``.
        sources: Sources of the poses; empty: all.
    """
    parts = [dataset.path.resolve().name, split, *sources]
    return "-".join(part for part in parts if part)


def count_failures(dataset: Dataset) -> int:
    """Number of inputs of an index that never became a pair.

    Args:
        dataset: The index.
    """
    path = dataset.path / "failures.csv"
    if not path.is_file():
        return 0
    with path.open(encoding="utf-8") as file:
        return max(sum(1 for _ in file) - 1, 0)


def _benchmark(data: str | Path | None, runs: Path) -> Benchmark | None:
    """The benchmark that ``data`` names, if there is one; a folder of the same name is ``./name``."""
    if data is None or Path(data).name != str(data) or not (runs / FOLDER / f"{data}.json").is_file():
        return None
    found = find(runs, str(data))
    changed = check(found)
    if changed:
        raise AffinityZooError(f"benchmark {found.name!r} cannot be used: {changed}; index its source again")
    return found


def named_scorers(names: tuple[str, ...]) -> list[Scorer]:
    """The scorers of these names, with their default options.

    Args:
        names: Names or aliases of scorers.

    Raises:
        UsageError: one is unknown.
    """
    from affinity_zoo.zoo.catalog.registry import catalog

    return [catalog().create("scorer", name, {}) for name in names]


def with_defaults(
    named: list[Scorer], predictions: Predictions, threshold: float | None, calibrated: bool = True
) -> list[Scorer]:
    """Return the scorers of every board, and additionally requested ones.

    Args:
        named: Names of additional scorers.
        predictions: Scores and truths of N rows.
        threshold: Threshold chosen on validation data; None: the default.
        calibrated: Whether the score is a logit or pK.
    """
    standing = default_scorers(predictions, threshold, calibrated)
    keys = {metric_key(scorer) for scorer in standing}
    return [*standing, *(scorer for scorer in named if metric_key(scorer) not in keys)]
