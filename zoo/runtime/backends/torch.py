"""Keras on PyTorch: its device and derivatives, and its 3D layers on a CPU without the copies that Keras makes.

Keras copies the input of a convolution from channels last to channels first and back again; a permuted view is the same
memory, and the result has the same bits. Its batch normalisation passes over the image about ten times, PyTorch's own
function once or twice; the results differ by rounding. Average pooling in half precision is there at all.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from affinity_zoo.zoo.runtime.backends.base import Backend, Function, Half
from affinity_zoo.zoo.runtime.device import Device, has_bfloat16

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class PyTorch(Backend):
    """PyTorch: the current CUDA device, or the CPU; steps run as they are written."""

    def start(self) -> None:
        """Replace three functions of Keras, as long as they take the arguments that are known here."""
        import keras

        with suppress(ImportError):
            from keras.src.backend import nn

            _replace(nn, "conv", _conv_of)
            _replace(nn, "average_pool", _average_pool_of)
        _replace(keras.layers.BatchNormalization, "call", _batch_normalization_of)

    def device(self, logical_cpus: int = 0) -> Device:
        """Return the current CUDA device, or the CPU.

        Args:
            logical_cpus: Not used.
        """
        import torch

        if torch.cuda.is_available():
            return Device(f"{torch.cuda.get_device_name()} (PyTorch)", 1, True)
        return Device(f"CPU, {torch.get_num_threads()} threads (PyTorch)", 1, False)

    def half_precision(self) -> Half:
        """Return bfloat16 on a CPU with instructions for it, else float16."""
        import torch

        return "bfloat16" if has_bfloat16() and not torch.cuda.is_available() else "float16"

    def fast_bfloat16(self) -> bool:
        """Return whether the CUDA device, or the CPU, has instructions for bfloat16."""
        import torch

        return torch.cuda.is_bf16_supported() if torch.cuda.is_available() else has_bfloat16()

    def value_and_gradient(self, function: Function, at: NDArray[np.float32]) -> tuple[Any, Any]:
        """Evaluate a function and differentiate the sum of its values.

        Args:
            function: From a tensor to a tensor of any shape.
            at: float32, contiguous.
        """
        import keras
        import torch

        x = keras.ops.convert_to_tensor(at).detach().clone().requires_grad_(True)
        values = function(x)
        gradient = None
        if values.requires_grad:
            (gradient,) = torch.autograd.grad(values.sum(), x, allow_unused=True)
        return values.detach().cpu().numpy(), None if gradient is None else gradient.detach().cpu().numpy()

    def seed(self, seed: int) -> None:
        """Seed PyTorch's own generator: dropout layers without a seed of their own draw from it.

        Args:
            seed: From 0, below 2^32.
        """
        import torch

        torch.manual_seed(seed)


#: Keras's own functions, by name, where they were replaced
REPLACED: dict[str, Callable[..., Any]] = {}


def _replace(owner: Any, name: str, made: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Replace a function of Keras by one made of it, once, and only if it has the arguments that are expected."""
    old = getattr(owner, name, None)
    if name in REPLACED or not callable(old):
        return
    new = made(old)
    if list(inspect.signature(old).parameters) == list(inspect.signature(new).parameters):
        REPLACED[name] = old
        setattr(owner, name, new)


def _is_image(x: Any) -> bool:
    """Whether this is a batch of 3D images on a CPU (not the shape alone, which Keras computes with too)."""
    import torch

    return isinstance(x, torch.Tensor) and x.ndim == 5 and x.device.type == "cpu"


def _conv_of(keras_conv: Callable[..., Any]) -> Callable[..., Any]:
    """Return Keras's convolution without its copies of 3D images."""
    import keras

    def conv(
        inputs: Any,
        kernel: Any,
        strides: Any = 1,
        padding: Any = "valid",
        data_format: Any = None,
        dilation_rate: Any = 1,
    ) -> Any:
        order = data_format or keras.config.image_data_format()
        if order != "channels_last" or not _is_image(inputs):
            return keras_conv(inputs, kernel, strides, padding, data_format, dilation_rate)
        view = inputs.permute(0, 4, 1, 2, 3)
        made = keras_conv(view, kernel, strides, padding, "channels_first", dilation_rate)
        return made.permute(0, 2, 3, 4, 1)

    return conv


def _average_pool_of(keras_pool: Callable[..., Any]) -> Callable[..., Any]:
    """Return Keras's average pooling, in float32 for 3D images of half precision, which PyTorch lacks on a CPU."""

    def average_pool(
        inputs: Any, pool_size: Any, strides: Any = None, padding: Any = "valid", data_format: Any = None
    ) -> Any:
        if not _is_image(inputs) or inputs.element_size() >= 4:
            return keras_pool(inputs, pool_size, strides, padding, data_format)
        return keras_pool(inputs.float(), pool_size, strides, padding, data_format).to(inputs.dtype)

    return average_pool


def _batch_normalization_of(keras_call: Callable[..., Any]) -> Callable[..., Any]:
    """Return the call of Keras's batch normalisation, by PyTorch's function for 3D images with channels last."""
    import keras
    import torch

    def call(self: Any, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        plain = (
            mask is None
            and _is_image(inputs)
            and inputs.dtype in {torch.float32, torch.bfloat16}
            and self.axis in {-1, 4}
            and self.moving_mean.dtype == "float32"
            and not (self.synchronized or getattr(self, "renorm", False))
        )
        count = inputs.numel() // inputs.shape[-1] if plain else 0  # values a channel
        if count < 2:
            return keras_call(self, inputs, training=training, mask=mask)
        scale = keras.ops.cast(self.gamma, "float32") if self.scale else None
        offset = keras.ops.cast(self.beta, "float32") if self.center else None
        view = inputs.permute(0, 4, 1, 2, 3)
        if training and self.trainable:
            mean, variance = (inputs.new_zeros(inputs.shape[-1], dtype=torch.float32) for _ in range(2))
            # with a momentum of 1 these become the statistics of the batch
            made = torch.nn.functional.batch_norm(
                view, mean, variance, scale, offset, True, 1.0, self.epsilon
            )
            # Keras keeps the variance of the values, PyTorch estimates that of all they are drawn from
            of_batch = variance * ((count - 1) / count)
            for kept, new in ((self.moving_mean, mean), (self.moving_variance, of_batch)):
                kept.assign(kept * self.momentum + new * (1 - self.momentum))
        else:
            mean, variance = (
                keras.ops.convert_to_tensor(v).detach() for v in (self.moving_mean, self.moving_variance)
            )
            made = torch.nn.functional.batch_norm(
                view, mean, variance, scale, offset, False, 0.0, self.epsilon
            )
        return keras.ops.cast(made.permute(0, 2, 3, 4, 1), self.compute_dtype)

    return call


BACKEND = PyTorch("torch")
