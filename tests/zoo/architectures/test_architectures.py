"""The built-in networks: shapes for any box and channels, parameter counts worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from affinity_zoo.zoo.architectures.cnn4 import CNN4
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


@pytest.mark.parametrize("architecture", [CNN4(), ResNet3D(filters=8)])
@pytest.mark.parametrize(("side", "channels"), [(1, 1), (7, 2), (16, 28)])
def test_any_box_any_channels(architecture: CNN4 | ResNet3D, side: int, channels: int) -> None:
    network = architecture.build((side, side, side, channels), ("pose", "affinity"))
    image = np.random.default_rng(0).random((2, side, side, side, channels), np.float32)
    out = np.asarray(network(image))
    assert out.shape == (2, 2) and out.dtype == np.float32 and np.isfinite(out).all()
