"""Networks in half precision for scoring: convolutions in bfloat16 or float16, normalisation folded into them.

In scoring, batch normalisation multiplies and shifts each channel by constants: the convolution before it can do that
with other weights. Dense layers stay in float32.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

import numpy as np

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.runtime.backends import active_backend

if TYPE_CHECKING:
    import keras

#: layers that are computed in half precision, by the names of their classes
HALVED: Final = frozenset(
    {
        "Activation",
        "Add",
        "AveragePooling3D",
        "BatchNormalization",
        "Concatenate",
        "Conv3D",
        "MaxPooling3D",
        "ReLU",
    }
)
#: made from a scoring model, and kept as long as it
_made: WeakKeyDictionary[keras.Model, Any] = WeakKeyDictionary()


def in_half_precision(model: keras.Model) -> keras.Model:
    """Return a scoring model that computes in the half precision of the device.

    Args:
        model: A :class:`~affinity_zoo.zoo.models.scoring_model.ScoringModel`, in float32.

    Returns:
        The same model for the same model. Its outputs are float32.

    Raises:
        UsageError: The device is not faster in half precision, or the network is not made of Keras's functional API.
    """
    import keras

    from affinity_zoo.zoo.models.scoring_model import ScoringModel

    half = active_backend().scoring_half_precision()
    if half is None:
        raise UsageError(
            "`mixed_precision` needs a GPU or a processor with instructions for bfloat16 (AVX512-BF16 or AMX), "
            "and Keras on TensorFlow or PyTorch: leave it out"
        )
    network = getattr(model, "network", None)
    if not isinstance(network, keras.Model) or type(network).__name__ != "Functional":
        raise UsageError(
            "`mixed_precision` needs networks of Keras's functional API, and this one is not: leave it out"
        )
    if model not in _made:
        _made[model] = ScoringModel(
            halved(network, f"mixed_{half}"), model.voxelizer, name="scoring_model_in_half_precision"
        )
    return _made[model]


def halved(network: keras.Model, policy: str) -> keras.Model:
    """Return a functional network with convolutions and what is between them under a policy.

    Args:
        network: From an image to outputs, in float32.
        policy: Of Keras: ``mixed_bfloat16`` or ``mixed_float16``; ``float32`` folds the normalisation only.
    """
    import keras

    #: by the name of a normalisation, the convolution that takes it over
    before = {
        layer.name: layer._inbound_nodes[0].parent_nodes[0].operation.name
        for layer in network.layers
        if isinstance(layer, keras.layers.BatchNormalization) and _follows_a_convolution(layer, network)
    }
    after = {convolution: layer for layer, convolution in before.items()}

    def clone(layer: keras.layers.Layer) -> keras.layers.Layer:
        config = layer.get_config()
        if type(layer).__name__ in HALVED:
            config["dtype"] = policy
        if layer.name in after:
            config["use_bias"] = True
        return type(layer).from_config(config)

    def call(layer: keras.layers.Layer, *args: Any, **kwargs: Any) -> Any:
        return args[0] if layer.name in before else layer(*args, **kwargs)

    made = keras.models.clone_model(network, clone_function=clone, call_function=call)
    for layer in made.layers:
        if not layer.weights:  # an input layer can have another name
            continue
        weights = network.get_layer(layer.name).get_weights()
        if layer.name in after:
            weights = _folded(weights, network.get_layer(after[layer.name]))
        layer.set_weights(weights)
    return made


def _follows_a_convolution(layer: keras.layers.BatchNormalization, network: keras.Model) -> bool:
    """Whether a normalisation is all that looks at a convolution without an activation."""
    import keras

    if len(layer._inbound_nodes) != 1:
        return False
    source = layer._inbound_nodes[0].parent_nodes[0].operation
    return (
        isinstance(source, keras.layers.Conv3D)
        and source.data_format == "channels_last"
        and keras.activations.serialize(source.activation) == "linear"
        and len(source._inbound_nodes) == len(source._outbound_nodes) == 1
        and not any(source.output is output for output in network.outputs)
    )


def _folded(weights: list[Any], normalisation: keras.layers.BatchNormalization) -> list[Any]:
    """Kernel and bias of a convolution that does the normalisation after it too."""
    import keras

    mean, variance, gamma, beta = (
        default if value is None else np.asarray(keras.ops.convert_to_numpy(value), np.float64)
        for value, default in (
            (normalisation.moving_mean, 0.0),
            (normalisation.moving_variance, 1.0),
            (normalisation.gamma, 1.0),
            (normalisation.beta, 0.0),
        )
    )
    scale = gamma / np.sqrt(variance + normalisation.epsilon)
    bias = weights[1] if len(weights) > 1 else 0.0
    return [(weights[0] * scale).astype(np.float32), ((bias - mean) * scale + beta).astype(np.float32)]
