"""Runs under another interpreter: scores typed poses with molgrid's images and the network in PyTorch.

molgrid needs numpy < 2, so it lives in an environment of its own, with torch. This file imports nothing of
affinity-zoo; :mod:`affinity_zoo.zoo.speed.scoring` starts it by its path::

    python peer_scoring.py INPUTS.npz WEIGHTS.npz OUT.json

INPUTS has ``rec_xyz``, ``rec_type``, ``rec_r``, and of all poses together ``lig_xyz``, ``lig_type``, ``lig_r`` and
``lig_start`` (n + 1); ``batches`` (sizes to try: the fastest counts) and ``rounds``. Types are channels: 14 of the
receptor, 14 of the ligand, -1 = not imaged. WEIGHTS has gnina's default2018 by the names of its state dict. Reading
and typing of files is not part of it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

import molgrid
import numpy as np
import torch
from torch import nn

CHANNELS = 14


def network(path: str) -> nn.Module:
    """gnina's default2018 with two heads: two pose logits and the affinity.

    Args:
        path: The file.
    """
    with np.load(path, allow_pickle=False) as archive:
        weights = {name: torch.from_numpy(np.ascontiguousarray(archive[name])) for name in archive.files}

    class Default2018(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            layers: list[nn.Module] = []
            before = 2 * CHANNELS
            for i, (filters, width) in enumerate(((32, 3), (32, 1), (64, 3), (64, 1), (128, 3)), start=1):
                if width == 3:
                    layers.append(nn.AvgPool3d(2))
                convolution = nn.Conv3d(before, filters, width, padding=width // 2)
                convolution.weight = nn.Parameter(weights[f"unit{i}_conv.weight"])
                convolution.bias = nn.Parameter(weights[f"unit{i}_conv.bias"])
                layers += [convolution, nn.ReLU()]
                before = filters
            self.features = nn.Sequential(*layers, nn.Flatten())
            self.heads = nn.ModuleList()
            for name in ("pose_output", "affinity_output"):
                head = nn.Linear(weights[f"{name}.weight"].shape[1], weights[f"{name}.weight"].shape[0])
                head.weight = nn.Parameter(weights[f"{name}.weight"])
                head.bias = nn.Parameter(weights[f"{name}.bias"])
                self.heads.append(head)

        def forward(self, image: Any) -> Any:
            seen = self.features(image)
            return torch.softmax(self.heads[0](seen), dim=1)[:, 1], self.heads[1](seen)[:, 0]

    return Default2018().eval()


def examples(archive: Any) -> tuple[list[Any], list[Any]]:
    """A molgrid Example for each pose, and the arrays that they look into.

    Args:
        archive: Loaded inputs.
    """
    made, kept = [], []

    def part(xyz: Any, types: Any, radii: Any) -> Any:
        arrays = (
            np.ascontiguousarray(xyz, np.float32),
            np.ascontiguousarray(types, np.float32),
            np.ascontiguousarray(radii, np.float32),
        )
        grids = (molgrid.Grid2f(arrays[0]), molgrid.Grid1f(arrays[1]), molgrid.Grid1f(arrays[2]))
        kept.append((arrays, grids))
        return molgrid.CoordinateSet(*grids, CHANNELS)

    receptor = part(archive["rec_xyz"], archive["rec_type"], archive["rec_r"])
    starts = archive["lig_start"]
    for a, b in zip(starts[:-1], starts[1:]):  # noqa: B905, RUF007
        example = molgrid.Example()
        example.coord_sets.append(receptor)
        example.coord_sets.append(
            part(archive["lig_xyz"][a:b], archive["lig_type"][a:b], archive["lig_r"][a:b])
        )
        made.append(example)
    return made, kept


def main() -> None:
    """Read the arguments; see the top of the file."""
    inputs, weights, out = sys.argv[1:4]
    molgrid.set_gpu_enabled(False)
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    model = network(weights)
    with np.load(inputs, allow_pickle=False) as archive:
        poses, _kept = examples(archive)
        batches, rounds = archive["batches"].tolist(), int(archive["rounds"])
    maker = molgrid.GridMaker(resolution=0.5, dimension=23.5)
    image = torch.empty((max(batches), 2 * CHANNELS, 48, 48, 48), dtype=torch.float32)

    def score(some: list[Any]) -> tuple[Any, Any]:
        for k, example in enumerate(some):
            maker.forward(example, image[k], random_translation=0.0, random_rotation=False)
        with torch.no_grad():
            return model(image[: len(some)])

    seconds, used, found = [], [], []
    for _ in range(rounds):
        taken = []
        for batch in batches:
            score(poses[:batch])
            start, processor = time.perf_counter(), time.process_time()
            found = [score(poses[i : i + batch]) for i in range(0, len(poses), batch)]
            taken.append((time.perf_counter() - start, time.process_time() - processor))
        seconds.append(min(taken)[0])
        used.append(min(taken)[1])
    report = {
        "peer": f"molgrid {molgrid.__version__}, torch {torch.__version__}",
        "seconds": seconds,
        "processor_seconds": used,
        "score": torch.cat([f[0] for f in found]).tolist(),
        "affinity": torch.cat([f[1] for f in found]).tolist(),
    }
    with open(out, "w", encoding="utf-8") as file:
        json.dump(report, file)


if __name__ == "__main__":
    main()
