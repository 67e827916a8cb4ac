"""Networks that begin with average pooling, as gnina's do: the pooled image is made at once, not the image."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.featurizers import kernels
from affinity_zoo.plugins.contracts import Box, Featurizer
from affinity_zoo.zoo.batches.batches import makes_own_image
from affinity_zoo.zoo.batches.encoded import EncodedStructure


def after_pooling(network: Any, featurizer: Featurizer, box: Box) -> Any:
    """The network without its first layer, where that averages 2 x 2 x 2 voxels and the kernel can do it; else None.

    At 48^3 the image is 12 MB a pose: writing it, handing it over and averaging it takes as long as making it.

    Args:
        network: from image to outputs.
        featurizer, box: that make the image.
    """
    import keras

    if featurizer.voxelization != "gaussian" or makes_own_image(featurizer) or box.side % 2:
        return None
    if featurizer.voxelizer(box) is not None or not isinstance(network, keras.Model):
        return None
    layers = network.layers
    first = layers[1] if len(layers) > 2 and isinstance(layers[0], keras.layers.InputLayer) else None
    if not isinstance(first, keras.layers.AveragePooling3D) or first.data_format != "channels_last":
        return None
    if tuple(first.pool_size) != (2, 2, 2) or tuple(first.strides) != (2, 2, 2):
        return None
    # nothing else may look at the image
    if len(layers[0]._outbound_nodes) != 1:
        return None
    return keras.Model(first.output, network.output, name=f"{network.name}_after_pooling")


def pooled_images(
    featurizer: Featurizer,
    box: Box,
    loaded: list[tuple[EncodedStructure, EncodedStructure]],
    rotations: NDArray[np.float32],
    shifts: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Averaged images of pairs, (B, D / 2, D / 2, D / 2, C) float32."""
    half, channels = box.side // 2, len(featurizer.channels)
    images = np.empty((len(loaded), half, half, half, channels), np.float32)
    for i, pair in enumerate(loaded):
        kernels.voxelize_means(
            box, channels, [(part.xyz, part.encoding) for part in pair], pair[1].centre, rotations[i], shifts[i],
            out=images[i],
        )  # fmt: skip
    return images
