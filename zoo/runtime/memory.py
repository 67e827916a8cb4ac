"""Memory that is not used any more: kept for the next batch, or given back to the system."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress

#: parameters of glibc's mallopt
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4


def keep_freed() -> None:
    """Let the C library (glibc) keep freed memory for later, until :func:`give_back`.

    By default it returns blocks above 32 MB at once (of threads, blocks above 64 MB still). Batches and layers have
    such sizes, and the system clears each page again when it is touched: a tenth of the time of a training step or of
    scoring.
    """
    with suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, 2**31 - 1)


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
