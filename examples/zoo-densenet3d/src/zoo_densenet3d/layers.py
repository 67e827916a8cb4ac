"""A layer of one's own: registered under the distribution's name, so that saved models find it."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="zoo-densenet3d")
class ChannelWeights(keras.layers.Layer):
    """Weigh channels by a small network that sees their means (squeeze and excitation).

    Args:
        hidden: units of the small network.

    Reference:
        Hu, Shen, Sun: Squeeze-and-Excitation Networks, CVPR 2018.
    """

    def __init__(self, hidden: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.hidden = hidden

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the two dense layers for the number of channels."""
        self.inner = keras.layers.Dense(self.hidden, activation="relu", name="inner")
        self.outer = keras.layers.Dense(input_shape[-1], activation="sigmoid", name="outer")
        self.inner.build((None, input_shape[-1]))
        self.outer.build((None, self.hidden))
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        """(batch, D, D, D, C) to the same shape."""
        weights = self.outer(self.inner(ops.mean(inputs, axis=(1, 2, 3))))
        return inputs * weights[:, None, None, None, :]

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {**super().get_config(), "hidden": self.hidden}
