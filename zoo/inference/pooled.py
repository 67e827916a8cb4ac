"""Networks that begin with average pooling, such as gnina's: the pooled image is made directly.

At 48^3 the image is 12 MB a pose: writing it, handing it over and averaging it takes as long as making it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.featurizers.views import AS_GIVEN, View
from affinity_zoo.plugins.contracts import Box, Featurizer
from affinity_zoo.zoo.batches.batches import BatchMaker, Inputs, makes_own_image

if TYPE_CHECKING:
    from affinity_zoo.zoo.models.loading import Model

#: made from a model, and kept as long as it: compiling one takes about a second
_made: WeakKeyDictionary[Model, Any] = WeakKeyDictionary()


class PooledBatches(BatchMaker):
    """Batches of images that are averaged over 2 x 2 x 2 voxels already."""

    def evaluation(self, rows: NDArray[np.int64], view: View = AS_GIVEN) -> Inputs:
        """Make a batch of pooled images, (B, D / 2, D / 2, D / 2, C) float32, in one view.

        Args:
            rows: (B,) row numbers.
            view: how each complex is turned and shifted.
        """
        return {"image": self._images(self._load_all(rows), *view.of(len(rows)), means=True)}


def after_pooling(model: Model) -> Any:
    """The model for images that are pooled already.

    Args:
        model: as loaded.

    Returns:
        A scoring model, or None where the network does not begin with average pooling that the kernel can do.
    """
    if model not in _made:
        from affinity_zoo.zoo.models.scoring_model import ScoringModel

        network = without_pooling(model.network.network, model.featurizer, model.box)
        _made[model] = None if network is None else ScoringModel(network, name="scoring_model_after_pooling")
    return _made[model]


def without_pooling(network: Any, featurizer: Featurizer, box: Box) -> Any:
    """The network without its first layer, where that averages 2 x 2 x 2 voxels and the kernel can do it; else None.

    Args:
        network: from image to outputs.
        featurizer: makes the image.
        box: of the image.
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
