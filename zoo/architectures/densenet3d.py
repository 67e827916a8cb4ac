"""``densenet3d``: a densely connected network in three dimensions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from affinity_zoo.plugins import hookimpl
from affinity_zoo.plugins.contracts import Architecture

if TYPE_CHECKING:
    import keras

#: with Keras's default of 0.99 the moving statistics lag by hundreds of steps, more than an epoch has here
BN_MOMENTUM = 0.9
BOTTLENECK = 4  #: filters of the 1-wide convolution before each 3-wide one, in multiples of the growth


@dataclass(frozen=True)
class DenseNet3D(Architecture):
    """Densely connected network: each convolution receives the outputs of all earlier ones of its block.

    The order is that of Huang et al.: normalise, rectify, convolve; between blocks a 1-wide convolution
    that keeps a share of the filters, and average pooling. With ``bottleneck`` it is their DenseNet-BC.
    (``gnina-dense`` differs: it does not rectify before a convolution, and pools by the maximum.)
    """

    name = "densenet3d"
    summary = "Densely connected 3D network with batch normalisation and global average pooling."
    reference = "Huang, Liu, van der Maaten, Weinberger: Densely Connected Convolutional Networks, CVPR 2017"

    blocks: tuple[int, ...] = field(default=(4, 4, 4), metadata={"help": "convolutions in each block"})
    growth: int = field(default=16, metadata={"help": "filters that each convolution adds"})
    stem: int = field(default=32, metadata={"help": "filters of the first convolution"})
    stem_stride: int = field(default=2, metadata={"help": "stride of the first convolution"})
    compression: float = field(default=0.5, metadata={"help": "share of filters kept between blocks"})
    bottleneck: bool = field(
        default=False,
        metadata={"help": "a 1-wide convolution of 4 x growth filters before each 3-wide convolution"},
    )
    dropout: float = field(default=0.2, metadata={"help": "dropout rate of the pooled features"})

    def __post_init__(self) -> None:
        if not self.blocks or min(self.blocks) < 1 or self.growth < 1 or not 0 < self.compression <= 1:
            raise ValueError("blocks and growth are at least 1, compression is above 0 and at most 1")

    def build(
        self, image_shape: tuple[int, int, int, int], outputs: tuple[str, ...] = ("pose",)
    ) -> keras.Model:
        """Build the network: ``(batch, D, D, D, C)`` to ``(batch, len(outputs))`` float32."""
        import keras

        image = keras.Input(image_shape, name="image")
        x = _convolution(image, self.stem, 3, "stem", stride=self.stem_stride)
        for number, convolutions in enumerate(self.blocks, start=1):
            if number > 1:
                kept = max(1, int(x.shape[-1] * self.compression))
                x = _unit(x, kept, 1, f"transition{number - 1}")
                x = keras.layers.AveragePooling3D(2, padding="same", name=f"transition{number - 1}_pool")(x)
            for i in range(1, convolutions + 1):
                name = f"block{number}_{i}"
                y = _unit(x, BOTTLENECK * self.growth, 1, f"{name}_bottleneck") if self.bottleneck else x
                y = _unit(y, self.growth, 3, name)
                x = keras.layers.Concatenate(name=f"{name}_join")([x, y])
        x = _rectified(x, "last")
        x = keras.layers.GlobalAveragePooling3D(name="pool")(x)
        x = keras.layers.Dropout(self.dropout, name="dropout")(x)
        x = keras.layers.Dense(len(outputs), dtype="float32", name="outputs")(x)
        return keras.Model(image, x, name="densenet3d")


def _rectified(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Normalise and rectify."""
    import keras

    x = keras.layers.BatchNormalization(momentum=BN_MOMENTUM, name=f"{name}_bn")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def _unit(x: keras.KerasTensor, filters: int, width: int, name: str) -> keras.KerasTensor:
    """Normalise, rectify, convolve."""
    return _convolution(_rectified(x, name), filters, width, name)


def _convolution(
    x: keras.KerasTensor, filters: int, width: int, name: str, stride: int = 1
) -> keras.KerasTensor:
    """Convolve without bias, because a normalisation follows."""
    import keras

    return keras.layers.Conv3D(
        filters,
        width,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)


@hookimpl
def register_architectures() -> list[type[Architecture]]:
    """Register ``densenet3d``."""
    return [DenseNet3D]
