"""Timing of the CPU kernels on one core, alternating with a peer on the same inputs.

Both are timed by the processor time of their one thread: on a quiet machine that is the time on the clock, and on
a busy one it does not count the time of others.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from affinity_zoo.featurizers import kernels, views
from affinity_zoo.plugins.contracts import Box, Voxelization
from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.speed.inputs import TypedComplex, save_inputs

PEERS = ("molgrid",)
_PEER_SCRIPT = Path(__file__).with_name("peer_molgrid.py")
_ROUNDS = 3  # ours and the peer take turns, so that both see the same machine


@dataclass(frozen=True)
class Grid:
    """One kind of image."""

    side: int
    spacing: float
    kind: Voxelization
    target: str = ""  #: target of the project

    @property
    def name(self) -> str:
        """For people: ``48^3 at 0.5 Å gaussian, 28 channels``."""
        channels = 1 if self.kind == "nearest" else 28
        return f"{self.side}^3 at {self.spacing:g} Å {self.kind}, {channels} channel{'s' if channels > 1 else ''}"

    @property
    def key(self) -> str:
        """For the peer's answer."""
        return f"{self.side}:{self.spacing}:{self.kind}"


#: the grids of the project's budgets
GRIDS: tuple[Grid, ...] = (
    Grid(48, 0.5, "gaussian", "3.5x molgrid"),
    Grid(40, 0.5, "gaussian", "3.5x molgrid"),
    Grid(40, 0.5, "binary", "3x molgrid"),
    Grid(24, 1.0, "gaussian", "4.5x molgrid"),
    Grid(24, 1.0, "binary"),
    Grid(40, 0.5, "nearest", "20,000/s"),
)


def time_kernels(
    complexes: Sequence[TypedComplex],
    peer: str | None = None,
    peer_python: str | None = None,
    passes: int = 5,
    grids: Sequence[Grid] = GRIDS,
) -> list[dict[str, Any]]:
    """Complexes per second on each grid, one core: crop, rotate, shift and fill a float32 image.

    Args:
        complexes: complexes to image, each once per pass in its own view.
        peer: ``molgrid`` or None.
        peer_python: the interpreter that has it.
        passes: timed passes over all complexes, of which the median counts.

    Returns:
        A dict for each grid: ``grid``, ``ours_per_s``, ``peer_per_s`` and ``ratio`` (None without a peer),
        ``target``, ``passes``.
    """
    _check_peer(peer, peer_python)
    ours: dict[str, list[float]] = {grid.key: [] for grid in grids}
    theirs: dict[str, list[float]] = {grid.key: [] for grid in grids}
    with tempfile.TemporaryDirectory() as folder:
        inputs = Path(folder) / "inputs.npz"
        if peer:
            save_inputs(inputs, list(complexes))
        for round_ in range(_ROUNDS):
            some = passes // _ROUNDS + (round_ < passes % _ROUNDS)
            if not some:
                continue
            for grid in grids:
                ours[grid.key] += _rates(complexes, grid, some, round_)
            if peer:
                for key, rates in _peer_rates(str(peer_python), inputs, grids, some).items():
                    theirs[key] += rates
    rows = []
    for grid in grids:
        mine = median(ours[grid.key])
        other = median(theirs[grid.key]) if theirs[grid.key] else None
        rows.append(
            {
                "grid": grid.name,
                "ours_per_s": round(mine, 1),
                "peer_per_s": None if other is None else round(other, 1),
                "ratio": None if other is None else round(mine / other, 2),
                "target": grid.target,
                "passes": {
                    "ours": [round(r, 1) for r in ours[grid.key]],
                    "peer": [round(r, 1) for r in theirs[grid.key]],
                },
            }
        )
    return rows


