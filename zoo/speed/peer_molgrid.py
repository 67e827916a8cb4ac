"""Runs under another interpreter: times molgrid's CPU gridding, or returns its images for comparison.

molgrid needs numpy < 2, so it is in a separate environment. This file imports nothing of
affinity-zoo; :mod:`affinity_zoo.zoo.speed.kernels` starts it by its path::

    python peer_molgrid.py time INPUTS.npz GRIDS.json OUT.json
    python peer_molgrid.py images INPUTS.npz REQUEST.npz OUT.npz

INPUTS has for each complex ID: ``ID_rec_xyz``, ``ID_rec_type``, ``ID_rec_r`` and the same with ``lig``.
GRIDS is [passes, [[side, spacing, density], ...]]. REQUEST has ``ids``, ``quaternions`` (w, x, y, z), ``shifts`` in
Å and ``grid``.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import molgrid
import numpy as np

RECEPTOR_CHANNELS, LIGAND_CHANNELS = 14, 14


def load(path: str) -> dict[str, tuple[Any, list[Any]]]:
    """Each complex as a molgrid Example, with the arrays that it looks into.

    Args:
        path: The file.
    """
    archive = np.load(path, allow_pickle=False)
    ids = sorted({name.rsplit("_rec_", 1)[0] for name in archive.files if "_rec_" in name})
    examples = {}
    for one in ids:
        example, kept = molgrid.Example(), []
        for part, channels in (("rec", RECEPTOR_CHANNELS), ("lig", LIGAND_CHANNELS)):
            xyz = np.ascontiguousarray(archive[f"{one}_{part}_xyz"], np.float32)
            types = np.ascontiguousarray(archive[f"{one}_{part}_type"], np.float32)
            radii = np.ascontiguousarray(archive[f"{one}_{part}_r"], np.float32)
            grids = (molgrid.Grid2f(xyz), molgrid.Grid1f(types), molgrid.Grid1f(radii))
            example.coord_sets.append(molgrid.CoordinateSet(*grids, channels))
            kept.append((xyz, types, radii, grids))
        examples[one] = (example, kept)
    return examples


def maker(side: int, spacing: float, density: str) -> Any:
    """A GridMaker with ``side`` points an edge.

    Args:
        side: Voxels along an edge.
        spacing: Distance of grid points, Å.
        density: ``gaussian`` or ``binary``.
    """
    return molgrid.GridMaker(resolution=spacing, dimension=spacing * (side - 1), binary=density == "binary")


def time_grids(inputs: str, grids: list[list[Any]], passes: int = 5) -> dict[str, Any]:
    """Complexes per second on each grid: median of the passes over all inputs, after one to warm up.

    Args:
        inputs: File of typed complexes.
        grids: Side, spacing and density of each grid.
        passes: Number of timed passes over all complexes.
    """
    examples = [example for example, _ in load(inputs).values()]
    rates = {}
    for side, spacing, density in grids:
        grid_maker = maker(side, spacing, density)
        image = molgrid.MGrid4f(RECEPTOR_CHANNELS + LIGAND_CHANNELS, side, side, side)
        target = image.cpu()
        seconds = []
        for _ in range(passes + 1):
            start = time.thread_time()
            for example in examples:
                grid_maker.forward(example, target, random_translation=2.0, random_rotation=True)
            seconds.append(time.thread_time() - start)
        rates[f"{side}:{spacing}:{density}"] = [len(examples) / each for each in seconds[1:]]
    return {"peer": "molgrid", "version": molgrid.__version__, "numpy": np.__version__, "rates": rates}


def images(inputs: str, request: str, out: str) -> None:
    """Write molgrid's images, (n, C, D, D, D), for given rotations and shifts about the ligand's mean.

    Args:
        inputs: File of typed complexes.
        request: File with ids, rotations and shifts.
        out: Output file.
    """
    examples = load(inputs)
    wanted = np.load(request, allow_pickle=False)
    side, spacing, density = json.loads(str(wanted["grid"]))
    grid_maker = maker(side, spacing, density)
    result = []
    for one, quaternion, shift in zip(wanted["ids"], wanted["quaternions"], wanted["shifts"]):  # noqa: B905
        example, kept = examples[str(one)]
        middle = kept[-1][0].astype(np.float64).mean(axis=0)
        transform = molgrid.Transform(
            molgrid.Quaternion(*[float(x) for x in quaternion]),
            tuple(float(x) for x in middle),
            tuple(float(x) for x in shift),
        )
        image = molgrid.MGrid4f(RECEPTOR_CHANNELS + LIGAND_CHANNELS, side, side, side)
        grid_maker.forward(example, transform, image.cpu())
        result.append(np.array(image.tonumpy(), np.float32))
    np.savez(out, images=np.stack(result))


def main() -> None:
    """Read the arguments; see the top of the file."""
    mode, inputs, request, out = sys.argv[1:5]
    molgrid.set_gpu_enabled(False)
    if mode == "images":
        images(inputs, request, out)
        return
    with open(request, encoding="utf-8") as file:
        passes, grids = json.load(file)
    with open(out, "w", encoding="utf-8") as file:
        json.dump(time_grids(inputs, grids, passes), file)


if __name__ == "__main__":
    main()
