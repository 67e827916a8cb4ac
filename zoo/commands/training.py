"""Commands: train, evaluate, calibrate."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.commands import completion, options
from affinity_zoo.zoo.runtime.files import check_output
from affinity_zoo.zoo.runtime.keras import start_keras

Names = list[str] | None


def register(app: typer.Typer) -> None:
    """Add this family's commands to the app."""
    app.command(rich_help_panel=options.TRAIN)(train)
    app.command(rich_help_panel=options.TRAIN)(evaluate)
    app.command(rich_help_panel=options.TRAIN)(calibrate)


def key_values(given: list[str] | None, flag: str) -> dict[str, str]:
    """Parse ``key=value`` options."""
    parsed = {}
    for text in given or []:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError(f"{flag} takes key=value, not {text!r}; `affinity-zoo show NAME` lists the keys")
        parsed[key.strip().replace("-", "_")] = value
    return parsed


def names_of(text: str | None) -> tuple[str, ...] | None:
    """Parse a comma-separated list."""
    return None if text is None else tuple(part.strip() for part in text.split(","))


def numbers_of(text: str | None) -> tuple[float, ...] | None:
    """Parse a comma-separated list of numbers."""
    if text is None:
        return None
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"--task-weights is {text!r}: give numbers such as 1,0.5") from None


def parse_box(text: str | None) -> tuple[int, float] | None:
    """Parse ``40x0.5``: voxels along an edge, spacing in Å."""
    if text is None:
        return None
    side, _, spacing = text.partition("x")
    try:
        parsed = int(side), float(spacing)
    except ValueError:
        parsed = 0, 0.0
    if parsed[0] < 1 or not 0 < parsed[1] < 100:
        raise UsageError(
            f"--box is {text!r}: give voxels along an edge and their spacing in Å, such as 40x0.5"
        )
    return parsed


