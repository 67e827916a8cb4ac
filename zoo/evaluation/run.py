"""Evaluation on labelled pairs: the function behind ``affinity-zoo evaluate``."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Box, Predictions
from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.baselines.run import learned_baselines
from affinity_zoo.zoo.batches.fits import fits_box
from affinity_zoo.zoo.board.baseline_results import write_baseline_results
from affinity_zoo.zoo.board.overlap import as_dict, overlap_with_training
from affinity_zoo.zoo.board.results import Result, command_line, load_result, write_result
from affinity_zoo.zoo.board.unseen import with_seen
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.evaluation.ancestor_files import write_ancestor_files
from affinity_zoo.zoo.evaluation.data import count_failures, judged_rows, named_scorers, with_defaults
from affinity_zoo.zoo.inference.choices import ScoringChoices
from affinity_zoo.zoo.inference.columns import COLUMNS, OutputColumns
from affinity_zoo.zoo.inference.combine import combine, finite
from affinity_zoo.zoo.inference.ready import ready
from affinity_zoo.zoo.inference.rows import score_rows_together
from affinity_zoo.zoo.judging.outputs import (
    PREFERENCE,
    PRODUCT,
    as_score,
    column_of,
    output_for,
    outputs_of,
    unit_of,
)
from affinity_zoo.zoo.judging.predictions import from_dataset, known_rows
from affinity_zoo.zoo.models import loading as models
from affinity_zoo.zoo.models.candidates import Candidate, describe, find_candidate
from affinity_zoo.zoo.models.run_folder import DEFAULT_ROOT
from affinity_zoo.zoo.runtime.dask_cluster import dask_cluster
from affinity_zoo.zoo.runtime.terminal import warn


def evaluate(
    run: str | int | os.PathLike[str],
    data: str | Path | None = None,
    *,
    split: str = "test",
    views: int | None = None,
    sources: tuple[str, ...] = (),
    scorers: tuple[str, ...] = (),
    runs: str | Path = DEFAULT_ROOT,
    seed: int = 0,
    batch_size: int = 32,
    voxelize: str = "auto",
    workers: int = 2,
    submission: str | Path | None = None,
    output: str | None = None,
    dask: str = "",
) -> Result:
    """Score the pairs of a split, average over views, rank, compute metrics, and write the result.

    Args:
        run: a run as ``train`` returned it, its number below ``runs``, one of its folders, a model or
            ensemble directory, or the name of a shipped model.
        data: a folder made by ``affinity-zoo index``, or the name of a benchmark below ``runs``; None: the
            folder that the run was trained on.
        split: ``test``, ``validation``, ``train`` or ``all``.
        views: fixed rotations averaged for each pair, the file's own first; None: as many as the model's card says.
        sources: judge only poses from these sources (crystal, crystal_relaxed, near_native, docked);
            empty: all.
        scorers: names of scorers in addition to those of every board.
        seed: of the views.
        batch_size: pairs at once.
        voxelize: where images are made: ``auto``, ``host`` or ``device``.
        workers: threads that make batches.
        submission: write the Kaggle file (``Id,Expected``) there too.
        output: judge every truth by this output of the model: ``pose``, ``activity``, ``affinity``, ``rmsd``,
            or ``product`` (probability times affinity).
            None: each by its own (:data:`affinity_zoo.zoo.judging.outputs.PREFERENCE`).
        dask: address of a Dask scheduler to score on; empty: here.

    Returns:
        The result; ``x_predictions.txt``, ``x_scores.txt``, ``predictions.csv`` and ``result.json`` are
        beside it.

    Raises:
        UsageError: an unknown split, scorer or place, or an output that the model does not have.
        AffinityZooError: there is no such run, model or index, or no row to judge.
    """
    started = time.perf_counter()
    # report an unknown name before the scoring
    named = named_scorers(scorers)
    candidate = find_candidate(run, Path(runs))
    model = candidate.model
    wanted = _outputs(candidate, output)
    choices = ScoringChoices(views, seed, batch_size, voxelize, workers).resolved(
        m.card for m in candidate.models
    )
    judged = data if data is not None else candidate.data()
    dataset, rows, benchmark = judged_rows(judged, split, sources, Path(runs))
    warn_of_other_reading(dataset, model)
    cluster = dask_cluster(dask) if dask else None
    scorers_ = [ready(m) for m in candidate.models]
    outputs = score_rows_together(scorers_, dataset, rows, choices, cluster)
    _warn_of_unscored(outputs, str(model.card["name"]))
    columns = combine(scorers_, outputs)
    predictions = _with_scores(dataset, rows, columns, candidate, wanted)
    threshold = candidate.threshold if any(unit_of(name) == "logit" for name in wanted) else None
    described, training = describe(candidate)
    training["mean_affinity"] = mean_affinity(candidate.trained_on)
    place = str(benchmark["name"])
    if output is not None:
        described["name"], place = f"{described['name']} by {output}", f"{place}-by-{output}"
        described["output"] = output
    overlap = overlap_with_training(
        candidate.training_pairs(), dataset, rows, candidate.trained_on, [m.folder for m in candidate.models]
    )
    path = write_result(
        candidate.logs / "results" / place,
        model=described,
        predictions=with_seen(predictions, overlap),
        benchmark=benchmark,
        training=training,
        seeds=[model.recipe.training.seed, seed],
        views=choices.n_views,
        command=command_line(),
        wall_time_s=time.perf_counter() - started,
        n_failed=count_failures(dataset),
        overlap=as_dict(overlap),
        scorers=with_defaults(named, predictions, threshold),
        threshold=threshold,
    )
    # the baselines are on every board: evaluate them once per benchmark
    baselines = candidate.root / "baselines"
    write_baseline_results(baselines, dataset, rows, predictions, benchmark)
    if learned := learned_baselines(candidate.trained_on):
        write_baseline_results(baselines, dataset, rows, predictions, benchmark, learned)
    result = load_result(path)
    write_ancestor_files(candidate.logs, candidate.x, result)
    if submission is not None:
        from affinity_zoo.zoo.evaluation.submission import write_submission

        write_submission(Path(submission), predictions)
    return result


def _warn_of_unscored(outputs: Sequence[NDArray[np.float64]], name: str) -> None:
    """Warn of rows with an output that is no finite number: :func:`combine` gives them no score.

    Raises:
        AffinityZooError: no row has a score.
    """
    wrong = ~finite(outputs)
    if wrong.any() and wrong.all():
        raise AffinityZooError(
            f"{name}: no output of the network is a finite number; get or train the model again"
        )
    if wrong.any():
        warn(
            f"{int(wrong.sum()):,} of {len(wrong):,} rows have no score: the network's output is not a number"
        )


def mean_affinity(trained_on: Path | None) -> float | None:
    """Mean pK of the training pairs of an index, bounds left out; None: the index does not exist any more, or has none.

    Args:
        trained_on: Folder of the training index; None: not known.
    """
    try:
        dataset = Dataset.open(trained_on) if trained_on is not None else None
        rows = dataset.rows("train") if dataset is not None else np.zeros(0, np.int64)
    except AffinityZooError:
        return None
    if dataset is None or not len(rows):
        return None
    table = from_dataset(dataset, rows, np.full(len(rows), np.nan))
    known = known_rows(table, "affinity")
    return float(table.affinity[known].mean()) if known.any() else None


def _outputs(candidate: Candidate, wanted: str | None) -> tuple[str, ...]:
    """Return the evaluated outputs: those that every model of the candidate has, or the requested one."""
    each = [outputs_of(model.card) for model in candidate.models]
    common = tuple(name for name in each[0] if all(name in others for others in each))
    if wanted == PRODUCT and "affinity" in common and {"pose", "activity"} & set(common):
        return (PRODUCT,)
    if wanted is not None and wanted not in common:
        raise UsageError(
            f"`output={wanted!r}`: {candidate.x} has {', '.join(common) or 'no output in common'}"
        )
    if not common:
        raise AffinityZooError(f"the members of {candidate.x} have no output in common")
    return common if wanted is None else (wanted,)


def _with_scores(
    dataset: Dataset,
    rows: NDArray[np.int64],
    columns: Mapping[str, NDArray[np.float64]],
    candidate: Candidate,
    wanted: tuple[str, ...],
) -> Predictions:
    """Put combined scores beside the truths of their rows; a row without a finite score has none."""
    main = _main_output(dataset, rows, wanted)
    extra: dict[str, NDArray[Any]] = {column_of(name): columns[_column(name).value] for name in wanted}
    if _column(main).spread in columns:
        extra["score_sd"] = columns[_column(main).spread]
    if label := next((name for name in wanted if _column(name).probability), None):
        extra["probability"] = columns[_column(label).probability]
    boxes = list(
        dict.fromkeys(model.box for model in candidate.models)
    )  # each one is evaluated and reported once
    extra["cropped"] = np.max([cropped(dataset, rows, box) for box in boxes], axis=0)
    return from_dataset(dataset, rows, as_score(main, columns[_column(main).value]), extra)


def _column(output: str) -> OutputColumns:
    """The combined columns of an output; the product has one alone."""
    return OutputColumns(PRODUCT, "") if output == PRODUCT else COLUMNS[output]


def _main_output(dataset: Dataset, rows: NDArray[np.int64], outputs: tuple[str, ...]) -> str:
    """The output that ``score`` is: the one for the first truth that the rows have."""
    present = (truth for truth in PREFERENCE if np.isfinite(dataset.column(truth)[rows]).any())
    truth = next(present, None)
    found = outputs[0] if truth is None else output_for(truth, outputs)
    return found or outputs[0]


def cropped(dataset: Dataset, rows: NDArray[np.int64], box: Box) -> NDArray[np.int64]:
    """1 where the ligand is too long for the model's box in some rotation, so that part of it is cut off.

    Args:
        dataset: The index.
        rows: (N,) row numbers.
        box: The model's box.
    """
    too_long = np.array([not fits_box(dataset, int(s), box) for s in dataset.ligand_structure[rows]])
    if too_long.any():
        warn(f"{too_long.sum()} of {len(rows)} ligands are too long for a box of {box.extent:g} Å: cropped")
    return too_long.astype(np.int64)


def warn_of_other_reading(dataset: Dataset, model: models.Model, say: Callable[[str], None] = warn) -> None:
    """Warn if read options differ from those of the training.

    Args:
        dataset: The index.
        model: Loaded model, with the read options of its training data.
        say: Receives the warning.
    """
    trained = dict(model.recipe.data.read_options)
    indexed = {
        "typing": "bonds",
        **dataset.read_options,
    }  # an index states its typing only if it is not the default
    for name, wanted in trained.items():
        value = indexed.get(name, wanted)
        if value != wanted:
            say(
                f"{dataset.path} was read with {name}={value}, the model was trained with {name}={wanted}; "
                f"to read as for the model, use `index --read {name}={wanted}`"
            )
