"""Checks of an explanation or a refinement that do not need Keras."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.data.readers import ReadOptions
from affinity_zoo.zoo.models.loading import read_card, read_model_recipe
from affinity_zoo.zoo.see.complexes import read_complex

METHODS = ("gradient", "occlusion", "both")


def check_method(method: str) -> None:
    """Refuse an unknown method of explanation.

    Args:
        method: Name of the method.

    Raises:
        UsageError: the method is not one of :data:`METHODS`.
    """
    if method not in METHODS:
        raise UsageError(f"`method` is one of {', '.join(METHODS)}, not {method!r}")


def output_column(card: Mapping[str, Any], name: str | None) -> tuple[int, dict[str, str]]:
    """Find one of a model's outputs.

    Args:
        card: the model's card.
        name: of the output; None: the first.

    Returns:
        The column of the network's output, and its description on the card.

    Raises:
        UsageError: the model has no such output.
    """
    outputs = [{key: str(value) for key, value in output.items()} for output in card["outputs"]]
    names = [output["name"] for output in outputs]
    if name is None:
        return 0, outputs[0]
    if name not in names:
        raise UsageError(f"`output={name!r}`: this model has {', '.join(names)}")
    return names.index(name), outputs[names.index(name)]


def check_complex(folder: Path, receptor: Path, pose: Path, record: int, output: str | None) -> None:
    """Check that the complex and the model's card can be read and that record and output exist.

    Args:
        folder: the model directory.
        receptor: a structure.
        pose: a pose file.
        record: number of its record, from 0.
        output: name of one of the model's outputs; None: the first.

    Raises:
        UsageError: the model has no such output.
        AffinityZooError: a file cannot be read, or has no such record.
    """
    output_column(read_card(folder), output)
    read_complex(receptor, pose, record, ReadOptions.from_dict(read_model_recipe(folder).data.read_options))
