"""Commands: evaluate, calibrate."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.commands import completion, evaluate_options, options
from affinity_zoo.zoo.commands.parsing import names_of
from affinity_zoo.zoo.runtime.files import check_output
from affinity_zoo.zoo.runtime.keras import start_keras

Names = list[str] | None


def register(app: typer.Typer) -> None:
    """Add this family's commands to the app."""
    app.command(rich_help_panel=options.TRAIN)(evaluate)
    app.command(rich_help_panel=options.TRAIN)(calibrate)


def evaluate(
    run: evaluate_options.Run,
    data: evaluate_options.Data = None,
    scores: evaluate_options.Scores = None,
    name: evaluate_options.Name = None,
    direction: evaluate_options.Direction = None,
    column: evaluate_options.Column = None,
    id_column: evaluate_options.IdColumn = None,
    consensus: evaluate_options.Consensus = None,
    method: evaluate_options.Method = "rank,z,stack",
    learn_from: evaluate_options.LearnFrom = None,
    split: evaluate_options.Split = "test",
    views: options.Views = None,
    sources: evaluate_options.Sources = None,
    scorer: evaluate_options.Scorer = None,
    submission: evaluate_options.Submission = None,
    model_output: evaluate_options.ModelOutput = None,
    seed: options.Seed = 0,
    batch_size: options.RareBatchSize = 32,
    runs: options.Runs = Path("summaries"),
    voxelize: options.Voxelize = "auto",
    workers: options.Threads = 2,
    dask: options.Dask = "",
    json_output: options.Json = False,
) -> None:
    """Score labelled pairs with a model, and compute metrics.

    Example: affinity-zoo evaluate 1 DATA --split test
    """
    from affinity_zoo.zoo.evaluation.arguments import check_arguments
    from affinity_zoo.zoo.importers.first_use import fetch_missing

    chosen = names_of(sources) or ()
    if consensus is not None:
        _evaluate_consensus(consensus, str(data or run), method, learn_from, name, runs, scorer, json_output)
        return
    if scores is not None:
        judging = {"split": split, "sources": chosen, "scorers": tuple(scorer or ()), "runs": runs}
        _evaluate_scores(scores, data or run, name, direction, column, id_column, json_output, judging)
        return
    if submission is not None:
        check_output(submission)
    fetch_missing(run)
    check_arguments(run, data, split=split, scorers=scorer or (), runs=runs, voxelize=voxelize)
    start_keras()
    from affinity_zoo.zoo.evaluation.run import evaluate as run_evaluation

    result = run_evaluation(
        run, data, split=split, views=views, scorers=tuple(scorer or ()), runs=runs, seed=seed,
        sources=chosen, batch_size=batch_size, voxelize=voxelize, workers=workers, submission=submission,
        output=model_output, dask=dask,
    )  # fmt: skip
    _show(result, json_output, scorer or ())


def _evaluate_scores(
    scores: Path,
    data: Path | str,
    name: str | None,
    direction: str | None,
    column: str | None,
    id_column: str | None,
    json_output: bool,
    judging: dict[str, Any],
) -> None:
    """Judge scores of another program; on a terminal ask for a direction that is not known."""
    from affinity_zoo.zoo.evaluation.external import DirectionUnknownError, evaluate_scores

    given: dict[str, Any] = {"column": column, "id_column": id_column, **judging}
    called = name or scores.name.split(".")[0]
    try:
        result = evaluate_scores(scores, data, name=called, direction=direction, **given)  # type: ignore[arg-type]
    except DirectionUnknownError as error:
        if not sys.stdin.isatty():
            raise
        answer = typer.prompt(f"{error}\nhigher or lower")
        result = evaluate_scores(scores, data, name=called, direction=answer, **given)
    _show(result, json_output, judging["scorers"])


def _evaluate_consensus(
    members: str,
    benchmark: str,
    method: str,
    learn_from: str | None,
    name: str | None,
    runs: Path,
    scorer: Names,
    json_output: bool,
) -> None:
    """Judge a consensus of rows of the board, one result a method."""
    from affinity_zoo.zoo.evaluation.consensus import evaluate_consensus

    methods: Any = names_of(method)
    chosen = tuple(scorer or ())
    found = evaluate_consensus(
        names_of(members) or (), benchmark, methods=methods, learn_from=learn_from, name=name, runs=runs,
        scorers=chosen,
    )  # fmt: skip
    for result in found:
        _show(result, json_output, chosen)


def _show(result: Any, json_output: bool, scorers: Sequence[str]) -> None:
    """Print a result: all scores, or those of the scorers that were named."""
    from affinity_zoo.zoo.catalog.registry import catalog
    from affinity_zoo.zoo.evaluation.report import print_result

    print_result(result, json_output, tuple(str(catalog().create("scorer", name).name) for name in scorers))


def calibrate(
    run: Annotated[
        str,
        typer.Argument(
            help="A run (number or folder), a model or an ensemble.",
            metavar="RUN",
            autocompletion=completion.models,
        ),
    ],
    data: Annotated[
        Path,
        typer.Argument(
            help="Name of a benchmark, or an index, that is used neither for training nor for evaluation."
        ),
    ],
    method: Annotated[
        str, typer.Option(help="Method of the fit: isotonic or platt.", metavar="NAME")
    ] = "isotonic",
    split: Annotated[
        str, typer.Option(help="Rows of an index: all, test, validation or train.", metavar="NAME")
    ] = "all",
    sources: Annotated[
        str | None, typer.Option(help="Sources of the poses, comma-separated; default: all.", metavar="NAMES")
    ] = None,
    views: Annotated[int | None, typer.Option(help="Number of rotations to average.", min=1)] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="HTML page to write, with the reliability plot.", metavar="FILE"),
    ] = None,
    runs: Annotated[Path, typer.Option(help="Folder of the runs.", metavar="FOLDER")] = Path("summaries"),
) -> None:
    """Fit the probability of an RMSD below 2 Å to a model's pose score.

    Use a labelled set that serves for nothing else. `predict` then adds the column near_native_probability.

    Example: affinity-zoo calibrate 3 calibration-set --method platt
    """
    if method not in ("isotonic", "platt"):
        raise UsageError(f"--method is isotonic or platt, not {method!r}")
    if out is not None:
        check_output(out)
    start_keras()
    from affinity_zoo.zoo.evaluation.calibrate import calibrate as run_calibration
    from affinity_zoo.zoo.reports.calibration import write_calibration_page
    from affinity_zoo.zoo.runtime.terminal import say

    chosen = names_of(sources) or ()
    made, result = run_calibration(
        run,
        data,
        method="platt" if method == "platt" else "isotonic",
        split=split,
        sources=chosen,
        runs=runs,
        views=views,  # type: ignore[arg-type]
    )
    found = made.about["reliability"]
    page = out if out is not None else result.path.with_name("calibration.html")
    write_calibration_page(page, str(result.model["name"]), made.method, made.about)
    say(
        f"{made.about['rows']} poses of {made.about['groups']} groups; in cross-validation over groups: calibration "
        f"error {found['calibration_error']:.3f}, Brier score {found['brier']:.3f}"
    )
    say(f"wrote {page}; `predict` now adds the column near_native_probability and accepts --abstain")
