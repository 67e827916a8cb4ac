"""Training one featurizer with one architecture on an index: the function behind ``affinity-zoo train``."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.models.folders import Name
from affinity_zoo.zoo.models.recipe import Recipe, read_recipe
from affinity_zoo.zoo.models.run_folder import DEFAULT_ROOT, RunFolder
from affinity_zoo.zoo.runtime.cluster import connect
from affinity_zoo.zoo.runtime.device import find_device
from affinity_zoo.zoo.runtime.files import whole
from affinity_zoo.zoo.runtime.memory import give_back
from affinity_zoo.zoo.runtime.terminal import say as print_line
from affinity_zoo.zoo.training.arguments import refuse_conflicts
from affinity_zoo.zoo.training.fine_tuning import start_recipe
from affinity_zoo.zoo.training.fine_tuning_report import judge_start
from affinity_zoo.zoo.training.fit import fit, validation_groups
from affinity_zoo.zoo.training.job import Job, Wishes, prepare
from affinity_zoo.zoo.training.trackers import find_tracker
from affinity_zoo.zoo.training.validation import validation_scores
from affinity_zoo.zoo.training.watch import Watcher


def train(
    data: str | Path,
    featurizer: str | None = None,
    architecture: str | None = None,
    *,
    featurizer_options: Mapping[str, Any] | None = None,
    architecture_options: Mapping[str, Any] | None = None,
    recipe: str | Path | None = None,
    runs: str | Path = DEFAULT_ROOT,
    resume: str | int | os.PathLike[str] | None = None,
    box: tuple[int, float] | None = None,
    voxelize: str = "auto",
    workers: int = 2,
    logical_cpus: int = 0,
    distributed: bool = False,
    start: Name | None = None,
    freeze: int = 0,
    say: Callable[[str], None] = print_line,
    watchers: Sequence[Watcher] = (),
    trackers: Sequence[str] = (),
    **training: Any,
) -> RunFolder:
    """Train a model.

    Args:
        data: a folder made by ``affinity-zoo index``.
        featurizer, architecture: names; they win over the recipe's.
        featurizer_options, architecture_options: option names to values.
        recipe: a TOML file or the name of a preset such as ``ancestor``.
        runs: Folder that holds ``x_logs`` and ``x_netstate`` of each run.
        resume: a run to continue from its last whole epoch; only ``epochs`` and ``early_stopping`` may be
            others than in its recipe.
        box: voxels along an edge and their spacing in Å; None: the recipe's, or the plugins' own.
        voxelize: where images are made: ``auto``, ``host`` or ``device``.
        workers: threads that make batches.
        logical_cpus: number of logical CPU devices to train on (to test distribution).
        distributed: train together with the other tasks of this Slurm step; not needed with ``TF_CONFIG``.
        start: fine-tune this model (a model directory, a run, the name of a shipped model): featurizer, architecture,
            box and weights are its own; where the tasks differ its head is new.
        freeze: leading layers of it that are not trained.
        say: receives each line of output; on several hosts on the first one only.
        watchers: called at the start, after every epoch and at the end; each may stop the training after an epoch.
        trackers: experiment trackers: ``mlflow``, or ``package.module:Class`` of a watcher of yours.
        training: fields of the recipe's table ``training``: ``epochs``, ``batch_size``, ...

    Returns:
        The run's folders; the model is in ``run.model``.

    Raises:
        UsageError: an unknown name, option or value, or one that a resumed run was not trained with.
        AffinityZooError: nothing to train on, or the loss became NaN; the message says what to do.
    """
    refuse_conflicts(
        resume=resume, recipe=recipe, start=start, freeze=freeze,
        from_start={
            "featurizer": featurizer, "architecture": architecture, "featurizer_options": featurizer_options,
            "architecture_options": architecture_options, "box": box, "recipe": recipe,
        },
    )  # fmt: skip
    found = [find_tracker(name) for name in trackers]
    dataset = Dataset.open(Path(data))
    device = find_device(logical_cpus, connect(distributed))
    if not device.chief:
        found = []
        say = _silent
    if resume is not None:
        run = RunFolder.find(resume, Path(runs))
        wanted = read_recipe(run.logs / "recipe.toml")
        if wanted.data.content_hash != dataset.content_hash:
            raise AffinityZooError(
                f"run {run.x} was trained on other data than {data}: give the same folder to continue it"
            )
    else:
        run, wanted = None, read_recipe(recipe) if recipe is not None else Recipe()
    if start is not None:
        tasks = training.get("tasks")
        wanted = start_recipe(start, Path(runs), freeze, dataset, None if tasks is None else tuple(tasks))
    wishes = Wishes(
        featurizer, architecture, featurizer_options or {}, architecture_options or {}, box, voxelize, workers
    )
    job = prepare(dataset, wanted.with_training(**training), wishes, run, Path(runs), device, say)
    job = replace(job, watchers=(*watchers, *found))
    _announce(job)
    for watcher in job.watchers:
        watcher.started(job.run, job.recipe)
    fit(job)
    if device.chief:
        _finish(job)
        if job.recipe.start.model:
            for line in judge_start(job):
                say(line)
    for watcher in job.watchers:
        watcher.finished(job.run)
    give_back()
    return job.run


def _silent(line: str) -> None:
    """Only the first of several hosts prints."""


def _announce(job: Job) -> None:
    t, data = job.recipe.training, job.recipe.data
    job.say(
        f"run {job.run.x}: {job.recipe.featurizer.name} + {job.recipe.architecture.name} on {job.device.description}"
    )
    shown = [f"{data.n_positive:,} positive"] if job.train.targets.label_task else []
    shown += [f"{data.n_affinity:,} with an affinity"] if "affinity" in t.tasks else []
    job.say(
        f"{data.n_train:,} training poses ({', '.join(shown)}), {data.n_validation:,} for validation, "
        f"from {', '.join(s or 'unnamed source' for s in t.sources)}; box {job.box.side}^3 at {job.box.spacing:g} Å, "
        f"images made on the {job.imaging.place}"
        + ("" if t.tasks == ("pose",) else f"; learns {', '.join(t.tasks)}")
        + (f"; network in {t.mixed_precision}" if isinstance(t.mixed_precision, str) else "")
        + ("; labels SHUFFLED: a control run, it must not learn" if t.shuffle_labels else "")
    )
    if not monitored(job):
        job.say(
            f"note: {t.monitor} has no value on these validation poses, so the last epoch becomes the model"
            + (" and training does not stop early" if t.early_stopping else "")
            + ("; `monitor='loss'` always has one" if len(job.validation) else "")
        )


def monitored(job: Job) -> bool:
    """Return whether the monitored score can be measured: it needs validation poses, an AUC both classes.

    Args:
        job: The training.
    """
    targets = job.validation.targets
    some = np.tile(np.linspace(0.0, 1.0, len(targets))[:, None], (1, len(targets.tasks)))
    scores = validation_scores(some, targets, validation_groups(job), job.recipe.training, 0)
    return math.isfinite(scores.get(job.recipe.training.monitor, math.nan))


def _finish(job: Job) -> None:
    with whole(job.run.logs / "run.json") as file:
        json.dump(
            {"data": str(job.dataset.path.resolve()), "finished": time.strftime("%Y-%m-%dT%H:%M:%S")}, file
        )
    job.say(f"model: {job.run.model} (curves: tensorboard --logdir {job.run.root})")