def _rates(complexes: Sequence[TypedComplex], grid: Grid, passes: int, seed: int) -> list[float]:
    box = Box(grid.side, grid.spacing)
    channels = 1 if grid.kind == "nearest" else 28
    parts = [one.tagged() if grid.kind == "nearest" else one.parts for one in complexes]
    centres = [one.centre for one in complexes]
    ligands = [one.ligand[0] - centre for one, centre in zip(complexes, centres, strict=True)]
    out = np.empty((grid.side,) * 3 + (channels,), np.float32)
    rates = []
    for number in range(passes + 1):
        start = time.thread_time()
        rotations, shifts = views.training_views(
            views.ViewOptions(keep_inside=False), box, seed, number, np.arange(len(parts)), ligands
        )
        for i, both in enumerate(parts):
            kernels.voxelize(grid.kind, box, channels, both, centres[i], rotations[i], shifts[i], out=out)
        rates.append(len(parts) / (time.thread_time() - start))
    return rates[1:]  # the first warms up


def compare_with_peer(
    complexes: Sequence[TypedComplex], peer_python: str, side: int = 48
) -> dict[str, float]:
    """Largest difference of a voxel from molgrid's, over all channels, in random views of some complexes.

    Args:
        complexes: Typed complexes.
        peer_python: Interpreter that has molgrid.
        side: Voxels along an edge.

    Returns:
        ``gaussian``: the largest difference of density; ``binary``: the share of voxels that differ.
    """
    some = list(complexes)[:: max(1, len(complexes) // 5)][:5]
    rng = np.random.default_rng(0)
    quaternions = rng.normal(size=(len(some), 4))
    quaternions /= np.linalg.norm(quaternions, axis=1, keepdims=True)
    shifts = rng.uniform(-2, 2, (len(some), 3)).astype(np.float32)
    found = {}
    for kind in ("gaussian", "binary"):
        with tempfile.TemporaryDirectory() as folder:
            inputs, request, out = (Path(folder) / name for name in ("inputs.npz", "request.npz", "out.npz"))
            save_inputs(inputs, some)
            grid = json.dumps([side, 0.5, kind])
            np.savez(request, ids=[c.id for c in some], quaternions=quaternions, shifts=shifts, grid=grid)
            _run_peer(peer_python, "images", inputs, request, out)
            theirs = np.load(out, allow_pickle=False)["images"]
        differences = []
        for one, quaternion, shift, image in zip(some, quaternions, shifts, theirs, strict=True):
            mine = kernels.voxelize(
                kind, Box(side, 0.5, "points"), 28, one.parts, one.centre, matrix(quaternion), shift
            )  # type: ignore[arg-type]
            differences.append(np.abs(mine - np.moveaxis(image, 0, -1)))
        stacked = np.stack(differences)
        found[kind] = float(stacked.max() if kind == "gaussian" else (stacked > 0).mean())
    return found


def matrix(quaternion: np.ndarray) -> np.ndarray:
    """The rotation matrix (3, 3) of a unit quaternion (w, x, y, z).

    Args:
        quaternion: (4,) w, x, y, z.
    """
    w, x, y, z = quaternion
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ],
        np.float32,
    )


def _peer_rates(python: str, inputs: Path, grids: Sequence[Grid], passes: int) -> dict[str, list[float]]:
    wanted = [[grid.side, grid.spacing, grid.kind] for grid in grids if grid.kind != "nearest"]
    request, out = inputs.with_name("grids.json"), inputs.with_name("rates.json")
    request.write_text(json.dumps([passes, wanted]), encoding="utf-8")
    _run_peer(python, "time", inputs, request, out)
    return json.loads(out.read_text(encoding="utf-8"))["rates"]


def _run_peer(python: str, mode: str, *paths: Path) -> None:
    command = [python, str(_PEER_SCRIPT), mode, *map(str, paths)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    environment.pop("PYTHONPATH", None)
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    except OSError as error:
        raise AffinityZooError(f"`peer_python={python}` cannot be started: {error}") from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise AffinityZooError(
            f"molgrid failed under {python} ({last}); give an interpreter with `pip install molgrid 'numpy<2'`"
        )


def _check_peer(peer: str | None, python: str | None) -> None:
    if peer is None:
        return
    if peer not in PEERS:
        raise UsageError(f"`peer` is {peer!r}: the peers known are {', '.join(PEERS)}")
    if not python:
        raise UsageError(
            "`peer='molgrid'` needs `peer_python`, the path of an interpreter: "
            "molgrid needs numpy < 2, so give the Python of a separate environment"
        )
