"""Where an image's time goes: processor time of each stage of the CPU kernels.

    python benchmarks/profile_kernels.py [INPUTS.npz]

Uses the processor time of one thread and the smallest of many passes, so that it says nearly the same on
a busy machine. Figures are microseconds an image.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from affinity_zoo.featurizers import _compiled, kernels, views
from affinity_zoo.plugins.contracts import Box
from affinity_zoo.zoo.runtime import terminal
from affinity_zoo.zoo.speed import inputs as sets
from affinity_zoo.zoo.speed import kernels as timed

PASSES = 9


def smallest(work: Callable[[int], object], count: int) -> float:
    """Microseconds a call, the smallest mean of the passes."""
    found = []
    for _ in range(PASSES):
        start = time.thread_time()
        for i in range(count):
            work(i)
        found.append((time.thread_time() - start) / count)
    return 1e6 * min(found)


def stages(complexes: list[sets.TypedComplex], grid: timed.Grid) -> list[float]:
    """Total; clearing the image; moving and cropping atoms; adding them; writing channels last; Python."""
    box, channels = Box(grid.side, grid.spacing), 28
    reach, binary = kernels.REACH[grid.kind], grid.kind == "binary"
    ligands = [one.ligand[0] - one.centre for one in complexes]
    rotations, shifts = views.training_views(
        views.ViewOptions(), box, 0, 0, np.arange(len(complexes)), ligands
    )
    out = np.empty((grid.side,) * 3 + (channels,), np.float32)
    seen = [(one.parts, one.centre, rotations[i], shifts[i]) for i, one in enumerate(complexes)]
    no_value = np.empty(0, np.float32)

    def place(i: int) -> tuple[np.ndarray, np.ndarray, int]:
        parts, centre, rotation, shift = seen[i]
        total = sum(len(xyz) for xyz, _ in parts)
        placed, where, n = np.empty((total, 5), np.float32), np.empty(total, np.int32), 0
        for xyz, encoding in parts:
            n = _compiled.place(
                xyz, encoding.radius, encoding.channel, no_value, centre, rotation, shift,
                reach, grid.spacing, grid.side, channels, n, placed, where,
            )  # fmt: skip
        return placed, where, n

    ready = [place(i) for i in range(len(seen))]

    def fill(i: int, share: float = 1.0) -> None:
        placed, where, n = ready[i]
        width = _compiled.lanes(float(placed[:n, 3].max(initial=0.0)), reach)
        memory = kernels._scratch(n, grid.side, channels, width)
        _compiled.fill(placed, where, int(n * share), binary, reach, width, *memory, out)

    count = len(seen)
    total = smallest(lambda i: kernels.voxelize(grid.kind, box, channels, *seen[i], out=out), count)
    clearing = smallest(lambda i: _compiled.clear(out), count)
    placing = smallest(place, count)
    empty = smallest(lambda i: fill(i, 0.0), count)
    filling = smallest(fill, count)
    return [total, clearing, placing, max(0.0, empty - clearing), filling - empty, total - placing - filling]


def main() -> None:
    """Print the table."""
    path = sys.argv[1] if len(sys.argv) > 1 else None
    complexes = sets.load_inputs(Path(path)) if path else sets.synthetic_complexes()
    rows = [
        (grid.name, *(f"{value:,.0f}" for value in stages(complexes, grid)))
        for grid in timed.GRIDS
        if grid.kind != "nearest"
    ]
    names = ("image", "all", "clear", "move, crop", "walk planes", "atoms and transpose", "Python")
    terminal.table("Microseconds an image, one core", names, rows, path or "synthetic complexes")


if __name__ == "__main__":
    main()
