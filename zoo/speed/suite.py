"""All speed measurements on this machine: the function behind ``affinity-zoo speed``."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.runtime.backends import NAMES

PARTS = ("kernels", "feed", "training", "memory")
_LIBRARIES = ("affinity-zoo", "numpy", "numba", "keras", *NAMES)


def measure(
    inputs: Path | None = None,
    peer: str | None = None,
    peer_python: str | None = None,
    parts: Sequence[str] = ("kernels", "feed", "training"),
    passes: int = 5,
    batch_size: int = 32,
    workers: int = 2,
    steps: int = 8,
    data: Path | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Measure the requested parts.

    Args:
        inputs: .npz of typed complexes; None: synthetic ones.
        peer, peer_python: time this library too, under this interpreter, on the same inputs.
        parts: of :data:`PARTS`.
        passes: over the inputs, for each grid.
        batch_size, workers, steps: of the training.
        data: folder of an index whose poses are fed; None: synthetic complexes.
        say: receives the name of each measurement.

    Returns:
        JSON-ready: ``machine``, ``libraries``, ``inputs``, and by part ``kernels``, ``parity`` (with a
        peer), ``feed``, ``training``, ``memory``.

    Raises:
        UsageError: an unknown part or peer.
        AffinityZooError: the inputs or the peer cannot be used.
    """
    for part in parts:
        if part not in PARTS:
            raise UsageError(f"`parts` is {part!r}: the parts are {', '.join(PARTS)}")
    if passes < 1:
        raise UsageError("`passes` must be 1 or more")
    report: dict[str, Any] = {"machine": machine(), "libraries": libraries()}
    if "kernels" in parts:
        report |= _kernels(inputs, peer, peer_python, passes, say)
    if "feed" in parts:
        from affinity_zoo.zoo.speed import feed

        report["feed"] = feed.measure(data, say=say)
    if "training" in parts:
        from affinity_zoo.zoo.runtime.keras import start_keras

        start_keras()
        from affinity_zoo.zoo.speed import training

        report["training"] = training.measure(batch_size, workers, steps, say)
    if "memory" in parts:
        from affinity_zoo.zoo.speed import memory

        say("memory of an epoch of 1,000 and of 100,000 rows")
        report["memory"] = memory.measure()
    return report


def _kernels(
    inputs: Path | None, peer: str | None, peer_python: str | None, passes: int, say: Callable[[str], None]
) -> dict[str, Any]:
    from affinity_zoo.zoo.speed import inputs as sets
    from affinity_zoo.zoo.speed import kernels

    complexes = sets.load_inputs(inputs) if inputs else sets.synthetic_complexes()
    what = f"{len(complexes)} complexes of {inputs}" if inputs else f"{len(complexes)} synthetic complexes"
    say(f"kernels on {what}")
    report: dict[str, Any] = {"inputs": what}
    report["kernels"] = kernels.time_kernels(complexes, peer, peer_python, passes)
    if peer:
        report["parity"] = kernels.compare_with_peer(complexes, str(peer_python))
    return report


def machine() -> dict[str, Any]:
    """Processor, cores and load, as far as the system reports them."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        names = [
            line.split(":", 1)[1].strip()
            for line in cpuinfo.read_text().splitlines()
            if line.startswith("model name")
        ]
        model = names[0] if names else model
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return {"processor": model, "cores": cores, "load": round(load, 2), "python": platform.python_version()}


def libraries() -> dict[str, str]:
    """Return the versions of the libraries that affect the figures."""
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
