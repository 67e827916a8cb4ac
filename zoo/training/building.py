"""The network of a recipe: built, compiled, with its learning rate."""

from __future__ import annotations

import re

import keras

from affinity_zoo.featurizers import layers
from affinity_zoo.plugins.contracts import Architecture, Featurizer
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.batches.batches import Imaging
from affinity_zoo.zoo.models.recipe import Head, Recipe, Training
from affinity_zoo.zoo.models.scoring_model import ScoringModel
from affinity_zoo.zoo.runtime.backends import active_backend
from affinity_zoo.zoo.training.losses import loss_of
from affinity_zoo.zoo.training.output_scales import with_head

NO_HEAD = Head()


def build_model(
    featurizer: Featurizer,
    architecture: Architecture,
    imaging: Imaging,
    tasks: tuple[str, ...] = ("pose",),
    head: Head = NO_HEAD,
) -> ScoringModel:
    """Build voxelizer and network as one model, not compiled.

    Args:
        tasks: what the outputs mean, in their order.
        head: where the affinity output starts.

    Raises:
        AffinityZooError: the network cannot be built for images of this shape.
    """
    try:
        network = with_head(architecture.build(imaging.image_shape, tasks), tasks, head)
    except ValueError as error:
        raise AffinityZooError(
            f"architecture {architecture.name!r} cannot be built for images of {imaging.image_shape}: {_cause(error)}; "
            "change `box`, its options (`architecture_options`), or the architecture"
        ) from error
    return ScoringModel(network, layers.for_featurizer(featurizer, imaging.box), name="scoring_model")


def _cause(error: ValueError) -> str:
    """Return the relevant line of a Keras error without frame and colours."""
    lines = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).splitlines()
    told = [line.strip() for line in lines if line.strip() and not line.startswith("Exception encountered")]
    return told[0].rstrip(".") if told else type(error).__name__


def compile_model(model: ScoringModel, recipe: Recipe, steps: int = 0) -> None:
    """Give the model its optimizer and loss.

    Args:
        model: the model to train.
        recipe: its choices.
        steps: steps of the whole training, for a learning rate that changes with them.
    """
    t = recipe.training
    rate = learning_rate(t, steps)
    optimizer = (
        keras.optimizers.AdamW(rate, weight_decay=t.weight_decay)
        if t.optimizer == "adamw"
        else keras.optimizers.Adam(rate)
    )
    # auto: XLA under JAX and on one accelerator; on a CPU TensorFlow's Conv3D would be several times slower
    model.compile(optimizer, loss=loss_of(t), jit_compile="auto")
    active_backend().see_shapes(model)


def learning_rate(training: Training, steps: int) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """Return the learning rate of a recipe: a number, or a linear rise followed by a cosine down to 0.

    Args:
        training: the recipe's table.
        steps: steps of the whole training.
    """
    if training.schedule == "constant" or not steps:
        return training.learning_rate
    rise = round(training.warm_up * steps)
    return keras.optimizers.schedules.CosineDecay(
        0.0 if rise else training.learning_rate,
        max(1, steps - rise),
        warmup_target=training.learning_rate if rise else None,
        warmup_steps=rise,
    )
