"""Commands: train, evaluate."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.runtime.files import check_output
from affinity_zoo.zoo.runtime.keras import start_keras

Names = list[str] | None
Runs = Annotated[Path, typer.Option(help="Folder of the runs.")]
Voxelize = Annotated[str, typer.Option(help="Where images are made: auto, host or device.")]
Workers = Annotated[int, typer.Option(help="Threads that make batches.", min=1)]


def register(app: typer.Typer) -> None:
    """Add this family's commands to the app."""
    app.command(rich_help_panel="Train and use")(train)
    app.command(rich_help_panel="Train and use")(evaluate)


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
    data: Annotated[Path, typer.Argument(help="Folder made by `affinity-zoo index`.")],
    featurizer: Annotated[
        str | None, typer.Option("--featurizer", "-f", help="Name of the featurizer.")
    ] = None,
    architecture: Annotated[
        str | None, typer.Option("--architecture", "-a", help="Name of the architecture.")
    ] = None,
    featurizer_option: Annotated[
        Names, typer.Option("-F", help="Option of the featurizer, key=value.")
    ] = None,
    architecture_option: Annotated[
        Names, typer.Option("-A", help="Option of the architecture, key=value.")
    ] = None,
    recipe: Annotated[str | None, typer.Option(help="A TOML file, or a preset: ancestor.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs in all. [default: 10]")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Poses a step. [default: 32]")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Of the optimizer. [default: 3e-4]")] = None,
    box: Annotated[
        str | None,
        typer.Option(help="Voxels along an edge x spacing in Å, such as 40x0.5. [default: the featurizer's]"),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of weights, order, views and dropout. [default: 0]")
    ] = None,
    false_positive_weight: Annotated[
        float | None, typer.Option(help="Weight of the negative term of the loss. [default: 1; ancestor: 10]")
    ] = None,
    balance: Annotated[
        str | None,
        typer.Option(
            help="none: each row once an epoch. oversample: the rarer label repeated. [default: oversample]"
        ),
    ] = None,
    monitor: Annotated[
        str | None,
        typer.Option(
            help="Chooses the epoch, on validation: roc-auc-per-complex, roc-auc, loss, for affinity rmse, pearson, "
            "spearman, for rmsd rmse-rmsd, spearman-rmsd. [default: roc-auc-per-complex; of an affinity model rmse]"
        ),
    ] = None,
    early_stopping: Annotated[
        int | None, typer.Option(help="Stop after so many epochs without improvement; 0: never. [default: 0]")
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            help="What is learnt, comma-separated: pose, activity, affinity, rmsd. Missing truths are left out. "
            "[default: pose]"
        ),
    ] = None,
    task_weights: Annotated[
        str | None, typer.Option(help="Weight of each task in the loss, such as 1,0.5. [default: 1 each]")
    ] = None,
    affinity_loss: Annotated[
        str | None,
        typer.Option(help="Of affinity and RMSD: huber (linear beyond 1 pK or Å) or mse. [default: huber]"),
    ] = None,
    affinity_on_wrong_poses: Annotated[
        str | None,
        typer.Option(
            help="masked: not shown. one-sided: only predicting more than measured costs. [default: masked]"
        ),
    ] = None,
    sources: Annotated[
        str | None,
        typer.Option(
            help="Train on poses of these sources only, comma-separated: crystal,crystal_relaxed,near_native,docked."
        ),
    ] = None,
    mixed_precision: Annotated[
        bool | None,
        typer.Option("--mixed-precision", help="Half precision in the network, float32 in the images."),
    ] = None,
    shuffle_labels: Annotated[
        bool | None,
        typer.Option("--shuffle-labels", help="Train on shuffled labels: a control run that must not learn."),
    ] = None,
    teacher: Annotated[
        list[str] | None,
        typer.Option(
            help="Learn the outputs of this model too (a name, run or folder; an ensemble counts as its members; "
            "repeatable). Poses without any label train as well."
        ),
    ] = None,
    teacher_views: Annotated[
        int | None,
        typer.Option(help="Orientations that the teachers' outputs are averaged over. [default: 1]"),
    ] = None,
    truth_share: Annotated[
        float | None,
        typer.Option(
            help="Share of a label, where there is one, beside the teachers' output. [default: 0.5]"
        ),
    ] = None,
    optimizer: Annotated[str | None, typer.Option(help="adam or adamw. [default: adam]")] = None,
    weight_decay: Annotated[float | None, typer.Option(help="Weight decay of adamw. [default: 0]")] = None,
    schedule: Annotated[
        str | None,
        typer.Option(help="constant, or cosine: a linear rise, then a cosine to 0. [default: constant]"),
    ] = None,
    warm_up: Annotated[
        float | None,
        typer.Option(help="Share of the steps in which the rate of cosine rises. [default: 0.05]"),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Fine-tune this model: a model directory, a run, or the name of a shipped one. Featurizer, "
            "architecture and weights are its own; learning rate 1e-4.",
        ),
    ] = None,
    freeze: Annotated[int, typer.Option(help="With --from: leading layers that are not trained.", min=0)] = 0,
    resume: Annotated[
        str | None, typer.Option(help="Go on with this run (number or folder) from its last whole epoch.")
    ] = None,
    runs: Runs = Path("summaries"),
    voxelize: Voxelize = "auto",
    workers: Workers = 2,
    logical_cpus: Annotated[
        int, typer.Option(help="Train on so many logical CPU devices (tries distribution out).")
    ] = 0,
    distributed: Annotated[
        bool,
        typer.Option(
            "--distributed",
            help="Train together with the other tasks of this Slurm step; TF_CONFIG says so by itself.",
        ),
    ] = False,
) -> None:
    """Train a featurizer with an architecture on an index."""
    start_keras()
    from affinity_zoo.zoo.runtime.cluster import speaks
    from affinity_zoo.zoo.runtime.terminal import say
    from affinity_zoo.zoo.training.train import train as run_training

    training: dict[str, Any] = {
        "epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate, "seed": seed,
        "false_positive_weight": false_positive_weight, "balance": balance, "monitor": monitor,
        "early_stopping": early_stopping, "mixed_precision": mixed_precision, "shuffle_labels": shuffle_labels,
        "sources": names_of(sources), "tasks": names_of(task), "task_weights": numbers_of(task_weights),
        "affinity_loss": affinity_loss, "affinity_on_wrong_poses": affinity_on_wrong_poses,
        "teachers": tuple(teacher) if teacher else None, "teacher_views": teacher_views, "truth_share": truth_share,
        "optimizer": optimizer, "weight_decay": weight_decay, "schedule": schedule, "warm_up": warm_up,
    }  # fmt: skip
    run = run_training(
        data, featurizer, architecture,
        featurizer_options=key_values(featurizer_option, "-F"),
        architecture_options=key_values(architecture_option, "-A"),
        recipe=recipe, runs=runs, resume=resume, box=parse_box(box), voxelize=voxelize, workers=workers,
        logical_cpus=logical_cpus, distributed=distributed, start=start, freeze=freeze,
        **training,
    )  # fmt: skip
    if speaks():
        say(f"next: affinity-zoo evaluate {run.x}" + ("" if runs == Path("summaries") else f" --runs {runs}"))


