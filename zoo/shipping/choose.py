"""Choice of the best of several trainings of one recipe, by its validation score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.models.candidates import recipe_hash
from affinity_zoo.zoo.models.loading import plugins_of, read_card, read_model_recipe
from affinity_zoo.zoo.models.recipe import Recipe
from affinity_zoo.zoo.models.run_folder import RunFolder

LOWER = ("loss", "rmse", "rmse-rmsd")  #: validation scores for which lower is better


def choose(found: Sequence[RunFolder]) -> tuple[RunFolder, list[dict[str, Any]]]:
    """Choose the run that is best by its own monitor on validation; say what each reached.

    Args:
        found: The runs.

    Raises:
        AffinityZooError: the runs differ in more than their seed, or a validation figure is missing.
    """
    recipes = [read_model_recipe(run.model) for run in found]
    if len({recipe_hash(_resolved(recipe)) for recipe in recipes}) > 1:
        raise AffinityZooError("the runs differ in more than their seed: give trainings of one recipe")
    metric = recipes[0].training.monitor
    seeds = []
    for run, recipe in zip(found, recipes, strict=True):
        card = read_card(run.model)
        value = (card.get("validation") or {}).get(metric)
        if value is None:
            raise AffinityZooError(f"run {run.x} has no {metric} on validation: it cannot be compared")
        seeds.append(
            {
                "run": run.x,
                "seed": recipe.training.seed,
                "epoch": card["epoch"],
                "metric": metric,
                "validation": value,
            }
        )
    sign = -1.0 if metric in LOWER else 1.0
    best = max(range(len(seeds)), key=lambda i: sign * float(seeds[i]["validation"]))
    return found[best], [{**seed, "chosen": i == best} for i, seed in enumerate(seeds)]


def _resolved(recipe: Recipe) -> Recipe:
    """Return the recipe with all options of the present plugins; options added since have their defaults."""
    featurizer, architecture = plugins_of(recipe, "the recipe")
    return replace(
        recipe,
        featurizer=replace(recipe.featurizer, options=featurizer.options()),
        architecture=replace(recipe.architecture, options=architecture.options()),
    )
