"""gnina's networks: parameter counts, the order of weights against a plain reference, published scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.architectures.gnina import GninaDefault2017, GninaDefault2018, GninaDense
from affinity_zoo.zoo.importers.gnina import architecture_of, fill


@pytest.mark.parametrize(
    ("architecture", "channels", "parameters"),
    # the counts of the published state dicts; dense with its running statistics
    [(GninaDefault2017(), 35, 389_891), (GninaDefault2018(), 28, 389_059), (GninaDense(), 28, 688_003)],
)
def test_parameter_counts(architecture, channels: int, parameters: int) -> None:  # type: ignore[no-untyped-def]
    assert architecture.build((48, 48, 48, channels), ("pose", "affinity")).count_params() == parameters


def _convolve(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """ReLU of a channels-first convolution as PyTorch defines it (cross-correlation, zero padding)."""
    pad = weight.shape[-1] // 2
    padded = np.pad(x, [(0, 0)] + [(pad, pad)] * 3)
    windows = sliding_window_view(padded, weight.shape[2:], axis=(1, 2, 3))
    return np.maximum(np.einsum("cxyzijk,ocijk->oxyz", windows, weight) + bias[:, None, None, None], 0)


def _pool(x: np.ndarray) -> np.ndarray:
    c, n = x.shape[:2]
    return x.reshape(c, n // 2, 2, n // 2, 2, n // 2, 2).mean(axis=(2, 4, 6))


def _state_dict(rng: np.random.Generator, side: int) -> dict[str, np.ndarray]:
    shapes = zip("12345", (32, 32, 64, 64, 128), (28, 32, 32, 64, 64), (3, 1, 3, 1, 3), strict=True)
    weights = {}
    for number, out, fan_in, width in shapes:
        name = f"unit{number}_conv"
        weights[f"{name}.weight"] = rng.normal(
            0, (2 / (fan_in * width**3)) ** 0.5, (out, fan_in, width, width, width)
        )
        weights[f"{name}.bias"] = rng.normal(0, 0.1, out)
    for name, out in (("pose_output", 2), ("affinity_output", 1)):
        weights[f"{name}.weight"] = rng.normal(0, 0.05, (out, 128 * side**3))
        weights[f"{name}.bias"] = rng.normal(0, 0.1, out)
    return {name: value.astype(np.float32) for name, value in weights.items()}


def test_weights_keep_their_meaning() -> None:
    """A random state dict in a network for 16^3, against the network written out in NumPy, channels first."""
    rng = np.random.default_rng(0)
    weights = _state_dict(rng, side=2)
    network = GninaDefault2018().build((16, 16, 16, 28), ("pose", "affinity"))
    fill(network, weights, Path("made.pt"))
    image = rng.random((28, 16, 16, 16), np.float32)
    x = image
    for i in range(1, 6):
        x = _pool(x) if i % 2 else x
        x = _convolve(x, weights[f"unit{i}_conv.weight"], weights[f"unit{i}_conv.bias"])
    flat = x.reshape(-1)
    pose = weights["pose_output.weight"] @ flat + weights["pose_output.bias"]
    affinity = weights["affinity_output.weight"] @ flat + weights["affinity_output.bias"]
    found = np.asarray(network(image.transpose(1, 2, 3, 0)[None]))[0]
    assert found == pytest.approx([pose[1] - pose[0], affinity[0]], abs=1e-4)


def test_foreign_weights_are_refused() -> None:
    with pytest.raises(AffinityZooError, match="not weights of gnina"):
        architecture_of(Path("x.pt"), {"conv.weight": np.zeros(1, np.float32)})
    weights = _state_dict(np.random.default_rng(0), side=2)
    network = GninaDefault2018().build((16, 16, 16, 28), ("pose", "affinity"))
    with pytest.raises(AffinityZooError, match="do not belong to the network"):
        fill(network, {**weights, "extra_conv.weight": np.zeros(1, np.float32)}, Path("x.pt"))
    weights["unit3_conv.weight"] = weights["unit3_conv.weight"][:5]
    with pytest.raises(AffinityZooError, match="unit3_conv do not fit"):
        fill(network, weights, Path("x.pt"))
