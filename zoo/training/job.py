"""One training with every choice resolved: the recipe, the plugins, the rows, the run's folders."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from affinity_zoo.featurizers.views import ViewOptions
from affinity_zoo.plugins.contracts import Architecture, Box, Featurizer
from affinity_zoo.zoo.batches.batches import Imaging, choose_place
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.models import loading as models
from affinity_zoo.zoo.models.plugin_choice import choose
from affinity_zoo.zoo.models.recipe import BoxChoice, Recipe, check_training, monitors, read_recipe
from affinity_zoo.zoo.models.run_folder import RunFolder
from affinity_zoo.zoo.runtime.backends import active_backend
from affinity_zoo.zoo.runtime.device import Device
from affinity_zoo.zoo.training import resolve
from affinity_zoo.zoo.training.teacher import Teacher, announce, find_teachers
from affinity_zoo.zoo.training.watch import Watcher


@dataclass(frozen=True)
class Wishes:
    """Arguments of the caller, which override the recipe; None and empty: as in the recipe."""

    featurizer: str | None = None
    architecture: str | None = None
    featurizer_options: Mapping[str, Any] = field(default_factory=dict)
    architecture_options: Mapping[str, Any] = field(default_factory=dict)
    box: tuple[int, float] | None = None  #: voxels along an edge, Å
    voxelize: str = "auto"
    workers: int = 2


@dataclass(frozen=True, eq=False)
class Job:
    """One training with every choice resolved."""

    dataset: Dataset
    recipe: Recipe
    featurizer: Featurizer
    architecture: Architecture
    box: Box
    train: resolve.Rows
    validation: resolve.Rows
    run: RunFolder
    device: Device
    imaging: Imaging
    workers: int
    say: Callable[[str], None]
    watchers: tuple[Watcher, ...] = ()


def prepare(
    dataset: Dataset,
    recipe: Recipe,
    wishes: Wishes,
    run: RunFolder | None,
    runs: Path,
    device: Device,
    say: Callable[[str], None],
) -> Job:
    """Resolve every choice, choose the rows, take a run number and write the resolved recipe.

    Args:
        run: the run to continue; None: a new one below ``runs``.

    Raises:
        UsageError: an unknown name, option or number, or one that ``run`` was not trained with.
        AffinityZooError: nothing to train on.
    """
    check_training(recipe.training)
    recipe, featurizer, architecture = _resolve(recipe, wishes, device)
    box = models.box_of(recipe)
    place = choose_place(featurizer, box, wishes.voxelize, device.accelerator)
    t = recipe.training
    teachers = find_teachers(t.teachers, runs)
    recipe = recipe.with_training(teacher_weights=tuple(teacher.weights for teacher in teachers))
    sources = resolve.choose_sources(dataset, t.sources, t.tasks)
    monitor = monitors(t.tasks)[0] if t.monitor == "auto" else t.monitor
    before = read_recipe(run.logs / "recipe.toml") if run is not None else None
    half = resolve.choose_precision(t.mixed_precision, active_backend(), before)
    recipe = recipe.with_training(sources=sources, monitor=monitor, mixed_precision=half)
    if teachers:
        announce(teachers, t, say)
    train, validation = _rows(dataset, recipe, box, teachers, say)
    data = resolve.describe_data(dataset, train, validation)
    head = resolve.start_head(recipe.head, recipe.start.outputs, train)
    recipe = replace(recipe, data=data, head=head)
    if run is not None and before is not None:
        resolve.refuse_changes(before, recipe, run.x)
    run = run or _new_run(runs, device)
    if device.chief:
        recipe.write(run.logs / "recipe.toml")
    if device.cluster is not None:
        device.cluster.agree("the recipe", json.dumps(recipe.tables(), sort_keys=True))
    shift = ViewOptions(recipe.views.max_shift, recipe.views.keep_inside, recipe.views.rotate)
    imaging = Imaging(featurizer, box, shift, place)
    return Job(
        dataset, recipe, featurizer, architecture, box, train, validation, run, device, imaging, wishes.workers, say
    )  # fmt: skip


def _new_run(runs: Path, device: Device) -> RunFolder:
    if device.cluster is None:
        return RunFolder.create(runs)
    return RunFolder(runs, device.cluster.number(lambda: RunFolder.create(runs).x))


def _resolve(recipe: Recipe, wishes: Wishes, device: Device) -> tuple[Recipe, Featurizer, Architecture]:
    chosen_f, featurizer = choose(
        "featurizer", recipe.featurizer, wishes.featurizer, wishes.featurizer_options
    )
    chosen_a, architecture = choose(
        "architecture", recipe.architecture, wishes.architecture, wishes.architecture_options
    )
    # a box of the recipe belongs to its featurizer; with another one its own box is right
    box = recipe.box if chosen_f.name == recipe.featurizer.name else BoxChoice()
    if wishes.box is not None:
        box = replace(box, side=wishes.box[0], spacing=wishes.box[1])
    recipe = replace(recipe, featurizer=chosen_f, architecture=chosen_a, box=box)
    recipe = replace(recipe, box=resolve.choose_box(recipe, featurizer, architecture))
    batch_size = device.round_batch(recipe.training.batch_size)
    return recipe.with_training(batch_size=batch_size), featurizer, architecture


def _rows(
    dataset: Dataset, recipe: Recipe, box: Box, teachers: list[Teacher], say: Callable[[str], None]
) -> tuple[resolve.Rows, resolve.Rows]:
    training = recipe.training
    wanted = (
        resolve.taught_rows(dataset, training, teachers)
        if teachers
        else resolve.labelled_rows(dataset, "train", training)
    )
    train, too_long = resolve.without_too_long(dataset, wanted, box)
    if sum(too_long.values()):
        labelled = train.targets.label_task is not None
        counted = {kind: n for kind, n in too_long.items() if n or (labelled and kind != "unlabelled")}
        say(
            f"left out of training, too long for a box of {box.extent:g} Å: "
            f"{' and '.join(f'{n} {kind}' for kind, n in counted.items())} poses"
        )
    if not teachers:
        resolve.check_truths(dataset, train, training.sources)
    if training.shuffle_labels:
        rng = np.random.default_rng([training.seed, 2])
        train = resolve.Rows(train.rows, train.targets.shuffled(rng))
    return train, resolve.labelled_rows(dataset, "validation", training)
