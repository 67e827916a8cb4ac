"""``resnet3d``: a residual network in three dimensions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from affinity_zoo.plugins import hookimpl
from affinity_zoo.plugins.contracts import Architecture

if TYPE_CHECKING:
    import keras

#: residual blocks in each of the four stages (He et al., table 1; ResNet-10 has one each)
BLOCKS = {10: (1, 1, 1, 1), 18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}

#: with Keras's default of 0.99 the moving statistics lag by hundreds of steps, more than an epoch has here
BN_MOMENTUM = 0.9


@dataclass(frozen=True)
class ResNet3D(Architecture):
    """Basic residual blocks with batch normalisation, global average pooling, one dense layer.

    The image of a complex is far smaller than a photograph, so the stem is one 3-wide convolution
    of stride ``stem_stride`` and no pooling, instead of a 7-wide one with pooling. Three quarters of the
    weights are in the fourth stage, which sees 2^3 voxels of a 24^3 image: ``stages=3`` leaves it out.
    """

    name = "resnet3d"
    summary = "Residual 3D network with batch normalisation and global average pooling."
    reference = "He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, CVPR 2016"

    depth: Literal[10, 18, 34] = field(
        default=10, metadata={"help": "number of weighted layers with four stages"}
    )
    filters: int = field(
        default=32, metadata={"help": "filters of the first stage; doubled in each later one"}
    )
    stages: Literal[2, 3, 4] = field(
        default=4, metadata={"help": "stages of residual blocks; the last ones of the four are left out"}
    )
    stem_stride: int = field(default=2, metadata={"help": "stride of the first convolution"})
    dropout: float = field(default=0.2, metadata={"help": "dropout rate of the pooled features"})

    def build(
        self, image_shape: tuple[int, int, int, int], outputs: tuple[str, ...] = ("pose",)
    ) -> keras.Model:
        """Build the network: ``(batch, D, D, D, C)`` to ``(batch, len(outputs))`` float32."""
        import keras

        image = keras.Input(image_shape, name="image")
        x = _convolution(image, self.filters, self.stem_stride, "stem")
        x = keras.layers.ReLU(name="stem_relu")(x)
        for stage, blocks in enumerate(BLOCKS[self.depth][: self.stages]):
            for block in range(blocks):
                stride = 2 if stage > 0 and block == 0 else 1
                x = _residual(x, self.filters * 2**stage, stride, f"stage{stage + 1}_block{block + 1}")
        x = keras.layers.GlobalAveragePooling3D(name="pool")(x)
        x = keras.layers.Dropout(self.dropout, name="dropout")(x)
        x = keras.layers.Dense(len(outputs), dtype="float32", name="outputs")(x)
        return keras.Model(image, x, name="resnet3d")


def _convolution(x: keras.KerasTensor, filters: int, stride: int, name: str) -> keras.KerasTensor:
    """Apply a 3-wide convolution without bias, then batch normalisation."""
    import keras

    x = keras.layers.Conv3D(
        filters,
        3,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    return keras.layers.BatchNormalization(momentum=BN_MOMENTUM, name=f"{name}_bn")(x)


def _residual(x: keras.KerasTensor, filters: int, stride: int, name: str) -> keras.KerasTensor:
    """Apply two convolutions beside a shortcut; the shortcut is projected where the shape changes."""
    import keras

    shortcut = x
    if stride != 1 or x.shape[-1] != filters:
        shortcut = keras.layers.Conv3D(
            filters, 1, strides=stride, padding="same", use_bias=False, name=f"{name}_project_conv"
        )(x)
        shortcut = keras.layers.BatchNormalization(momentum=BN_MOMENTUM, name=f"{name}_project_bn")(shortcut)
    y = _convolution(x, filters, stride, f"{name}_1")
    y = keras.layers.ReLU(name=f"{name}_1_relu")(y)
    y = _convolution(y, filters, 1, f"{name}_2")
    y = keras.layers.Add(name=f"{name}_add")([y, shortcut])
    return keras.layers.ReLU(name=f"{name}_relu")(y)


@hookimpl
def register_architectures() -> list[type[Architecture]]:
    """Register ``resnet3d``."""
    return [ResNet3D]
