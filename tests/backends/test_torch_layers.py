"""What replaces Keras's 3D layers under PyTorch on a CPU computes what Keras does: `make test-backends`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

if keras.config.backend() != "torch":
    pytest.skip("is about Keras on PyTorch", allow_module_level=True)

import torch

from affinity_zoo.zoo.runtime.backends import active_backend
from affinity_zoo.zoo.runtime.backends import torch as module

active_backend().start()


def values(*shape: int, seed: int = 0) -> Any:
    return torch.from_numpy(np.random.default_rng(seed).normal(0.5, 2, shape).astype("float32"))


def gradients(made: Any, *of: Any) -> list[Any]:
    """Those of a sum in which every value has a weight of its own."""
    weights = values(*made.shape, seed=9)
    return list(torch.autograd.grad((made.float() * weights).sum(), of))


def assert_close(found: Any, expected: Any, within: float = 1e-5) -> None:
    """Equal within a share of the largest value."""
    found, expected = (x.detach().float() for x in (found, expected))
    assert found.shape == expected.shape
    assert float((found - expected).abs().max()) <= within * max(1, float(expected.abs().max()))


def test_functions_are_replaced_once() -> None:
    assert set(module.REPLACED) == {"conv", "average_pool", "call"}
    before = keras.src.backend.nn.conv, keras.layers.BatchNormalization.call
    active_backend().start()
    assert (keras.src.backend.nn.conv, keras.layers.BatchNormalization.call) == before


def test_a_function_with_other_arguments_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def conv(inputs: Any, kernel: Any, groups: int = 1) -> Any:
        return inputs

    owner = SimpleNamespace(conv=conv)
    monkeypatch.setattr(module, "REPLACED", {})
    module._replace(owner, "conv", module._conv_of)
    module._replace(owner, "absent", module._conv_of)
    module._replace(None, "conv", module._conv_of)
    assert owner.conv is conv and not module.REPLACED


@pytest.mark.parametrize(
    "kernel, strides, padding, dilation, groups",
    [
        (3, 1, "same", 1, 1),
        (3, 2, "same", 1, 1),
        (4, 2, "same", 1, 1),
        (3, (1, 2, 1), "valid", 1, 1),
        (1, 2, "valid", 1, 1),
        (2, 1, "same", 2, 1),
        (3, 1, "valid", 1, 2),
    ],
)
@pytest.mark.parametrize("channels", [1, 6])
@pytest.mark.parametrize("memory", ["contiguous", "permuted"])
def test_convolution(
    kernel: int, strides: Any, padding: str, dilation: int, groups: int, channels: int, memory: str
) -> None:
    if channels % groups:
        pytest.skip("channels are no multiple of the groups")
    x = values(2, 9, 8, 7, channels)
    if memory == "permuted":
        x = values(2, channels, 9, 8, 7).permute(0, 2, 3, 4, 1)
    k = values(kernel, kernel, kernel, channels // groups, 4, seed=1)
    x.requires_grad_(True)
    k.requires_grad_(True)
    results = []
    for conv in (keras.src.backend.nn.conv, module.REPLACED["conv"]):
        y = conv(x, k, strides=strides, padding=padding, data_format="channels_last", dilation_rate=dilation)
        results.append([y, *gradients(y, x, k)])
    for found, expected in zip(*results, strict=True):
        assert_close(found, expected)


def test_layers_of_other_dimensions_and_orders_are_those_of_keras() -> None:
    for shape, kernel, order in [
        ((2, 8, 7, 3), (3, 3, 3, 4), "channels_last"),
        ((2, 8, 3), (3, 3, 4), "channels_last"),
        ((2, 3, 6, 6, 6), (3, 3, 3, 3, 4), "channels_first"),
    ]:
        x, k = values(*shape), values(*kernel, seed=1)
        found, expected = (
            conv(x, k, 1, "same", order, 1) for conv in (keras.ops.conv, module.REPLACED["conv"])
        )
        assert torch.equal(found, expected)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_average_pooling_in_half_precision(padding: str) -> None:
    x = values(2, 7, 7, 7, 3).to(torch.bfloat16).requires_grad_(True)
    y = keras.ops.average_pool(x, 2, padding=padding)
    exact = module.REPLACED["average_pool"](x.float(), 2, padding=padding, data_format="channels_last")
    assert y.dtype == torch.bfloat16 and torch.equal(y, exact.to(torch.bfloat16))
    assert gradients(y, x)[0].isfinite().all()


@pytest.mark.parametrize("layer", ["MaxPooling3D", "AveragePooling3D", "GlobalAveragePooling3D"])
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_pooling_after_a_convolution(layer: str, policy: str) -> None:
    """Its input is a permuted view; compared with its input in contiguous memory."""
    conv = keras.layers.Conv3D(4, 3, padding="same", dtype=policy)
    y = conv(values(2, 7, 7, 7, 3))
    options = {"pool_size": 2, "padding": "same"} if "Global" not in layer else {}
    pool = getattr(keras.layers, layer)(**options, dtype=policy)
    assert_close(pool(y), pool(y.contiguous()))


@pytest.mark.parametrize("training, trainable", [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize("options", [{}, {"scale": False}, {"center": False, "epsilon": 1e-5}])
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_batch_normalisation(training: bool, trainable: bool, options: dict[str, Any], policy: str) -> None:
    x = values(3, 5, 4, 6, 7).requires_grad_(True)
    results = []
    for call in (keras.layers.BatchNormalization.call, module.REPLACED["call"]):
        layer = keras.layers.BatchNormalization(momentum=0.9, dtype=policy, **options)
        layer.build(x.shape)
        for weight in layer.weights:
            weight.assign(values(7, seed=2).abs() + 0.1)
        layer.trainable = trainable
        found = x.to(torch.bfloat16) if policy == "mixed_bfloat16" else x
        for _ in range(2):  # the second time with statistics that the first one has moved
            y = call(layer, found, training=training)
        of = [x, *(w.value for w in layer.weights if w.name in {"gamma", "beta"} and trainable)]
        results.append([y, layer.moving_mean.value, layer.moving_variance.value, *gradients(y, *of)])
    # bfloat16 has 8 bits, and the two round in different places
    for found, expected in zip(*results, strict=True):
        assert_close(found, expected, 1e-5 if policy == "float32" else 1e-2)
    assert results[0][0].dtype == results[1][0].dtype


@pytest.mark.parametrize(
    "shape, axis", [((4, 6), -1), ((2, 5, 5, 3), -1), ((2, 3, 4, 4, 4), 1), ((1, 1, 1, 1, 3), -1)]
)
def test_other_batch_normalisation_is_that_of_keras(shape: tuple[int, ...], axis: int) -> None:
    layer = keras.layers.BatchNormalization(axis=axis)
    layer.build(shape)
    x = values(*shape)
    found = layer(x, training=True)
    expected = module.REPLACED["call"](layer, x, training=True)
    assert torch.equal(found, expected)


def test_a_network_learns_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three steps of a small residual network, with and without the replacements."""
    from affinity_zoo.zoo.architectures.resnet3d import ResNet3D

    x, y = values(4, 12, 12, 12, 5).numpy(), values(4, 1, seed=3).numpy()

    def trained() -> list[Any]:
        keras.utils.set_random_seed(1)
        model = ResNet3D(filters=4, dropout=0.0).build((12, 12, 12, 5), ("pose",))
        model.compile(keras.optimizers.SGD(1e-3), "mse", jit_compile=False)
        losses = [float(model.train_on_batch(x, y)) for _ in range(3)]
        return [*losses, *model.predict_on_batch(x).ravel()]

    found = trained()
    monkeypatch.setattr(keras.src.backend.nn, "conv", module.REPLACED["conv"])
    monkeypatch.setattr(keras.layers.BatchNormalization, "call", module.REPLACED["call"])
    np.testing.assert_allclose(found, trained(), rtol=1e-4, atol=1e-4)
