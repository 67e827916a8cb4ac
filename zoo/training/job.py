"""One training with every choice resolved: the recipe, the plugins, the rows, the run's folders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from affinity_zoo.featurizers.views import ViewOptions
from affinity_zoo.plugins.contracts import Architecture, Box, Featurizer
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo import models
from affinity_zoo.zoo.data.batches import Imaging, choose_place
from affinity_zoo.zoo.data.dataset import Dataset
from affinity_zoo.zoo.training import resolve
from affinity_zoo.zoo.training.device import Device
from affinity_zoo.zoo.training.recipe import BoxChoice, Recipe, check_training, read_recipe
from affinity_zoo.zoo.training.run_folder import RunFolder


@dataclass(frozen=True)
class Wishes:
    """What the caller asked for, over the recipe; None and empty: as the recipe says."""

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
        run: the run to go on with; None: a new one below ``runs``.

    Raises:
        UsageError: an unknown name, option or number, or one that ``run`` was not trained with.
        AffinityZooError: nothing to train on.
    """
    check_training(recipe.training)
    recipe, featurizer, architecture = _resolve(recipe, wishes, device)
    box = models.box_of(recipe)
    place = choose_place(featurizer, box, wishes.voxelize, device.accelerator)
    train, validation, sources = _rows(dataset, recipe, box, say)
    recipe = replace(
        recipe.with_training(sources=sources), data=resolve.describe_data(dataset, train, validation)
    )
    if run is not None:
        resolve.refuse_changes(read_recipe(run.logs / "recipe.toml"), recipe, run.x)
    run = run or RunFolder.create(runs)
    recipe.write(run.logs / "recipe.toml")
    shift = ViewOptions(recipe.views.max_shift, recipe.views.keep_inside, recipe.views.rotate)
    imaging = Imaging(featurizer, box, shift, place)
    return Job(
        dataset, recipe, featurizer, architecture, box, train, validation, run, device, imaging, wishes.workers, say
    )  # fmt: skip


def _resolve(recipe: Recipe, wishes: Wishes, device: Device) -> tuple[Recipe, Featurizer, Architecture]:
    chosen_f, featurizer = resolve.choose(
        "featurizer", recipe.featurizer, wishes.featurizer, wishes.featurizer_options
    )
    chosen_a, architecture = resolve.choose(
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
    dataset: Dataset, recipe: Recipe, box: Box, say: Callable[[str], None]
) -> tuple[resolve.Rows, resolve.Rows, tuple[str, ...]]:
    sources = resolve.choose_sources(dataset, recipe.training.sources)
    train, too_long = resolve.without_too_long(dataset, resolve.labelled_rows(dataset, "train", sources), box)
    if sum(too_long.values()):
        say(
            f"left out of training, too long for a box of {box.extent:g} Å: "
            f"{too_long['positive']} positive and {too_long['negative']} negative poses"
        )
    if not train.positives or train.positives == len(train):
        raise AffinityZooError(
            f"{dataset.path}: the training set has {train.positives} positive and "
            f"{len(train) - train.positives} negative poses of source {', '.join(sources)}; both are needed: "
            "index poses of both labels, or split again"
        )
    if recipe.training.shuffle_labels:
        labels = np.random.default_rng([recipe.training.seed, 2]).permutation(train.labels)
        train = resolve.Rows(train.rows, labels)
    return train, resolve.labelled_rows(dataset, "validation", sources), sources
