"""Derivatives with respect to inputs, under every Keras backend that has them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.zoo.runtime.backends import active_backend
from affinity_zoo.zoo.runtime.backends.base import Function


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
    values, gradient = active_backend().value_and_gradient(function, np.ascontiguousarray(at, np.float32))
    return np.asarray(values, np.float32), None if gradient is None else np.asarray(gradient, np.float32)