def train(
    data: Annotated[Path, typer.Argument(help="Folder made by `affinity-zoo index`.", metavar="DATA")],
    featurizer: options.Featurizer = None,
    architecture: options.Architecture = None,
    featurizer_option: options.FeaturizerOptions = None,
    architecture_option: options.ArchitectureOptions = None,
    recipe: Annotated[
        str | None, typer.Option(help="Recipe: a TOML file, or the preset ancestor.", metavar="FILE")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Total number of epochs.", show_default="10", metavar="N")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Batch size: poses per step.", show_default="32", metavar="N")
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Learning rate.", show_default="3e-4", metavar="X")
    ] = None,
    box: options.Box = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Seed of the training.", show_default="0", metavar="N"),
    ] = None,
    false_positive_weight: Annotated[
        float | None,
        typer.Option(help="Weight of negative poses in the loss.", show_default="1", metavar="X"),
    ] = None,
    balance: Annotated[
        str | None,
        typer.Option(
            help="Balancing of the labels: oversample or none.", show_default="oversample", metavar="HOW"
        ),
    ] = None,
    monitor: Annotated[
        str | None,
        typer.Option(
            help="Validation score that chooses the epoch.",
            metavar="NAME",
        ),
    ] = None,
    early_stopping: Annotated[
        int | None,
        typer.Option(
            help="Epochs without gain before it stops; 0: never.",
            metavar="N",
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            help="Tasks: pose,activity,affinity,rmsd.",
            show_default="pose",
            metavar="NAMES",
        ),
    ] = None,
    task_weights: Annotated[
        str | None,
        typer.Option(help="Weight of each task in the loss.", show_default="1 each", metavar="X,X"),
    ] = None,
    affinity_loss: Annotated[
        str | None,
        typer.Option(
            help="Loss of affinity and RMSD: huber (linear beyond 1 pK or Å) or mse.",
            show_default="huber",
            metavar="NAME",
            hidden=True,
        ),
    ] = None,
    affinity_on_wrong_poses: Annotated[
        str | None,
        typer.Option(
            help="Affinity of wrong poses: masked (not learnt), or one-sided (only too high a prediction costs).",
            show_default="masked",
            metavar="HOW",
            hidden=True,
        ),
    ] = None,
    sources: Annotated[
        str | None,
        typer.Option(
            help="Poses to train on: crystal,docked,...",
            show_default="all",
            metavar="NAMES",
        ),
    ] = None,
    mixed_precision: Annotated[
        bool | None,
        typer.Option("--mixed-precision", help="Compute the network in half precision."),
    ] = None,
    shuffle_labels: Annotated[
        bool | None,
        typer.Option("--shuffle-labels", help="Shuffle the labels: a control that must not learn."),
    ] = None,
    teacher: Annotated[
        list[str] | None,
        typer.Option(
            help="Teacher model to distil; may be repeated.",
            metavar="MODEL",
            autocompletion=completion.models,
        ),
    ] = None,
    teacher_views: Annotated[
        int | None,
        typer.Option(
            help="Rotations that the teachers' outputs are averaged over.",
            show_default="1",
            metavar="N",
            hidden=True,
        ),
    ] = None,
    truth_share: Annotated[
        float | None,
        typer.Option(
            help="Weight of a known label beside the teachers' output, 0 to 1.",
            show_default="0.5",
            metavar="X",
            hidden=True,
        ),
    ] = None,
    optimizer: Annotated[
        str | None, typer.Option(help="Optimizer: adam or adamw.", show_default="adam", metavar="NAME")
    ] = None,
    weight_decay: Annotated[
        float | None,
        typer.Option(help="Weight decay of adamw.", show_default="0", metavar="X", hidden=True),
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(help="Learning rate: constant, or cosine with warm-up.", metavar="NAME"),
    ] = None,
    warm_up: Annotated[
        float | None,
        typer.Option(
            help="Fraction of the steps of the warm-up.",
            show_default="0.05",
            metavar="X",
            hidden=True,
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Model to fine-tune; it determines the architecture.",
            metavar="MODEL",
            autocompletion=completion.models,
        ),
    ] = None,
    freeze: Annotated[
        int,
        typer.Option(
            help="With --from: number of first layers that are frozen.",
            min=0,
            metavar="N",
            show_default=False,
        ),
    ] = 0,
    resume: Annotated[
        str | None,
        typer.Option(
            help="Run to resume (number or folder).",
            metavar="RUN",
            autocompletion=completion.runs,
        ),
    ] = None,
    runs: options.Runs = Path("summaries"),
    voxelize: options.Voxelize = "auto",
    workers: options.Threads = 2,
    logical_cpus: Annotated[
        int,
        typer.Option(
            help="Number of logical CPU devices to train on, to test distribution.", metavar="N", hidden=True
        ),
    ] = 0,
    distributed: Annotated[
        bool,
        typer.Option("--distributed", help="Train with the other tasks of this Slurm step."),
    ] = False,
    tracker: Annotated[
        Names,
        typer.Option(
            help="Copy recipe and curves to a tracker: mlflow, or package.module:Class; may be repeated.",
            metavar="NAME",
            hidden=True,
        ),
    ] = None,
) -> None:
    """Train a featurizer with an architecture on an index.

    Example: affinity-zoo train DATA -f atom-types -a resnet3d --epochs 20
    """
    from affinity_zoo.zoo.training.arguments import check_arguments, refuse_conflicts

    training: dict[str, Any] = {
        "epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate, "seed": seed,
        "false_positive_weight": false_positive_weight, "balance": balance, "monitor": monitor,
        "early_stopping": early_stopping, "mixed_precision": mixed_precision, "shuffle_labels": shuffle_labels,
        "sources": names_of(sources), "tasks": names_of(task), "task_weights": numbers_of(task_weights),
        "affinity_loss": affinity_loss, "affinity_on_wrong_poses": affinity_on_wrong_poses,
        "teachers": tuple(teacher) if teacher else None, "teacher_views": teacher_views, "truth_share": truth_share,
        "optimizer": optimizer, "weight_decay": weight_decay, "schedule": schedule, "warm_up": warm_up,
    }  # fmt: skip
    f_options, a_options = key_values(featurizer_option, "-F"), key_values(architecture_option, "-A")
    size = parse_box(box)
    refuse_conflicts(
        resume=resume, recipe=recipe, start=start, freeze=freeze,
        from_start={
            "featurizer": featurizer, "architecture": architecture, "featurizer_options": f_options,
            "architecture_options": a_options, "box": size, "recipe": recipe,
        },
    )  # fmt: skip
    check_arguments(
        data, featurizer, architecture, featurizer_options=f_options, architecture_options=a_options, recipe=recipe,
        runs=runs, resume=resume, start=start, freeze=freeze, training=training,
    )  # fmt: skip
    start_keras()
    from affinity_zoo.zoo.runtime.cluster import speaks
    from affinity_zoo.zoo.runtime.terminal import say
    from affinity_zoo.zoo.training.train import train as run_training

    run = run_training(
        data, featurizer, architecture, featurizer_options=f_options, architecture_options=a_options,
        recipe=recipe, runs=runs, resume=resume, box=size, voxelize=voxelize, workers=workers,
        logical_cpus=logical_cpus, distributed=distributed, start=start, freeze=freeze,
        trackers=tuple(tracker or ()), **training,
    )  # fmt: skip
    if speaks():
        say(f"next: affinity-zoo evaluate {run.x}" + ("" if runs == Path("summaries") else f" --runs {runs}"))


