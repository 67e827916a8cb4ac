"""Memory of batches, used again when nobody holds the batch any more.

Fresh memory costs more than filling it: the system clears each page when it is first touched, and TensorFlow copies
arrays that are not aligned to 64 bytes.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_ALIGN: Final = 64
_KEPT: Final = 8  #: blocks of a size that are kept for later: about the batches that are in flight


class _Lease:
    """A block in use. Every view of its array holds it; the block is free when the last view is deleted."""

    def __init__(self, buffers: Buffers, block: NDArray[np.uint8], dtype: Any, length: int) -> None:
        self._buffers, self._block = buffers, block
        address = int(block.__array_interface__["data"][0])
        self.__array_interface__ = {
            "version": 3,
            "typestr": np.dtype(dtype).str,
            "shape": (length,),
            "data": (address + -address % _ALIGN, False),
        }

    def __del__(self) -> None:
        self._buffers._take_back(self._block)


class Buffers:
    """Flat aligned arrays, not initialised; thread-safe."""

    def __init__(self) -> None:
        self._free: dict[int, deque[NDArray[np.uint8]]] = {}

    def array(self, dtype: Any, length: int) -> NDArray[Any]:
        """Return an array (length,) of this type, aligned to 64 bytes; what it holds is arbitrary.

        Args:
            dtype: Type of the numbers.
            length: Number of elements.
        """
        size = length * np.dtype(dtype).itemsize + _ALIGN
        try:
            block = self._free[size].pop()
        except (KeyError, IndexError):
            block = np.empty(size, np.uint8)
        return np.asarray(_Lease(self, block, dtype, length))

    def _take_back(self, block: NDArray[np.uint8]) -> None:
        # called whenever an array dies, perhaps in the middle of anything: no lock, a deque's own steps are whole
        free = self._free.setdefault(len(block), deque(maxlen=_KEPT))
        free.append(block)