def evaluate(
    run: Annotated[
        str,
        typer.Argument(
            help="A run (number or folder), a model or ensemble directory, or a name; with --scores the data."
        ),
    ],
    data: Annotated[
        Path | None,
        typer.Argument(help="A benchmark's name or a folder made by `index`; the run's own data by default."),
    ] = None,
    scores: Annotated[
        Path | None,
        typer.Option(
            help="Judge the scores of another program: CSV with id and score, SDF, output of Boltz or DiffDock."
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the row for --scores.")] = None,
    direction: Annotated[
        str | None, typer.Option(help="Which end of --scores is better: higher or lower.")
    ] = None,
    column: Annotated[str | None, typer.Option(help="Column or SDF property of the score.")] = None,
    id_column: Annotated[str | None, typer.Option(help="Column or SDF property of the pair's id.")] = None,
    split: Annotated[str, typer.Option(help="test, validation, train or all.")] = "test",
    views: Annotated[
        int | None,
        typer.Option(
            help="Rotations averaged for each pair, the file's own first. [default: what the model's card says]",
            min=1,
        ),
    ] = None,
    sources: Annotated[
        str | None, typer.Option(help="Judge poses from these sources only, comma-separated.")
    ] = None,
    scorer: Annotated[
        Names, typer.Option("--scorer", "-s", help="Print this scorer (also a plugin's); all by default.")
    ] = None,
    submission: Annotated[Path | None, typer.Option(help="Write the Kaggle file there.")] = None,
    output: Annotated[
        str | None,
        typer.Option(
            help="Judge by this output: pose, activity, affinity or rmsd. [default: each truth by its own output]"
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the views.", min=0)] = 0,
    batch_size: Annotated[int, typer.Option(help="Images at once.", min=1)] = 32,
    runs: Runs = Path("summaries"),
    voxelize: Voxelize = "auto",
    workers: Workers = 2,
    dask: Annotated[str, typer.Option("--dask", help="Address of a Dask scheduler to score on.")] = "",
    json_output: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Score labelled pairs with a run, rank them and judge the ranking."""
    chosen = tuple(part.strip() for part in sources.split(",")) if sources else ()
    if scores is not None:
        judging = {"split": split, "sources": chosen, "scorers": tuple(scorer or ()), "runs": runs}
        _evaluate_scores(scores, data or run, name, direction, column, id_column, json_output, judging)
        return
    if submission is not None:
        check_output(submission)
    from affinity_zoo.zoo.importers.first_use import fetch_missing

    fetch_missing(run)
    start_keras()
    from affinity_zoo.zoo.catalog.registry import catalog
    from affinity_zoo.zoo.evaluation.report import print_result
    from affinity_zoo.zoo.evaluation.run import evaluate as run_evaluation

    result = run_evaluation(
        run, data, split=split, views=views, scorers=tuple(scorer or ()), runs=runs, seed=seed,
        sources=chosen, batch_size=batch_size, voxelize=voxelize, workers=workers, submission=submission, output=output,
        dask=dask,
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
