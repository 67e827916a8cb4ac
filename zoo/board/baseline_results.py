"""Results of baselines, written once for each benchmark beside those of models."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Baseline, Predictions
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.baselines.run import default_baselines, run_baselines
from affinity_zoo.zoo.board.benchmarks import Benchmark
from affinity_zoo.zoo.board.results import command_line, load_result, write_result
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.judging.judge import default_scorers
from affinity_zoo.zoo.judging.predictions import from_dataset, labels_hash
from affinity_zoo.zoo.scorers.rescored import with_score

Array: TypeAlias = NDArray[Any]


def write_baseline_results(
    folder: Path,
    dataset: Dataset,
    rows: Array,
    predictions: Predictions,
    benchmark: Mapping[str, Any],
    baselines: Sequence[Baseline] | None = None,
    **judging: Any,
) -> list[Path]:
    """Write the missing results of baselines on a benchmark.

    Args:
        folder: results go to ``folder/<benchmark>-<hash>/<baseline>/result.json``.
        dataset: the index.
        rows: (N,) row numbers of the benchmark in the index.
        predictions: of any model on these rows, in the same order: ids and truths are taken from it.
        benchmark: as for :func:`~affinity_zoo.zoo.board.results.write_result`.
        baselines: None: :func:`default_baselines`.
        judging: ``scorers`` and ``replicates`` for ``write_result``.

    Returns:
        The JSON files, including existing ones; a baseline without a value for any row has no file.
    """
    place = Path(folder) / f"{benchmark['name']}-{str(benchmark['hash'])[:8]}"
    bare = with_score(predictions, predictions.score)
    judging.setdefault("scorers", default_scorers(bare, calibrated=False))
    judging.setdefault("command", command_line())
    chosen = default_baselines() if baselines is None else list(baselines)
    places = {baseline.name: place / _folder_name(baseline) for baseline in chosen}
    labels = labels_hash(predictions)
    missing = [baseline for baseline in chosen if not _is_there(places[baseline.name], labels)]
    scores = run_baselines(dataset, rows, missing) if missing else {}
    for baseline in missing:
        score = scores[baseline.name]
        if not np.isnan(score).all():
            model = {
                "name": _row_name(baseline),
                "kind": "baseline",
                "baseline": baseline.name,
                "options": baseline.options(),
            }
            if note := baseline.note(predictions):
                model["note"] = note
            scored = with_score(predictions, score)
            write_result(
                places[baseline.name], model=model, predictions=scored, benchmark=benchmark, **judging
            )
    return [path / "result.json" for path in places.values() if (path / "result.json").is_file()]


def _is_there(place: Path, labels: str) -> bool:
    """Return whether a folder holds a valid result on these labels."""
    try:
        return load_result(place).benchmark["labels_hash"] == labels
    except AffinityZooError:
        return False


def _row_name(baseline: Baseline) -> str:
    """Return the name of a baseline's row, with its training data or its kind of training."""
    options = baseline.options()
    if training := str(options.get("training") or ""):
        return f"{baseline.name} of {Path(training).name}"
    return f"{baseline.name} cross-validated" if "folds" in options else baseline.name


def _folder_name(baseline: Baseline) -> str:
    """Return the folder of its result, one for each training set."""
    options = baseline.options()
    if not options.get("training"):
        return baseline.name
    text = repr(sorted(options.items()))
    return f"{baseline.name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def judge_baselines(folder: Path, dataset: Dataset, rows: Array, benchmark: Benchmark) -> list[Path]:
    """Evaluate the default baselines on a benchmark: :func:`write_baseline_results` with the truths of its index.

    Args:
        folder: Folder to write to.
        dataset: The index.
        rows: (N,) row numbers.
        benchmark: Set that is judged: its name, hash, rows and sources.
    """
    table = from_dataset(dataset, rows, np.full(len(rows), np.nan))
    return write_baseline_results(folder, dataset, rows, table, benchmark.as_result_entry())
