"""Interface to a backend of Keras for everything that Keras itself does not offer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from affinity_zoo.plugins.errors import AffinityZooError

if TYPE_CHECKING:
    import keras
    import numpy as np
    from numpy.typing import NDArray

    from affinity_zoo.zoo.runtime.device import Device

Function = Callable[[Any], Any]
Half = Literal["float16", "bfloat16"]


class Backend:
    """A backend of Keras. This class holds for any: one device, no derivatives, Keras's own training step.

    Args:
        name: Name of the backend in Keras.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def start(self) -> None:
        """Do what is possible only before the first computation."""

    def device(self, logical_cpus: int = 0) -> Device:
        """Return the device that Keras computes on.

        Args:
            logical_cpus: Number of logical devices that the CPU is split into; TensorFlow only.
        """
        from affinity_zoo.zoo.runtime.device import Device

        return Device(self.name, 1, False)

    def half_precision(self) -> Half:
        """Return the type of half precision in which its device trains best.

        Not bfloat16 on every CPU that computes it: there its 3D convolutions gave NaN gradients (TensorFlow 2.21).
        """
        return "float16"

    def fast_bfloat16(self) -> bool:
        """Return whether its device computes convolutions faster in bfloat16 than in float32."""
        return False

    def shared(self, array: NDArray[Any]) -> Any:
        """Return an array as a tensor that uses the same memory where the backend can, else the array.

        Args:
            array: Not changed as long as the tensor is used.
        """
        return array

    def value_and_gradient(self, function: Function, at: NDArray[np.float32]) -> tuple[Any, Any]:
        """Evaluate a function and differentiate the sum of its values.

        Args:
            function: From a tensor to a tensor of any shape.
            at: float32, contiguous.

        Returns:
            The values and the gradient (None where they do not depend on the argument), as arrays of the host.

        Raises:
            AffinityZooError: Derivatives are not implemented for this backend.
        """
        raise AffinityZooError(
            f"gradients need Keras on TensorFlow, JAX or PyTorch, not on {self.name!r}: set KERAS_BACKEND, or use "
            "`method='occlusion'`"
        )

    def see_shapes(self, model: keras.Model) -> None:
        """Let the steps of `fit` see every axis of a batch, where they would not.

        Args:
            model: Compiled; compiling it again undoes this.
        """

    def seed(self, seed: int) -> None:
        """Seed random numbers that the backend draws outside Keras's own seed generators.

        Args:
            seed: From 0, below 2^32.
        """
