"""The affinity output in pK: the network learns it standardised."""

from __future__ import annotations

import keras

from affinity_zoo.zoo.models.recipe import Head

NAME = "affinity_in_pk"


def with_head(network: keras.Model, tasks: tuple[str, ...], head: Head) -> keras.Model:
    """Put ``scale * output + offset`` behind the affinity output; other outputs pass as they are.

    A network starts near 0 and affinities lie near 6 pK: without this the first epochs learn the mean.

    Args:
        network: from ``(B, D, D, D, C)`` to ``(B, tasks)``.
        tasks: what the outputs mean.
        head: mean and spread of the training affinities.
    """
    if "affinity" not in tasks or head == Head():
        return network
    scale = [head.scale if task == "affinity" else 1.0 for task in tasks]
    offset = [head.offset if task == "affinity" else 0.0 for task in tasks]
    last = keras.layers.Rescaling(scale, offset, dtype="float32", name=NAME)
    return keras.Model(network.input, last(network.output), name=network.name)
