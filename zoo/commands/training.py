"""Command: train."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from affinity_zoo.zoo.commands import completion, options
from affinity_zoo.zoo.commands.parsing import key_values, names_of, numbers_of, parse_box
from affinity_zoo.zoo.runtime.keras import start_keras


def register(app: typer.Typer) -> None:
    """Add this family's commands to the app."""
    app.command(rich_help_panel=options.TRAIN)(train)


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
        list[str] | None,
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
