"""``cnn4``: the ancestor's network of four convolutions and two dense layers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from affinity_zoo.plugins import hookimpl
from affinity_zoo.plugins.contracts import Architecture

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class CNN4(Architecture):
    """Four convolutions (5, 3, 2, 2 wide; 20, 30, 40, 50 filters), each max-pooled; dense 1024 and 256.

    With ``strides=(2, 2, 1, 1)`` and a 40-voxel box it is the ancestor's network: 51 million of its
    weights (205 MB) then lie in the first dense layer. The default pools every time: 1.4 million there.
    """

    name = "cnn4"
    summary = "Four convolutions, two dense layers: the ancestor's network."
    reference = "Affinity core (av3), a TensorFlow 0.11 starting code, 2016"

    strides: tuple[int, int, int, int] = field(
        default=(2, 2, 2, 2), metadata={"help": "stride of each max pooling; the ancestor uses 2,2,1,1"}
    )
    dropout: float = field(default=0.5, metadata={"help": "dropout rate of the 1024 dense units"})

    def build(
        self, image_shape: tuple[int, int, int, int], outputs: tuple[str, ...] = ("pose",)
    ) -> keras.Model:
        """Build the network: ``(batch, D, D, D, C)`` to ``(batch, len(outputs))`` float32."""
        import keras

        image = keras.Input(image_shape, name="image")
        x = image
        convolutions = zip((5, 3, 2, 2), (20, 30, 40, 50), self.strides, strict=True)
        for i, (width, filters, stride) in enumerate(convolutions, start=1):
            x = keras.layers.Conv3D(
                filters,
                width,
                padding="same",
                activation="relu",
                kernel_initializer="he_normal",
                name=f"conv{i}",
            )(x)
            x = keras.layers.MaxPooling3D(2, strides=stride, padding="same", name=f"pool{i}")(x)
        x = keras.layers.Flatten(name="flatten")(x)
        x = keras.layers.Dense(1024, activation="relu", kernel_initializer="he_normal", name="dense1")(x)
        x = keras.layers.Dropout(self.dropout, name="dropout")(x)
        x = keras.layers.Dense(256, activation="relu", kernel_initializer="he_normal", name="dense2")(x)
        x = keras.layers.Dense(len(outputs), dtype="float32", name="outputs")(x)
        return keras.Model(image, x, name="cnn4")


@hookimpl
def register_architectures() -> list[type[Architecture]]:
    """Register ``cnn4``."""
    return [CNN4]
