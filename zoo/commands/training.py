"""Command: train."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from affinity_zoo.zoo.commands import options, train_options
from affinity_zoo.zoo.commands.parsing import key_values, names_of, numbers_of, parse_box
from affinity_zoo.zoo.runtime.keras import start_keras


def register(app: typer.Typer) -> None:
    """Add this family's commands to the app."""
    app.command(rich_help_panel=options.TRAIN)(train)


def train(
    data: train_options.Data,
    featurizer: options.Featurizer = None,
    architecture: options.Architecture = None,
    featurizer_option: options.FeaturizerOptions = None,
    architecture_option: options.ArchitectureOptions = None,
    recipe: train_options.Recipe = None,
    epochs: train_options.Epochs = None,
    batch_size: train_options.BatchSize = None,
    learning_rate: train_options.LearningRate = None,
    box: options.Box = None,
    seed: train_options.Seed = None,
    false_positive_weight: train_options.FalsePositiveWeight = None,
    balance: train_options.Balance = None,
    monitor: train_options.Monitor = None,
    early_stopping: train_options.EarlyStopping = None,
    task: train_options.Task = None,
    task_weights: train_options.TaskWeights = None,
    affinity_loss: train_options.AffinityLoss = None,
    affinity_on_wrong_poses: train_options.AffinityOnWrongPoses = None,
    sources: train_options.Sources = None,
    mixed_precision: train_options.MixedPrecision = None,
    shuffle_labels: train_options.ShuffleLabels = None,
    teacher: train_options.Teacher = None,
    teacher_views: train_options.TeacherViews = None,
    truth_share: train_options.TruthShare = None,
    optimizer: train_options.Optimizer = None,
    weight_decay: train_options.WeightDecay = None,
    schedule: train_options.Schedule = None,
    warm_up: train_options.WarmUp = None,
    start: train_options.Start = None,
    freeze: train_options.Freeze = 0,
    resume: train_options.Resume = None,
    runs: options.Runs = Path("summaries"),
    voxelize: options.Voxelize = "auto",
    workers: options.Threads = 2,
    logical_cpus: train_options.LogicalCpus = 0,
    distributed: train_options.Distributed = False,
    tracker: train_options.Tracker = None,
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
