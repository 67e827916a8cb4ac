"""Resolution of the featurizer and the architecture of a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from affinity_zoo.zoo.catalog.registry import catalog
from affinity_zoo.zoo.models.provenance import encoding_hash
from affinity_zoo.zoo.models.recipe import Choice


def choose(kind: str, before: Choice, name: str | None, options: Mapping[str, Any]) -> tuple[Choice, Any]:
    """Resolve a plugin: the command line's name and options over the recipe's.

    Options of the recipe are kept where the name stays the same.

    Args:
        kind: ``featurizer`` or ``architecture``.
        before: The recipe's choice.
        name: The name; None: the recipe's.
        options: Options that replace the recipe's.

    Returns:
        The choice with every option resolved and its origin, and the instance.
    """
    name = name or before.name
    kept = before.options if name == before.name else {}
    instance = catalog().create(kind, name, {**kept, **options})
    origin = catalog().origin(kind, name)
    choice = Choice(type(instance).name, instance.options(), origin.distribution, origin.version)
    if kind == "featurizer":
        choice = replace(choice, encoding_hash=encoding_hash(instance))
    return choice, instance
