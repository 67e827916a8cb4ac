"""Scaling of outputs in pK and Å, which the network learns standardised."""

from __future__ import annotations

import keras

from affinity_zoo.zoo.models.recipe import Head
from affinity_zoo.zoo.training.targets import REGRESSIONS

NAME = "outputs_in_units"


def with_head(network: keras.Model, tasks: tuple[str, ...], head: Head) -> keras.Model:
    """Apply ``scale * output + offset`` to affinity and RMSD; other outputs are unchanged.

    A network starts near 0 and affinities lie near 6 pK: without this the first epochs learn the mean.

    Args:
        network: from ``(B, D, D, D, C)`` to ``(B, tasks)``.
        tasks: what the outputs mean.
        head: mean and spread of the training truths.
    """
    if not {*REGRESSIONS} & {*tasks} or head == Head():
        return network
    scales = {"affinity": head.scale, "rmsd": head.rmsd_scale}
    offsets = {"affinity": head.offset, "rmsd": head.rmsd_offset}
    scale = [scales.get(task, 1.0) for task in tasks]
    offset = [offsets.get(task, 0.0) for task in tasks]
    last = keras.layers.Rescaling(scale, offset, dtype="float32", name=NAME)
    return keras.Model(network.input, last(network.output), name=network.name)
