"""gnina's published networks: default2017, default2018 and dense, for its 48-point grid at 0.5 Å."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from affinity_zoo.plugins import hookimpl
from affinity_zoo.plugins.contracts import Architecture, Box
from affinity_zoo.plugins.errors import UsageError

if TYPE_CHECKING:
    import keras

GRID = Box(48, 0.5, "points")  #: gnina's: 23.5 Å, faces included
_2018 = "Francoeur et al., J. Chem. Inf. Model. 2020, 60, 4200"


class _Gnina(Architecture):
    """Base class of the three networks, with two heads: a pose logit and an affinity in pK.

    gnina has two pose logits and takes their softmax; the probability of the second is the sigmoid of
    their difference, which is the pose logit here. Layers have the names of gnina's state dicts.
    """

    default_box: ClassVar[Box | None] = GRID
    pose: ClassVar[str] = "pose_output"  #: names of the two heads in the state dict
    affinity: ClassVar[str] = "affinity_output"

    def build(
        self, image_shape: tuple[int, int, int, int], outputs: tuple[str, ...] = ("pose",)
    ) -> keras.Model:
        """Build the network: ``(batch, D, D, D, C)`` to ``(batch, len(outputs))`` float32."""
        import keras

        unknown = [name for name in outputs if name not in ("pose", "activity", "affinity", "rmsd")]
        if unknown:
            raise UsageError(
                f"{self.name} has the outputs pose, activity, affinity or rmsd, not {unknown[0]!r}"
            )
        image = keras.Input(image_shape, name="image")
        features = self.features(image)
        columns = [self._head(features, name) for name in outputs]
        merged = (
            columns[0]
            if len(columns) == 1
            else keras.layers.Concatenate(name="outputs", dtype="float32")(columns)
        )
        return keras.Model(image, merged, name=self.name.replace("-", "_"))

    def features(self, image: keras.KerasTensor) -> keras.KerasTensor:
        """Return the input of the heads, ``(batch, features)``."""
        raise NotImplementedError

    def _head(self, features: keras.KerasTensor, output: str) -> keras.KerasTensor:
        import keras

        if output == "affinity":
            return keras.layers.Dense(1, dtype="float32", name=self.affinity)(features)
        if output == "rmsd":  # gnina's networks have no such head
            return keras.layers.Dense(1, dtype="float32", name="rmsd_output")(features)
        logits = keras.layers.Dense(2, dtype="float32", name=self.pose)(features)
        return logits[:, 1:2] - logits[:, 0:1]


def _convolution(x: keras.KerasTensor, filters: int, width: int, name: str) -> keras.KerasTensor:
    import keras

    return keras.layers.Conv3D(filters, width, padding="same", activation="relu", name=name)(x)


@dataclass(frozen=True)
class GninaDefault2017(_Gnina):
    """Three convolutions, each after max pooling; 35 channels (``atom-types`` with ``scheme=default2017``)."""

    name = "gnina-default2017"
    summary = "gnina's network of 2017: three convolutions after max pooling; pose and affinity."
    reference = "Ragoza et al., J. Chem. Inf. Model. 2017, 57, 942"
    pose = "output_fc"
    affinity = "output_fc_aff"

    def features(self, image: keras.KerasTensor) -> keras.KerasTensor:
        """Return the input of the heads."""
        import keras

        x = image
        for i, filters in enumerate((32, 64, 128), start=1):
            x = _convolution(keras.layers.MaxPooling3D(2)(x), filters, 3, f"unit{i}_conv1")
        return keras.layers.Flatten()(x)


@dataclass(frozen=True)
class GninaDefault2018(_Gnina):
    """Five convolutions, 3 and 1 wide in turn, with average pooling; 28 channels."""

    name = "gnina-default2018"
    summary = "gnina's network of 2018: five convolutions with average pooling; pose and affinity."
    reference = _2018

    def features(self, image: keras.KerasTensor) -> keras.KerasTensor:
        """Return the input of the heads."""
        import keras

        x = image
        for i, (filters, width) in enumerate(((32, 3), (32, 1), (64, 3), (64, 1), (128, 3)), start=1):
            if width == 3:
                x = keras.layers.AveragePooling3D(2)(x)
            x = _convolution(x, filters, width, f"unit{i}_conv")
        return keras.layers.Flatten()(x)


@dataclass(frozen=True)
class GninaDense(_Gnina):
    """Three densely connected blocks of four convolutions, global max pooling; 28 channels."""

    name = "gnina-dense"
    summary = "gnina's densely connected network: three blocks, global max pooling; pose and affinity."
    reference = _2018

    def features(self, image: keras.KerasTensor) -> keras.KerasTensor:
        """Return the input of the heads."""
        import keras

        x = _convolution(keras.layers.MaxPooling3D(2)(image), 32, 3, "data_enc_init_conv")
        for level in range(3):
            for i in range(4):
                # normalisation of everything so far, and no ReLU between it and the convolution
                y = keras.layers.BatchNormalization(
                    epsilon=1e-5, name=f"data_enc_level{level}_batchnorm_conv{i}"
                )(x)
                y = _convolution(y, 16, 3, f"data_enc_level{level}_conv{i}")
                x = keras.layers.Concatenate()([x, y])
            if level < 2:
                x = _convolution(x, x.shape[-1], 1, f"data_enc_level{level}_bottleneck")
                x = keras.layers.MaxPooling3D(2)(x)
        return keras.layers.GlobalMaxPooling3D()(x)


@hookimpl
def register_architectures() -> list[type[Architecture]]:
    """Register gnina's three networks."""
    return [GninaDefault2017, GninaDefault2018, GninaDense]
