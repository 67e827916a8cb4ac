"""Memory that is not used any more, given back to the system."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress


def give_back() -> None:
    """Return freed memory to the system, where the C library (glibc) would keep it for later.

    Large arrays of different sizes that come and go leave gaps, which count as used.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def collect() -> None:
    """Free what only refers to itself, and return freed memory to the system."""
    gc.collect()
    give_back()
