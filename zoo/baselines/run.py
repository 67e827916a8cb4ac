"""Run baselines over an index."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Baseline, Predictions
from affinity_zoo.zoo.baselines.pairs import IndexedMeasuredPairs

if TYPE_CHECKING:
    from affinity_zoo.zoo.board.benchmarks import Benchmark
    from affinity_zoo.zoo.data.store.dataset import Dataset

Array: TypeAlias = NDArray[Any]

#: on every board, in this order
DEFAULT_BASELINES = (
    "best-possible", "burial", "contacts", "shortest-distance", "ligand-size", "docking-score",
    "ligand-only", "receptor-only", "receptor-only-site", "random",
)  # fmt: skip


def default_baselines() -> list[Baseline]:
    """The baselines that stand on every board; plugins' own are run by name."""
    from affinity_zoo.zoo.catalog.registry import catalog

    return [catalog().create("baseline", name, {}) for name in DEFAULT_BASELINES]


def run_baselines(
    dataset: Dataset,
    rows: Array,
    baselines: Sequence[Baseline] | None = None,
    advance: Callable[[int], Any] | None = None,
) -> dict[str, NDArray[np.float64]]:
    """Measure some rows of an index by each baseline.

    Args:
        dataset: the index.
        rows: (N,) row numbers.
        baselines: None: :func:`default_baselines`.
        advance: called with the number of rows just done.

    Returns:
        By name, (N,) scores, larger is better: the sign is turned where lower is better. NaN where
        the baseline says nothing.
    """
    chosen = default_baselines() if baselines is None else list(baselines)
    pairs = IndexedMeasuredPairs(dataset, np.asarray(rows))
    scores = {baseline.name: np.full(len(pairs), np.nan) for baseline in chosen}
    signs = {baseline.name: 1.0 if baseline.direction == "higher" else -1.0 for baseline in chosen}
    single = []
    for baseline in chosen:
        together = baseline.measure_all(pairs)
        if together is None:
            single.append(baseline)
        else:
            scores[baseline.name] = signs[baseline.name] * together
    for i, (receptor, ligand, pair) in enumerate(pairs):
        for baseline in single:
            scores[baseline.name][i] = signs[baseline.name] * baseline.measure(receptor, ligand, pair)
        if advance is not None:
            advance(1)
    return scores


def write_baseline_results(
    folder: Path,
    dataset: Dataset,
    rows: Array,
    predictions: Predictions,
    benchmark: Mapping[str, Any],
    baselines: Sequence[Baseline] | None = None,
    **judging: Any,
) -> list[Path]:
    """Write the result of every baseline on a benchmark, where it is not there yet.

    Args:
        folder: results go to ``folder/<benchmark>-<hash>/<baseline>/result.json``.
        dataset: the index.
        rows: (N,) row numbers of the benchmark in the index.
        predictions: of any model on these rows, in the same order: ids and truths are taken from it.
        benchmark: as for :func:`~affinity_zoo.zoo.board.results.write_result`.
        baselines: None: :func:`default_baselines`.
        judging: ``scorers`` and ``replicates`` for ``write_result``.

    Returns:
        The JSON files, those that were there already too; a baseline that says nothing of any row has none.
    """
    from affinity_zoo.zoo.board.results import command_line, write_result
    from affinity_zoo.zoo.judging.judge import default_scorers
    from affinity_zoo.zoo.judging.predictions import labels_hash
    from affinity_zoo.zoo.scorers.rescored import with_score

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
            model = {"name": _row_name(baseline), "kind": "baseline", "options": baseline.options()}
            if note := _note(baseline, predictions):
                model["note"] = note
            scored = with_score(predictions, score)
            write_result(
                places[baseline.name], model=model, predictions=scored, benchmark=benchmark, **judging
            )
    return [path / "result.json" for path in places.values() if (path / "result.json").is_file()]


def _is_there(place: Path, labels: str) -> bool:
    """Whether a folder holds a sound result on these labels."""
    from affinity_zoo.plugins.errors import AffinityZooError
    from affinity_zoo.zoo.board.results import load_result

    try:
        return load_result(place).benchmark["labels_hash"] == labels
    except AffinityZooError:
        return False


def _row_name(baseline: Baseline) -> str:
    """The name of a baseline's row: with the data where it has a training set, or how it learnt without one."""
    options = baseline.options()
    if training := str(options.get("training") or ""):
        return f"{baseline.name} of {Path(training).name}"
    return f"{baseline.name} cross-validated" if "folds" in options else baseline.name


def _note(baseline: Baseline, predictions: Predictions) -> str:
    """What must be known to read a baseline's row."""
    if baseline.name == "docking-score" and np.any(predictions.source == "crystal"):
        return "crystal poses are not minimised: no fair rival here"
    return ""


def _folder_name(baseline: Baseline) -> str:
    """A folder for its result: one for each training set."""
    options = baseline.options()
    if not options.get("training"):
        return baseline.name
    text = repr(sorted(options.items()))
    return f"{baseline.name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def judge_baselines(folder: Path, dataset: Dataset, rows: Array, benchmark: Benchmark) -> list[Path]:
    """Judge the default baselines on a benchmark: :func:`write_baseline_results` with the truths of its index."""
    from affinity_zoo.zoo.judging.predictions import from_dataset

    table = from_dataset(dataset, rows, np.full(len(rows), np.nan))
    return write_baseline_results(folder, dataset, rows, table, benchmark.as_result_entry())
