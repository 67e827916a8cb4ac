"""Memory requirement of a network, computed before allocation."""

from __future__ import annotations

import copy
import math
import os
from typing import Any, Final

from affinity_zoo.plugins.errors import AffinityZooError

LARGEST_IMAGE: Final = 512 << 20  #: bytes of one image, float32; gnina's has 12 million
MOST_SIDE: Final = 512  #: voxels along an edge of a box
_FLOAT: Final = 4  #: bytes
_PUT_OFF: Final = "uninitialized_variables"  #: Keras's list of variables that get their values later


def check_box(side: int, spacing: float, channels: int, where: object) -> None:
    """Refuse a box with an image that is too large for any machine.

    Args:
        side: voxels along an edge.
        spacing: Å between voxels.
        channels: of the image.
        where: the model, for the message.

    Raises:
        AffinityZooError: it is too large, or its numbers are out of range.
    """
    if not 1 <= side <= MOST_SIDE or not 0.01 <= spacing <= 100 or not 1 <= channels <= 10_000:
        raise AffinityZooError(
            f"{where}: refused, a box of {side}^3 voxels at {spacing:g} Å with {channels} channels is out of range "
            f"(1 to {MOST_SIDE} voxels, 0.01 to 100 Å)"
        )
    size = side**3 * channels * _FLOAT
    if size > LARGEST_IMAGE:
        raise AffinityZooError(
            f"{where}: refused, one image of {side}^3 voxels with {channels} channels takes {size / 2**20:,.0f} MiB, "
            f"more than {LARGEST_IMAGE // 2**20}"
        )


def check_network(config: Any, custom_objects: dict[str, Any], where: object) -> None:
    """Build a network without allocating weights, and refuse it if weights or images do not fit into memory.

    Args:
        config: Keras's configuration of the whole model, checked by :mod:`affinity_zoo.zoo.models.safety`.
        custom_objects: classes that plugins bring.
        where: the model, for the message.

    Raises:
        AffinityZooError: it needs more than half of the machine's memory, or cannot be built.
    """
    network = getattr(_without_memory(config, custom_objects), "network", None)
    if network is None:
        return
    weights = sum(math.prod(weight.shape) for weight in network.weights) * _FLOAT
    images = max((_largest_output(layer) for layer in network.layers), default=0) * _FLOAT
    most = memory() // 2
    for what, size in (("weights", weights), ("images between its layers", images)):
        if size > most:
            raise AffinityZooError(
                f"{where}: refused, its {what} take {size / 2**30:,.1f} GiB, more than half of this machine's memory"
            )


def _without_memory(config: Any, custom_objects: dict[str, Any]) -> Any:
    """Build a model whose variables have shapes but no values."""
    import keras
    from keras.src.backend.common import global_state  # no public name: what is put off until a scope ends

    before = list(global_state.get_global_attribute(_PUT_OFF) or [])
    try:
        with keras.StatelessScope(initialize_variables=False):
            return keras.saving.deserialize_keras_object(
                copy.deepcopy(config), custom_objects=custom_objects, safe_mode=True
            )
    finally:  # or the end of the next scope would give these variables memory
        global_state.set_global_attribute(_PUT_OFF, before)


def _largest_output(layer: Any) -> int:
    """Return the size of the largest layer output for one pose."""
    outputs = layer.output if isinstance(layer.output, list | tuple) else [layer.output]
    return max(math.prod(size or 1 for size in output.shape) for output in outputs)


def memory() -> int:
    """Return the bytes of this machine's memory; 8 GiB if the system does not report it."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 8 << 30
