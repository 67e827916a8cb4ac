"""Derivatives with respect to inputs for every Keras backend. The only module that distinguishes backends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.errors import AffinityZooError

Function = Callable[[Any], Any]


def value_and_gradient(
    function: Function, at: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Evaluate a function and differentiate the sum of its values.

    Args:
        function: from a tensor of the backend to a tensor of any shape, made of ``keras.ops`` and layers.
            Independent rows keep separate gradients under the sum.
        at: float32, point of evaluation.

    Returns:
        The function's values, and the gradient in the shape of ``at``; None where the values do not depend
        differentiably on the argument.

    Raises:
        AffinityZooError: derivatives are not implemented for this backend.
    """
    backend = keras.config.backend()
    found = _BACKENDS.get(backend)
    if found is None:
        raise AffinityZooError(
            f"gradients need Keras on TensorFlow, JAX or PyTorch, not on {backend!r}: set KERAS_BACKEND, or use "
            "`method='occlusion'`"
        )
    values, gradient = found(function, np.ascontiguousarray(at, np.float32))
    return np.asarray(values, np.float32), None if gradient is None else np.asarray(gradient, np.float32)


def _tensorflow(function: Function, at: NDArray[np.float32]) -> tuple[Any, Any]:
    import tensorflow as tf

    x = tf.convert_to_tensor(at)
    with tf.GradientTape() as tape:
        tape.watch(x)
        values = function(x)
    gradient = tape.gradient(values, x)
    return values.numpy(), None if gradient is None else tf.convert_to_tensor(gradient).numpy()


def _jax(function: Function, at: NDArray[np.float32]) -> tuple[Any, Any]:
    import jax

    def total(x: Any) -> tuple[Any, Any]:
        values = function(x)
        return values.astype("float32").sum(), values

    (_, values), gradient = jax.value_and_grad(total, has_aux=True)(at)
    return values, gradient


def _torch(function: Function, at: NDArray[np.float32]) -> tuple[Any, Any]:
    import torch

    x = keras.ops.convert_to_tensor(at).detach().clone().requires_grad_(True)
    values = function(x)
    gradient = None
    if values.requires_grad:
        (gradient,) = torch.autograd.grad(values.sum(), x, allow_unused=True)
    return values.detach().cpu().numpy(), None if gradient is None else gradient.detach().cpu().numpy()


_BACKENDS: dict[str, Callable[[Function, NDArray[np.float32]], tuple[Any, Any]]] = {
    "tensorflow": _tensorflow,
    "jax": _jax,
    "torch": _torch,
}
