"""``pafnucy``: the affinity network of Stepniewska-Dziubinska, Zielenkiewicz and Siedlecki."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from affinity_zoo.plugins import hookimpl
from affinity_zoo.plugins.contracts import Architecture, Box

if TYPE_CHECKING:
    import keras

FILTERS = (64, 128, 256)  #: of the three convolutions, each 5 wide
UNITS = (1000, 500, 200)  #: of the three dense layers


@dataclass(frozen=True)
class Pafnucy(Architecture):
    """Three convolutions with max pooling, three dense layers with dropout, on 21 points at 1 Å.

    As published: 5-wide convolutions with ReLU, pooling by 2 that keeps the rim (21, 11, 6, 3 points), dense
    layers with ReLU and dropout, an L2 penalty on every weight; convolutions start from a truncated normal of
    0.001 and biases of 0.1, dense layers from 1 / sqrt(inputs) and biases of 1. The affinity is rectified as
    in the authors' program: a pK is not negative. Pose and activity, which Pafnucy does not have, are plain
    logits. Its 19 channels (atom types, bonds, charges, receptor or ligand as +1 or -1) belong to a featurizer;
    this network accepts any channels.
    """

    name = "pafnucy"
    summary = "Pafnucy: three wide convolutions, three dense layers, for affinities (13 million weights)."
    reference = "Stepniewska-Dziubinska, Zielenkiewicz, Siedlecki, Bioinformatics 2018, 34, 3666"
    default_box: ClassVar[Box | None] = Box(21, 1.0, "points")

    dropout: float = field(default=0.5, metadata={"help": "dropout rate of each dense layer"})
    l2: float = field(default=0.001, metadata={"help": "weight of the L2 penalty"})

    def build(
        self, image_shape: tuple[int, int, int, int], outputs: tuple[str, ...] = ("pose",)
    ) -> keras.Model:
        """Build the network: ``(batch, D, D, D, C)`` to ``(batch, len(outputs))`` float32."""
        import keras

        image = keras.Input(image_shape, name="image")
        x = image
        for i, filters in enumerate(FILTERS, start=1):
            x = keras.layers.Conv3D(
                filters,
                5,
                padding="same",
                activation="relu",
                kernel_initializer=keras.initializers.TruncatedNormal(stddev=0.001),
                bias_initializer=keras.initializers.Constant(0.1),
                kernel_regularizer=self._penalty(),
                name=f"conv{i}",
            )(x)
            x = keras.layers.MaxPooling3D(2, padding="same", name=f"pool{i}")(x)
        x = keras.layers.Flatten(name="flatten")(x)
        for i, units in enumerate(UNITS, start=1):
            x = self._dense(x, units, f"dense{i}", "relu")
            x = keras.layers.Dropout(self.dropout, name=f"dropout{i}")(x)
        columns = [self._dense(x, 1, name, "relu" if name == "affinity" else None) for name in outputs]
        merged = columns[0] if len(columns) == 1 else keras.layers.Concatenate(name="outputs")(columns)
        return keras.Model(image, merged, name="pafnucy")

    def _dense(
        self, x: keras.KerasTensor, units: int, name: str, activation: str | None
    ) -> keras.KerasTensor:
        import keras

        layer = keras.layers.Dense(
            units,
            activation=activation,
            kernel_initializer=keras.initializers.TruncatedNormal(stddev=int(x.shape[-1]) ** -0.5),
            bias_initializer=keras.initializers.Constant(1.0),
            kernel_regularizer=self._penalty(),
            dtype="float32" if units == 1 else None,
            name=name,
        )
        return layer(x)

    def _penalty(self) -> keras.regularizers.Regularizer | None:
        import keras

        # Keras sums squares as the authors do (their term has no factor 1/2 either)
        return keras.regularizers.L2(self.l2) if self.l2 else None


@hookimpl
def register_architectures() -> list[type[Architecture]]:
    """Register ``pafnucy``."""
    return [Pafnucy]
