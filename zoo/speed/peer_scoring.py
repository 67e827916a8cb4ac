"""Runs under another interpreter: scores typed poses with molgrid's images and the networks in PyTorch.

molgrid needs numpy < 2, so it is in a separate environment, with torch. This file imports nothing of
affinity-zoo; :mod:`affinity_zoo.zoo.speed.scoring` starts it by its path::

    python peer_scoring.py INPUTS.npz WEIGHTS.npz OUT.json

INPUTS has ``rec_xyz``, ``rec_type``, ``rec_r``, and of all poses together ``lig_xyz``, ``lig_type``, ``lig_r`` and
``lig_start`` (n + 1); ``batches`` (sizes to try: the fastest counts) and ``rounds``. Types are channels: 14 of the
receptor, 14 of the ligand, -1 = not imaged. WEIGHTS has gnina's default2018 and dense networks by the names of their
state dicts below a number: ``0/unit1_conv.weight``. An image is made once for all. Reading and typing of files is not
part of it.
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


def networks(path: str) -> list[nn.Module]:
    """The networks of an ensemble, in order; each with its weights below its number.

    Args:
        path: File of the weights.
    """
    with np.load(path, allow_pickle=False) as archive:
        weights: dict[str, dict[str, Any]] = {}
        for name in archive.files:
            number, _, key = name.partition("/")
            weights.setdefault(number, {})[key] = torch.from_numpy(np.ascontiguousarray(archive[name]))
    return [
        (default2018 if "unit1_conv.weight" in some else dense)(some).eval()
        for _, some in sorted(weights.items(), key=lambda entry: int(entry[0]))
    ]


class Heads(nn.Module):
    """Features, then the probability of the pose and the affinity."""

    def __init__(self, features: nn.Module, weights: dict[str, Any]) -> None:
        super().__init__()
        self.features = features
        self.heads = nn.ModuleList()
        for name in ("pose_output", "affinity_output"):
            head = nn.Linear(weights[f"{name}.weight"].shape[1], weights[f"{name}.weight"].shape[0])
            head.weight = nn.Parameter(weights[f"{name}.weight"])
            head.bias = nn.Parameter(weights[f"{name}.bias"])
            self.heads.append(head)

    def forward(self, image: Any) -> Any:
        """Probability and affinity, (B,) each."""
        seen = self.features(image)
        return torch.softmax(self.heads[0](seen), dim=1)[:, 1], self.heads[1](seen)[:, 0]


def convolution(weights: dict[str, Any], name: str) -> nn.Module:
    """A convolution that keeps the size, with its weights.

    Args:
        weights: Arrays by name.
        name: Name of the layer.
    """
    weight = weights[f"{name}.weight"]
    made = nn.Conv3d(weight.shape[1], weight.shape[0], weight.shape[2], padding=weight.shape[2] // 2)
    made.weight = nn.Parameter(weight)
    made.bias = nn.Parameter(weights[f"{name}.bias"])
    return made


def default2018(weights: dict[str, Any]) -> nn.Module:
    """gnina's default2018.

    Args:
        weights: Arrays by name.
    """
    layers: list[nn.Module] = []
    for i in range(1, 6):
        if i % 2:
            layers.append(nn.AvgPool3d(2))
        layers += [convolution(weights, f"unit{i}_conv"), nn.ReLU()]
    return Heads(nn.Sequential(*layers, nn.Flatten()), weights)


class Block(nn.Module):
    """Four convolutions, each after the normalisation of everything so far."""

    def __init__(self, weights: dict[str, Any], level: int) -> None:
        super().__init__()
        self.parts = nn.ModuleList()
        for i in range(4):
            name = f"data_enc_level{level}_batchnorm_conv{i}"
            norm = nn.BatchNorm3d(len(weights[f"{name}.weight"]))
            norm.load_state_dict(
                {key: weights[f"{name}.{key}"] for key in ("weight", "bias", "running_mean", "running_var")},
                strict=False,
            )
            name = f"data_enc_level{level}_conv{i}"
            self.parts.append(nn.Sequential(norm, convolution(weights, name), nn.ReLU()))

    def forward(self, x: Any) -> Any:
        """Append what each convolution sees."""
        for part in self.parts:
            x = torch.cat([x, part(x)], dim=1)
        return x


def dense(weights: dict[str, Any]) -> nn.Module:
    """gnina's densely connected network.

    Args:
        weights: Arrays by name.
    """
    layers: list[nn.Module] = [nn.MaxPool3d(2), convolution(weights, "data_enc_init_conv"), nn.ReLU()]
    for level in range(3):
        layers.append(Block(weights, level))
        if level < 2:
            layers += [convolution(weights, f"data_enc_level{level}_bottleneck"), nn.ReLU(), nn.MaxPool3d(2)]
    return Heads(nn.Sequential(*layers, nn.AdaptiveMaxPool3d(1), nn.Flatten()), weights)


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
    models = networks(weights)
    with np.load(inputs, allow_pickle=False) as archive:
        poses, _kept = examples(archive)
        batches, rounds = archive["batches"].tolist(), int(archive["rounds"])
    maker = molgrid.GridMaker(resolution=0.5, dimension=23.5)
    image = torch.empty((max(batches), 2 * CHANNELS, 48, 48, 48), dtype=torch.float32)

    def score(some: list[Any]) -> tuple[Any, Any]:
        for k, example in enumerate(some):
            maker.forward(example, image[k], random_translation=0.0, random_rotation=False)
        with torch.no_grad():
            answers = [model(image[: len(some)]) for model in models]
            scores, affinities = zip(*answers, strict=True)
            return torch.stack(scores).mean(dim=0), torch.stack(affinities).mean(dim=0)

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
