"""Keras on JAX: its device and derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from affinity_zoo.zoo.runtime.backends.base import Backend, Function
from affinity_zoo.zoo.runtime.device import Device

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class JAX(Backend):
    """JAX: the first of its devices; JAX compiles a step for each shape."""

    def device(self, logical_cpus: int = 0) -> Device:
        """Return the first device of JAX.

        Args:
            logical_cpus: Not used.
        """
        import jax

        first = jax.devices()[0]
        return Device(f"{first.device_kind} (JAX)", 1, first.platform != "cpu")

    def fast_bfloat16(self) -> bool:
        """Return whether the device is an accelerator; on a CPU JAX is slower in bfloat16."""
        return self.device().accelerator

    def value_and_gradient(self, function: Function, at: NDArray[np.float32]) -> tuple[Any, Any]:
        """Evaluate a function and differentiate the sum of its values.

        Args:
            function: From a tensor to a tensor of any shape.
            at: float32, contiguous.
        """
        import jax

        def total(x: Any) -> tuple[Any, Any]:
            values = function(x)
            return values.astype("float32").sum(), values

        (_, values), gradient = jax.value_and_grad(total, has_aux=True)(at)
        return values, gradient


BACKEND = JAX("jax")
