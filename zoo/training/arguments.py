"""Checks of a training that do not need Keras: arguments, data, recipe and plugins."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.models.folders import Name, find_model_folders
from affinity_zoo.zoo.models.plugin_choice import choose
from affinity_zoo.zoo.models.recipe import Recipe, check_training, read_recipe
from affinity_zoo.zoo.models.run_folder import RunFolder
from affinity_zoo.zoo.training.fine_tuning import start_recipe


def refuse_conflicts(
    *, resume: object, recipe: object, start: object, freeze: int, from_start: Mapping[str, Any]
) -> None:
    """Refuse arguments that contradict each other.

    Args:
        resume, recipe, start, freeze: as :func:`~affinity_zoo.zoo.training.train.train` takes them.
        from_start: arguments that a model to start from settles, by name.

    Raises:
        UsageError: two arguments contradict each other.
    """
    if resume is not None and recipe is not None:
        raise UsageError("`resume` continues with the run's own recipe: leave out `recipe`")
    if start is not None:
        if resume is not None:
            raise UsageError("`resume` uses the model that the run started from: leave out `start`")
        settled = [f"`{name}`" for name, value in from_start.items() if value]
        if settled:
            raise UsageError(f"`start` takes {', '.join(settled)} from the model: leave these out")
    if freeze and start is None:
        raise UsageError("`freeze` freezes layers of a trained model: give the model with `start`")


def check_arguments(
    data: str | Path,
    featurizer: str | None,
    architecture: str | None,
    *,
    featurizer_options: Mapping[str, Any],
    architecture_options: Mapping[str, Any],
    recipe: str | Path | None,
    runs: Path,
    resume: Name | None,
    start: Name | None,
    freeze: int,
    training: Mapping[str, Any],
) -> None:
    """Check the arguments of a training without Keras.

    Args:
        data, featurizer, architecture, featurizer_options, architecture_options, recipe, runs, resume, start, freeze,
            training: as :func:`~affinity_zoo.zoo.training.train.train` takes them.

    Raises:
        UsageError: an unknown name, option or value.
        AffinityZooError: the data, a run or a model is not there.
    """
    dataset = Dataset.open(Path(data))
    if resume is not None:
        wanted = read_recipe(RunFolder.find(resume, runs).logs / "recipe.toml")
    elif start is not None:
        tasks = training.get("tasks")
        wanted = start_recipe(start, runs, freeze, dataset, None if tasks is None else tuple(tasks))
    else:
        wanted = read_recipe(recipe) if recipe is not None else Recipe()
    wanted = wanted.with_training(**training)
    check_training(wanted.training)
    choose("featurizer", wanted.featurizer, featurizer, featurizer_options)
    choose("architecture", wanted.architecture, architecture, architecture_options)
    if wanted.training.teachers:
        find_model_folders(list(wanted.training.teachers), runs)
