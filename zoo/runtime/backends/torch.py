"""Keras on PyTorch: its device and derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from affinity_zoo.zoo.runtime.backends.base import Backend, Function
from affinity_zoo.zoo.runtime.device import Device

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class PyTorch(Backend):
    """PyTorch: the current CUDA device, or the CPU; steps run as they are written."""

    def device(self, logical_cpus: int = 0) -> Device:
        """Return the current CUDA device, or the CPU.

        Args:
            logical_cpus: Not used.
        """
        import torch

        if torch.cuda.is_available():
            return Device(f"{torch.cuda.get_device_name()} (PyTorch)", 1, True)
        return Device(f"CPU, {torch.get_num_threads()} threads (PyTorch)", 1, False)

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


BACKEND = PyTorch("torch")