def evaluate(
    run: Annotated[
        str,
        typer.Argument(
            help="Run (number or folder), model or ensemble directory, or name of a model; with --scores the data.",
            metavar="MODEL",
            autocompletion=completion.models,
        ),
    ],
    data: Annotated[
        Path | None,
        typer.Argument(
            help="Folder made by `affinity-zoo index`, or name of a benchmark.",
            metavar="DATA",
            show_default="the run's own data",
            autocompletion=completion.data_or_benchmarks,
        ),
    ] = None,
    scores: Annotated[
        Path | None,
        typer.Option(
            help="Scores of another program: CSV with id and score, SDF, output of Boltz or DiffDock.",
            metavar="FILE",
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the row for --scores.", metavar="NAME")] = None,
    direction: Annotated[
        str | None, typer.Option(help="Direction of --scores: higher or lower is better.", metavar="END")
    ] = None,
    column: Annotated[
        str | None, typer.Option(help="Column or SDF property of the score.", metavar="NAME")
    ] = None,
    id_column: Annotated[
        str | None,
        typer.Option(
            help="Column or SDF property of the pair's id.",
            metavar="NAME",
        ),
    ] = None,
    consensus: Annotated[
        str | None,
        typer.Option(
            help="Evaluate a consensus of these rows of the board, comma-separated; RUN is the benchmark.",
            metavar="NAMES",
        ),
    ] = None,
    method: Annotated[
        str, typer.Option(help="Methods of --consensus: rank, z, stack; comma-separated.", metavar="NAMES")
    ] = "rank,z,stack",
    learn_from: Annotated[
        str | None,
        typer.Option(
            help="Fit the stacked model on this benchmark.",
            show_default="cross-validated over groups",
            metavar="NAME",
        ),
    ] = None,
    split: Annotated[
        str, typer.Option(help="Rows to evaluate: test, validation, train or all.", metavar="NAME")
    ] = "test",
    views: options.Views = None,
    sources: Annotated[
        str | None,
        typer.Option(
            help="Sources of the poses to evaluate, comma-separated; default: all.",
            show_default="all",
            metavar="NAMES",
        ),
    ] = None,
    scorer: Annotated[
        Names,
        typer.Option(
            "--scorer",
            "-s",
            help="Scorer to print, also a plugin's; may be repeated.",
            show_default="all",
            metavar="NAME",
            autocompletion=completion.scorers,
        ),
    ] = None,
    submission: Annotated[
        Path | None, typer.Option(help="Kaggle file (Id,Expected) to write.", metavar="FILE")
    ] = None,
    model_output: Annotated[
        str | None,
        typer.Option(
            help="Output used for all truths: pose, activity, affinity, rmsd or product (probability x pK).",
            show_default="each by its own",
            metavar="NAME",
        ),
    ] = None,
    seed: options.Seed = 0,
    batch_size: options.BatchSize = 32,
    runs: options.Runs = Path("summaries"),
    voxelize: options.Voxelize = "auto",
    workers: options.Threads = 2,
    dask: options.Dask = "",
    json_output: options.Json = False,
) -> None:
    """Score labelled pairs with a model, rank them and judge the ranking.

    Example: affinity-zoo evaluate 1 DATA --split test
    """
    from affinity_zoo.zoo.evaluation.arguments import check_arguments
    from affinity_zoo.zoo.importers.first_use import fetch_missing

    chosen = tuple(part.strip() for part in sources.split(",")) if sources else ()
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
    from affinity_zoo.zoo.catalog.registry import catalog
    from affinity_zoo.zoo.evaluation.report import print_result
    from affinity_zoo.zoo.evaluation.run import evaluate as run_evaluation

    result = run_evaluation(
        run, data, split=split, views=views, scorers=tuple(scorer or ()), runs=runs, seed=seed,
        sources=chosen, batch_size=batch_size, voxelize=voxelize, workers=workers, submission=submission,
        output=model_output, dask=dask,
    )  # fmt: skip
    print_result(
        result, json_output, tuple(str(catalog().create("scorer", name).name) for name in scorer or ())
    )


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
    from affinity_zoo.zoo.catalog.registry import catalog
    from affinity_zoo.zoo.evaluation.external import DirectionUnknownError, evaluate_scores
    from affinity_zoo.zoo.evaluation.report import print_result

    given: dict[str, Any] = {"column": column, "id_column": id_column, **judging}
    called = name or scores.name.split(".")[0]
    try:
        result = evaluate_scores(scores, data, name=called, direction=direction, **given)  # type: ignore[arg-type]
    except DirectionUnknownError as error:
        if not sys.stdin.isatty():
            raise
        answer = typer.prompt(f"{error}\nhigher or lower")
        result = evaluate_scores(scores, data, name=called, direction=answer, **given)
    print_result(
        result, json_output, tuple(str(catalog().create("scorer", s).name) for s in judging["scorers"])
    )


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
    from affinity_zoo.zoo.catalog.registry import catalog
    from affinity_zoo.zoo.evaluation.consensus import evaluate_consensus
    from affinity_zoo.zoo.evaluation.report import print_result

    methods: Any = names_of(method)
    chosen = tuple(scorer or ())
    found = evaluate_consensus(
        names_of(members) or (), benchmark, methods=methods, learn_from=learn_from, name=name, runs=runs,
        scorers=chosen,
    )  # fmt: skip
    for result in found:
        print_result(result, json_output, tuple(str(catalog().create("scorer", s).name) for s in chosen))


def calibrate(
    run: Annotated[str, typer.Argument(help="A run (number or folder) or a model directory.", metavar="RUN")],
    data: Annotated[
        Path,
        typer.Argument(help="A benchmark's name or an index, kept for this: neither trained nor judged on."),
    ],
    method: Annotated[str, typer.Option(help="isotonic or platt.", metavar="NAME")] = "isotonic",
    split: Annotated[
        str, typer.Option(help="Rows of an index: all, test, validation or train.", metavar="NAME")
    ] = "all",
    sources: Annotated[
        str | None, typer.Option(help="Sources of the poses, comma-separated; default: all.", metavar="NAMES")
    ] = None,
    views: Annotated[int | None, typer.Option(help="Rotations averaged for each pair.", min=1)] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Page with the reliability plot.", metavar="FILE")
    ] = None,
    runs: Annotated[Path, typer.Option(help="Folder of the runs.", metavar="FOLDER")] = Path("summaries"),
) -> None:
    """Fit P(RMSD < 2 Å) to a model's pose score, by protein.

    The labelled set is kept for this. `predict` gives near_native_probability from then on.

    Example: affinity-zoo calibrate 3 kept-for-it --method platt
    """
    if method not in ("isotonic", "platt"):
        raise UsageError(f"--method is isotonic or platt, not {method!r}")
    if out is not None:
        check_output(out)
    start_keras()
    from affinity_zoo.zoo.evaluation.calibrate import calibrate as run_calibration
    from affinity_zoo.zoo.reports.calibration import write_calibration_page
    from affinity_zoo.zoo.runtime.terminal import say

    chosen = tuple(part.strip() for part in sources.split(",")) if sources else ()
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
        f"{made.about['rows']} poses of {made.about['groups']} groups; on groups that the fit did not see: calibration "
        f"error {found['calibration_error']:.3f}, Brier score {found['brier']:.3f}"
    )
    say(f"wrote {page}; `predict` gives near_native_probability from now on, and takes --abstain")
