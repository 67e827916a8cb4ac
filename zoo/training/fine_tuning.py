"""Fine-tuning: recipe and weights of a model, a new head for other tasks, frozen layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo import shipped
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.judging.outputs import outputs_of
from affinity_zoo.zoo.models import loading as models
from affinity_zoo.zoo.models.folders import Name, find_model_folder
from affinity_zoo.zoo.models.recipe import Recipe, Start, Training
from affinity_zoo.zoo.runtime.files import file_hash
from affinity_zoo.zoo.training.targets import REGRESSIONS, TRUTH

if TYPE_CHECKING:
    import keras

#: a third of what training from random weights takes: a few hundred compounds are learnt by heart soon enough
LEARNING_RATE = 1e-4


def start_recipe(
    model: Name, runs: Path, freeze: int, dataset: Dataset, tasks: tuple[str, ...] | None
) -> Recipe:
    """Return the recipe of a fine-tuning: featurizer, architecture, box, views and head of the start model.

    Args:
        model: a model directory, a run, or the name of a shipped model.
        runs: folder of the runs, for a number.
        freeze: leading layers that are not trained.
        dataset: what is trained on.
        tasks: None: those outputs of the model that the training rows know a truth of.

    Raises:
        UsageError: ``freeze`` is negative.
        AffinityZooError: there is no such model, or the data teach none of its outputs.
    """
    if freeze < 0:
        raise UsageError(f"`freeze` must be 0 or more, not {freeze}")
    folder = find_model_folder(model, runs)
    recipe, card = models.read_model_recipe(folder), models.read_card(folder)
    outputs = outputs_of(card)
    tasks = tasks or taught(dataset, outputs)
    if not tasks:
        raise AffinityZooError(
            f"{dataset.path} has true values for none of the outputs of {folder} ({', '.join(outputs)}): "
            "its training set needs "
            f"{' or '.join(TRUTH[name] for name in outputs)}, or choose the outputs to train with `tasks`"
        )
    # a shipped model by its name: its folder is elsewhere on every machine
    start = Start(
        folder.name if shipped.find(str(model)) == folder else str(folder.resolve()),
        str(card.get("name") or folder.name),
        file_hash(folder / "model.keras"),
        freeze,
        outputs,
    )
    trained = recipe.training
    training = Training(
        tasks=tasks, learning_rate=LEARNING_RATE, false_positive_weight=trained.false_positive_weight
    )
    return replace(Recipe(), featurizer=recipe.featurizer, architecture=recipe.architecture, box=recipe.box,
                   views=recipe.views, head=recipe.head, training=training, start=start)  # fmt: skip


def taught(dataset: Dataset, outputs: Sequence[str]) -> tuple[str, ...]:
    """Return the outputs with true values in the training set: labels of both classes, any affinity or RMSD.

    Args:
        dataset: The index.
        outputs: Names of the outputs.
    """
    rows = dataset.rows("train")
    known = []
    for name in outputs:
        values = dataset.column(TRUTH[name])[rows]
        if np.isfinite(values).any() if name in REGRESSIONS else {0.0, 1.0} <= set(values.tolist()):
            known.append(name)
    return tuple(known)


def load_start(start: Start) -> models.Model:
    """Load the model that a recipe starts from.

    Args:
        start: The model that training starts from.

    Raises:
        AffinityZooError: it is not there any more, or it is not the one that the recipe names.
    """
    path = start_folder(start) / "model.keras"
    if not path.is_file() or file_hash(path) != start.weights:
        what = "another one now" if path.is_file() else "gone"
        raise AffinityZooError(
            f"{start.model}, the model that this run starts from, is {what}: put it back, or start a new run "
            "with `start`"
        )
    return models.load_model(path.parent)


def start_folder(start: Start) -> Path:
    """Return the folder of the model that a recipe starts from.

    Args:
        start: The model that training starts from.
    """
    return shipped.find(start.model) or Path(start.model)


def take_weights(
    network: keras.Model, before: keras.Model, tasks: Sequence[str], outputs: Sequence[str]
) -> str:
    """Copy the weights of a trained network into a new one of the same architecture.

    A new head starts at zero: at even odds, and at the mean of the training affinities.

    Args:
        network: the new one, with an output for each of ``tasks``.
        before: the trained one, with an output for each of ``outputs``.

    Returns:
        What became of the head, in words.

    Raises:
        AffinityZooError: the two differ in more than their heads.
    """
    if tuple(tasks) == tuple(outputs):
        _copy(weighted(before), weighted(network))
        return _in_words(tasks, tasks, outputs)
    old, new = heads(before), heads(network)
    _copy([x for x in weighted(before) if x not in old], [x for x in weighted(network) if x not in new])
    for layer in new:
        layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    kept = (
        _copy_columns(old[0], new[0], tasks, outputs)
        if len(old) == len(new) == 1
        else [name for layer in new for name in _copy_by_name(layer, old)]
    )
    # a layer of gnina's is named after its task: affinity_output
    return _in_words([task for task in tasks if {task, f"{task}_output"} & {*kept}], tasks, outputs)


def _in_words(kept: Sequence[str], tasks: Sequence[str], outputs: Sequence[str]) -> str:
    """Describe which outputs of the old network the new one has: ``keeps pose; new: rmsd; without affinity``."""
    new = [task for task in tasks if task not in kept]
    left = [output for output in outputs if output not in tasks]
    parts = (("keeps its output", kept), ("new output", new), ("without its output", left))
    said = [f"{words}{'s' if len(names) > 1 else ''} {', '.join(names)}" for words, names in parts if names]
    return "; ".join(said)


def weighted(network: keras.Model) -> list[Any]:
    """Return the layers with weights, from image to output.

    Args:
        network: Keras model from images to outputs.
    """
    return [layer for layer in network.layers if layer.weights]


def heads(network: keras.Model) -> list[Any]:
    """Return the last layers with weights.

    Args:
        network: Keras model from images to outputs.
    """
    found: list[Any] = []
    waiting = list(network.outputs) if getattr(network, "outputs", None) else []
    seen: set[int] = set()
    while waiting:
        tensor = waiting.pop()
        operation, node, _ = tensor._keras_history
        if id(operation) in seen:
            continue
        seen.add(id(operation))
        if getattr(operation, "weights", None):
            found.append(operation)
        else:
            waiting += operation._inbound_nodes[node].input_tensors
    order = weighted(network)
    return [layer for layer in order if layer in found] or order[-1:]


def freeze_layers(network: keras.Model, number: int) -> list[str]:
    """Freeze the first layers; a normalisation after a frozen layer is frozen too.

    A frozen ``BatchNormalization`` normalises by its stored statistics and does not change them.

    Args:
        number: convolutions and dense layers to freeze, counted from the image.

    Returns:
        Their names.

    Raises:
        UsageError: there are fewer layers before the head.
    """
    if not number:
        return []
    last = heads(network)
    body = [layer for layer in weighted(network) if layer not in last]
    kernels = [layer.name for layer in body if _has_kernel(layer)]
    if number > len(kernels):
        raise UsageError(f"`freeze={number}`: the network has {len(kernels)} layers before its head")
    left = number
    for layer in body:
        if _has_kernel(layer):
            left -= 1
        if left < 0:
            break
        layer.trainable = False
    return kernels[:number]


def _has_kernel(layer: Any) -> bool:
    return any(len(weight.shape) > 1 for weight in layer.weights)


def _copy(old: Sequence[Any], new: Sequence[Any]) -> None:
    for layer, other in zip(old, new, strict=False):
        if [tuple(w.shape) for w in layer.weights] != [tuple(w.shape) for w in other.weights]:
            raise AffinityZooError(
                f"the layer {other.name} of the architecture differs from that of the model to start from "
                f"({layer.name}): install the version that it was trained with"
            )
    if len(old) != len(new):
        raise AffinityZooError(
            f"the architecture builds {len(new)} layers, the model to start from has {len(old)}: install the version "
            "that it was trained with"
        )
    for layer, other in zip(old, new, strict=True):
        other.set_weights(layer.get_weights())


def _copy_columns(old: Any, new: Any, tasks: Sequence[str], outputs: Sequence[str]) -> list[str]:
    """Copy the parts of a single head for common tasks: its last axis is the outputs."""
    values, before = new.get_weights(), old.get_weights()
    kept = [task for task in tasks if task in outputs]
    fits = all(
        v.shape[:-1] == b.shape[:-1] and v.shape[-1:] == (len(tasks),) and b.shape[-1:] == (len(outputs),)
        for v, b in zip(values, before, strict=True)
    )
    if not fits or not kept:
        return []
    for value, other in zip(values, before, strict=True):
        for task in kept:
            value[..., tasks.index(task)] = other[..., outputs.index(task)]
    new.set_weights(values)
    return kept


def _copy_by_name(layer: Any, old: Sequence[Any]) -> list[str]:
    for other in old:
        same = [tuple(w.shape) for w in other.weights] == [tuple(w.shape) for w in layer.weights]
        if other.name == layer.name and same:
            layer.set_weights(other.get_weights())
            return [str(layer.name)]
    return []
