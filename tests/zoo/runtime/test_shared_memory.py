"""Batches that the backend takes without a copy."""

from __future__ import annotations

import numpy as np
import pytest

from affinity_zoo.zoo.batches.buffers import Buffers
from affinity_zoo.zoo.runtime.backends import active_backend, backend_named


def test_an_aligned_array_is_shared_and_others_are_left_alone() -> None:
    pytest.importorskip("tensorflow")
    backend = backend_named("tensorflow")
    array = Buffers().array(np.float32, 64).reshape(2, 32)
    array[:] = 1.0
    tensor = backend.shared(array)
    array[1, 3] = 7.0
    assert float(tensor[1, 3]) == 7.0 and tuple(tensor.shape) == (2, 32)
    odd = Buffers().array(np.float32, 65)[1:]  # 4 bytes beyond the alignment
    frozen = Buffers().array(np.float32, 4)
    frozen.flags.writeable = False
    for other in (odd, frozen, array[:, ::2], np.arange(3)):
        assert backend.shared(other) is other


def test_the_memory_lives_as_long_as_the_tensor() -> None:
    backend, buffers = active_backend(), Buffers()
    first = buffers.array(np.float32, 1024)
    first[:] = 3.0
    tensor = backend.shared(first)
    del first
    second = buffers.array(np.float32, 1024)  # the block of the first, were it free
    second[:] = 4.0
    assert np.asarray(tensor).min() == 3.0
