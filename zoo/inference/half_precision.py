"""Networks in half precision for scoring: convolutions in bfloat16, batch normalisation folded into them.

In scoring, batch normalisation multiplies and shifts each channel by constants: the convolution before it can do that
with other weights. What is no image any more (pooled features, dense layers, outputs) stays in float32.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.runtime.backends import active_backend

if TYPE_CHECKING:
    import keras

#: made from a scoring model, and kept as long as it
_made: WeakKeyDictionary[keras.Model, Any] = WeakKeyDictionary()


def check_half_precision(model: keras.Model, name: str) -> None:
    """Make sure that a model can be scored in half precision here.

    Args:
        model: A :class:`~affinity_zoo.zoo.models.scoring_model.ScoringModel`.
        name: Of the model, for the message.

    Raises:
        UsageError: The device is not faster in bfloat16, or the network is not made of Keras's functional API.
    """
    if not active_backend().fast_bfloat16():
        raise UsageError(
            "`mixed_precision` needs a processor with instructions for bfloat16 (AVX512-BF16 or AMX) and Keras on "
            "TensorFlow or PyTorch, or a GPU with bfloat16: leave it out"
        )
    if type(getattr(model, "network", None)).__name__ != "Functional":
        raise UsageError(
            f"`mixed_precision` needs networks of Keras's functional API, and {name}'s is not: leave it out"
        )


def in_half_precision(model: keras.Model) -> keras.Model:
    """Return a scoring model that computes its convolutions in bfloat16.

    Args:
        model: A :class:`~affinity_zoo.zoo.models.scoring_model.ScoringModel` in float32 that
            :func:`check_half_precision` accepts.

    Returns:
        The same model for the same model. Its outputs are float32.
    """
    from affinity_zoo.zoo.models.scoring_model import ScoringModel

    if model not in _made:
        network = folded(model.network, "mixed_bfloat16")
        _made[model] = ScoringModel(network, model.voxelizer, name="scoring_model_in_half_precision")
    return _made[model]


def folded(network: keras.Model, policy: str = "float32") -> keras.Model:
    """Return a functional network with batch normalisation folded into the convolutions before it.

    Args:
        network: From an image to outputs, in float32.
        policy: Precision policy of Keras for the layers between image and pooled features.
    """
    import keras

    #: by the name of a normalisation, the convolution that takes it over
    before = {
        layer.name: layer._inbound_nodes[0].parent_nodes[0].operation.name
        for layer in network.layers
        if type(layer) is keras.layers.BatchNormalization and _follows_a_convolution(layer, network)
    }
    after = {convolution: layer for layer, convolution in before.items()}

    def clone(layer: keras.layers.Layer) -> keras.layers.Layer:
        config = layer.get_config()
        if _on_images(layer):
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


def _on_images(layer: Any) -> bool:
    """Whether this is a layer of Keras from images to images; others, and plugins' own, keep their precision."""
    import keras

    layers = keras.layers
    known = (
        layers.Activation, layers.Add, layers.AveragePooling3D, layers.BatchNormalization, layers.Concatenate,
        layers.Conv3D, layers.MaxPooling3D, layers.ReLU,
    )  # fmt: skip
    return type(layer) in known and all(
        len(tensor.shape) == 5 for node in layer._inbound_nodes for tensor in node.output_tensors
    )


def _follows_a_convolution(layer: keras.layers.BatchNormalization, network: keras.Model) -> bool:
    """Whether a normalisation of channels is all that looks at a convolution without an activation."""
    import keras

    if len(layer._inbound_nodes) != 1 or layer.axis not in (-1, 4):
        return False
    source = layer._inbound_nodes[0].parent_nodes[0].operation
    return (
        type(source) is keras.layers.Conv3D
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
            (getattr(normalisation, "gamma", None), 1.0),
            (getattr(normalisation, "beta", None), 0.0),
        )
    )
    scale = gamma / np.sqrt(variance + normalisation.epsilon)
    bias = weights[1] if len(weights) > 1 else 0.0
    return [(weights[0] * scale).astype(np.float32), ((bias - mean) * scale + beta).astype(np.float32)]
