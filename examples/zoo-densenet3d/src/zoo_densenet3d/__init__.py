"""A densely connected 3D network. The layer of its own is in ``layers``, so that this imports no Keras."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from affinity_zoo.plugins import hookimpl
from affinity_zoo.plugins.contracts import Architecture

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class DenseNet3D(Architecture):
    """Each convolution sees the outputs of all earlier ones of its block; blocks are halved by pooling."""

    name: ClassVar[str] = "densenet3d-se"
    summary: ClassVar[str] = "Densely connected 3D network with squeeze and excitation after each block."
    reference: ClassVar[str] = (
        "Huang et al.: Densely Connected Convolutional Networks, CVPR 2017; "
        "Hu, Shen, Sun: Squeeze-and-Excitation Networks, CVPR 2018"
    )
    api_version: ClassVar[int] = 1

    blocks: tuple[int, ...] = field(default=(3, 3, 3), metadata={"help": "convolutions in each block"})
    growth: int = field(default=16, metadata={"help": "filters that each convolution adds"})
    stem: int = field(default=32, metadata={"help": "filters of the first convolution"})
    compression: float = field(default=0.5, metadata={"help": "share of filters kept between blocks"})
    squeeze: int = field(
        default=8, metadata={"help": "weigh channels after each block by this many hidden units; 0: do not"}
    )
    dropout: float = field(default=0.2, metadata={"help": "share of the pooled features dropped in training"})

    def __post_init__(self) -> None:
        if not self.blocks or min(self.blocks) < 1 or self.growth < 1 or not 0 < self.compression <= 1:
            raise ValueError("blocks and growth are at least 1, compression is between 0 and 1")

    def build(
        self, image_shape: tuple[int, int, int, int], outputs: tuple[str, ...] = ("pose",)
    ) -> keras.Model:
        """Build the network: ``(batch, D, D, D, C)`` to ``(batch, len(outputs))`` float32."""
        import keras

        image = keras.Input(image_shape, name="image")
        x = keras.layers.Conv3D(self.stem, 3, strides=2, padding="same", use_bias=False, name="stem")(image)
        for number, convolutions in enumerate(self.blocks, 1):
            if number > 1:
                x = self._transition(x, f"transition{number - 1}")
            for i in range(convolutions):
                new = _unit(x, self.growth, f"block{number}_{i + 1}")
                x = keras.layers.Concatenate(name=f"block{number}_{i + 1}_join")([x, new])
            if self.squeeze:
                from zoo_densenet3d.layers import ChannelWeights

                x = ChannelWeights(self.squeeze, name=f"block{number}_weights")(x)
        x = keras.layers.BatchNormalization(name="last_bn")(x)
        x = keras.layers.ReLU(name="last_relu")(x)
        x = keras.layers.GlobalAveragePooling3D(name="pool")(x)
        x = keras.layers.Dropout(self.dropout, name="dropout")(x)
        x = keras.layers.Dense(len(outputs), dtype="float32", name="outputs")(x)
        return keras.Model(image, x, name="densenet3d_se")

    def custom_objects(self) -> dict[str, Any]:
        """The layer of this package, by its registered name."""
        from zoo_densenet3d.layers import ChannelWeights

        return {"zoo-densenet3d>ChannelWeights": ChannelWeights}

    def _transition(self, x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        import keras

        filters = max(1, int(x.shape[-1] * self.compression))
        x = _unit(x, filters, name, width=1)
        return keras.layers.AveragePooling3D(2, padding="same", name=f"{name}_pool")(x)


def _unit(x: keras.KerasTensor, filters: int, name: str, width: int = 3) -> keras.KerasTensor:
    """Normalise, rectify, convolve."""
    import keras

    x = keras.layers.BatchNormalization(name=f"{name}_bn")(x)
    x = keras.layers.ReLU(name=f"{name}_relu")(x)
    return keras.layers.Conv3D(filters, width, padding="same", use_bias=False, name=f"{name}_conv")(x)


@hookimpl
def register_architectures() -> list[type[Architecture]]:
    """Offer ``densenet3d-se``."""
    return [DenseNet3D]
