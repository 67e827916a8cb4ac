"""Run baselines over an index."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Baseline, Predictions
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.baselines.pairs import IndexedMeasuredPairs
from affinity_zoo.zoo.runtime.terminal import warn

if TYPE_CHECKING:
    from affinity_zoo.zoo.board.benchmarks import Benchmark
    from affinity_zoo.zoo.data.store.dataset import Dataset

Array: TypeAlias = NDArray[Any]

TRAINING = "training"  #: option of the baselines that learn from an index


def default_baselines() -> list[Baseline]:
    """The baselines that stand on every board, those of plugins too."""
    return [cls() for cls in baseline_classes() if cls.on_every_board]


def learned_baselines(trained_on: Path | None) -> list[Baseline]:
    """The baselines that learn from the index that a model was trained on.

    There are none where the index is gone, or has no label in its training rows (a model taught by others only).

    Args:
        trained_on: folder of the index; None: it is not known.
    """
    from affinity_zoo.zoo.data.store.dataset import Dataset

    try:
        if trained_on is None:
            return []
        dataset = Dataset.open(trained_on)
        rows = dataset.rows("train")
        if not any(
            np.isfinite(dataset.column(name)[rows]).any() for name in ("pose_label", "active", "affinity")
        ):
            return []
    except AffinityZooError:
        return []
    folder: dict[str, Any] = {"training": str(trained_on.resolve())}
    return [cls(**folder) for cls in baseline_classes() if TRAINING in {f.name for f in fields(cls)}]  # type: ignore[arg-type]


def baseline_classes() -> list[type[Baseline]]:
    """The classes of all usable baselines, built-ins first."""
    from affinity_zoo.zoo.catalog.registry import catalog

    found = catalog().entries("baseline")
    return [cast(type[Baseline], entry.cls) for entry in found if entry.cls and entry.state == "loaded"]


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
        try:
            together = baseline.measure_all(pairs)
        except Exception as error:
            _leave_out(baseline, error)
            continue
        if together is None:
            single.append(baseline)
        else:
            scores[baseline.name] = signs[baseline.name] * together
    for i, (receptor, ligand, pair) in enumerate(pairs):
        for baseline in list(single):
            try:
                scores[baseline.name][i] = signs[baseline.name] * baseline.measure(receptor, ligand, pair)
            except Exception as error:
                _leave_out(baseline, error)
                single.remove(baseline)
                scores[baseline.name][:] = np.nan
        if advance is not None:
            advance(1)
    return scores


def _leave_out(baseline: Baseline, error: Exception) -> None:
    """Say which plugin's baseline failed, and go on without it; an error of a built-in is raised."""
    from affinity_zoo.zoo.catalog.registry import blame

    reason = blame(error)
    if not reason:
        raise error
    warn(f"the baseline {baseline.name} is left out: {reason}")


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
    """Whether a folder holds a sound result on these labels."""
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
