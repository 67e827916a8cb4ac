"""The built-in networks: shapes for any box and channels, parameter counts worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from affinity_zoo.plugins.contracts import Architecture
from affinity_zoo.zoo.architectures.cnn4 import CNN4
from affinity_zoo.zoo.architectures.densenet3d import DenseNet3D
from affinity_zoo.zoo.architectures.pafnucy import Pafnucy
from affinity_zoo.zoo.architectures.resnet3d import BLOCKS, ResNet3D


def _cnn4_parameters(side: int, channels: int, strides: tuple[int, ...]) -> int:
    total, depth = 0, channels
    for width, filters, stride in zip((5, 3, 2, 2), (20, 30, 40, 50), strides, strict=True):
        total += width**3 * depth * filters + filters
        depth, side = filters, -(-side // stride)
    total += (side**3 * depth + 1) * 1024 + (1024 + 1) * 256 + 256 + 1
    return total


@pytest.mark.parametrize(
    ("side", "channels", "strides"), [(40, 1, (2, 2, 2, 2)), (24, 28, (2, 2, 2, 2)), (9, 3, (2, 2, 1, 1))]
)
def test_cnn4_has_the_parameters_of_its_description(
    side: int, channels: int, strides: tuple[int, ...]
) -> None:
    network = CNN4(strides=strides).build((side, side, side, channels))
    assert network.count_params() == _cnn4_parameters(side, channels, strides)


def test_the_ancestors_first_dense_layer_has_51_million_weights() -> None:
    network = CNN4(strides=(2, 2, 1, 1)).build((40, 40, 40, 1))
    assert network.get_layer("dense1").count_params() == (10**3 * 50 + 1) * 1024 == 51_201_024


def _resnet_parameters(depth: int, channels: int, filters: int) -> int:
    def conv_bn(width: int, fan_in: int, out: int) -> int:
        return width**3 * fan_in * out + 4 * out  # no bias; gamma, beta, mean, variance

    total, width = conv_bn(3, channels, filters), filters
    for stage, blocks in enumerate(BLOCKS[depth]):
        out = filters * 2**stage
        for _ in range(blocks):
            total += conv_bn(3, width, out) + conv_bn(3, out, out)
            total += conv_bn(1, width, out) if width != out else 0
            width = out
    return total + width + 1


@pytest.mark.parametrize("depth", [10, 18, 34])
def test_resnet3d_has_the_parameters_of_its_description(depth: int) -> None:
    network = ResNet3D(depth=depth, filters=8).build((12, 12, 12, 5))  # type: ignore[arg-type]
    assert network.count_params() == _resnet_parameters(depth, 5, 8)


def _densenet_parameters(channels: int, bottleneck: bool) -> int:
    """Blocks of 2 and 3 convolutions, growth 4, stem 6, half of the filters kept between."""

    def unit(width: int, fan_in: int, out: int) -> int:
        return 4 * fan_in + width**3 * fan_in * out  # gamma, beta, mean, variance; no bias

    def step(fan_in: int) -> int:
        return unit(1, fan_in, 16) + unit(3, 16, 4) if bottleneck else unit(3, fan_in, 4)

    first = step(6) + step(10)  # 14 filters then, of which 7 go on
    second = step(7) + step(11) + step(15)  # 19 in the end
    return 27 * channels * 6 + first + unit(1, 14, 7) + second + 4 * 19 + (19 + 1)


@pytest.mark.parametrize("bottleneck", [False, True])
def test_densenet3d_has_the_parameters_of_its_description(bottleneck: bool) -> None:
    architecture = DenseNet3D(blocks=(2, 3), growth=4, stem=6, bottleneck=bottleneck)
    assert architecture.build((12, 12, 12, 5)).count_params() == _densenet_parameters(5, bottleneck)


def test_densenet3d_refuses_what_makes_no_network() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        DenseNet3D(blocks=())


def test_pafnucy_has_the_parameters_of_the_paper() -> None:
    """With the paper's 19 channels and 21 points: 21 -> 11 -> 6 -> 3 points, 27 x 256 = 6,912 into dense."""
    network = Pafnucy().build((21, 21, 21, 19), ("affinity",))
    assert network.get_layer("flatten").output.shape == (None, 6_912)
    convolutions = (125 * 19 + 1) * 64, (125 * 64 + 1) * 128, (125 * 128 + 1) * 256
    dense = 6_913 * 1000, 1_001 * 500, 501 * 200, 201
    assert network.count_params() == sum(convolutions) + sum(dense) == 12_786_349


def test_pafnucy_starts_as_published() -> None:
    network = Pafnucy().build((21, 21, 21, 19), ("affinity", "pose"))
    for name, deviation, bias in (("conv2", 0.001, 0.1), ("dense1", 6_912**-0.5, 1.0)):
        kernel, biases = network.get_layer(name).get_weights()
        # Keras cuts the normal at two deviations, which leaves 0.88 of the deviation
        assert kernel.std() == pytest.approx(0.8796 * deviation, rel=0.02)
        assert np.all(biases == np.float32(bias))
    weights = [layer.get_weights()[0] for layer in network.layers if layer.get_weights()]
    penalty = 0.001 * sum(float(np.square(w, dtype=np.float64).sum()) for w in weights)
    assert float(sum(network.losses)) == pytest.approx(penalty, rel=1e-4)
    assert network.get_layer("affinity").activation.__name__ == "relu"
    assert network.get_layer("pose").activation.__name__ == "linear"


@pytest.mark.parametrize(
    "architecture",
    [CNN4(), ResNet3D(filters=8), DenseNet3D(growth=4), DenseNet3D(bottleneck=True), Pafnucy()],
)
@pytest.mark.parametrize(("side", "channels"), [(1, 1), (7, 2), (16, 28)])
def test_any_box_any_channels(architecture: Architecture, side: int, channels: int) -> None:
    network = architecture.build((side, side, side, channels), ("pose", "affinity"))
    image = np.random.default_rng(0).random((2, side, side, side, channels), np.float32)
    out = np.asarray(network(image))
    assert out.shape == (2, 2) and out.dtype == np.float32 and np.isfinite(out).all()
