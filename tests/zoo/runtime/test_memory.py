"""Freed memory is kept for the next batch, and given back when it is asked for."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

#: page faults of five arrays of 64 MB that come and go, and memory of the process (kB) before and after giving back
PROGRAM = """
import resource, sys
import numpy as np
from affinity_zoo.zoo.runtime.memory import give_back, keep_freed

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() // 1024

if sys.argv[1] == "keep":
    keep_freed()
np.ones(8 << 20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    np.ones(8 << 20)
faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
kept = resident()
give_back()
print(faults, kept - resident())
"""


def _run(how: str) -> tuple[int, int]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True, timeout=120
    )
    faults, returned = map(int, done.stdout.split())
    return faults, returned


def test_large_blocks_are_reused_and_can_be_given_back() -> None:
    if not sys.platform.startswith("linux") or not hasattr(ctypes.CDLL(None), "mallopt"):
        pytest.skip("the C library is not glibc")
    usual, _ = _run("usual")
    kept, returned = _run("keep")
    assert kept < usual / 5  # with huge pages both are few
    assert returned > 32 * 1024
