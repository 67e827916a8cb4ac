"""Figures of an accelerator: device voxelizers, training with mixed precision, and one epoch of the ancestor's.

Runs under every backend of Keras, and on a CPU too (slowly): ``KERAS_BACKEND=jax affinity-zoo speed device``.
Data are synthetic atoms of realistic counts.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from affinity_zoo.featurizers import layers
from affinity_zoo.featurizers.atom_types import AtomTypes
from affinity_zoo.featurizers.element_tag import ElementTag
from affinity_zoo.featurizers.views import ViewOptions
from affinity_zoo.plugins.contracts import Box, Featurizer
from affinity_zoo.zoo.batches.batches import BatchMaker, Imaging, Inputs
from affinity_zoo.zoo.runtime.device import find_device
from affinity_zoo.zoo.speed import training as rates
from affinity_zoo.zoo.speed.feed import bytes_per_pose
from affinity_zoo.zoo.speed.pairs import SyntheticPairs

#: the ancestor's benchmark: crystal poses and ten docked decoys of each, 40 voxels of 0.5 Å
ANCESTOR_ROWS = 30_000 * 11
IMAGES: tuple[tuple[Featurizer, Box], ...] = (
    (ElementTag(), Box(40, 0.5)),
    (AtomTypes(), Box(24, 1.0)),
    (AtomTypes(), Box(48, 0.5)),
    (AtomTypes(density="binary"), Box(40, 0.5)),
)
COMBINATIONS = (
    ("element-tag", "cnn4"),
    ("atom-types", "cnn4"),
    ("element-tag", "resnet3d"),
    ("atom-types", "resnet3d"),
)


def measure(batch_size: int, steps: int, say: Callable[[str], None] = lambda line: None) -> dict[str, Any]:
    """Measure voxelizers and training on the device of the active backend.

    Args:
        batch_size: Poses in a batch.
        steps: timed steps of each figure.
        say: receives the name of each measurement.

    Returns:
        JSON-ready: ``device``, ``backend``, ``voxelizers`` (images/s from atoms on the host, and from atoms that are on
        the device already with the GB/s that they write) and ``training``: samples/s of the feed alone, of the
        network on images that are made, of whole steps on one batch of atoms, and of training on the pipeline; the
        share of a step in which the device waits, and the share outside the network; what a pose takes on its way to
        the device; the network's FLOP and what the device reaches; minutes of the ancestor's epoch.
    """
    device = find_device()
    report: dict[str, Any] = {
        "device": device.description,
        "backend": keras.config.backend(),
        "batch_size": batch_size,
        "steps": steps,
        "training": [],
    }
    report["voxelizers"] = voxelizers(batch_size, steps, say)
    for featurizer_name, architecture in COMBINATIONS:
        say(f"training {featurizer_name} + {architecture}")
        report["training"].append(
            training(featurizer_name, architecture, batch_size, steps, device.accelerator)
        )
    return report


def voxelizers(
    batch_size: int, steps: int, say: Callable[[str], None] = lambda line: None
) -> list[dict[str, Any]]:
    """Measure the voxelizers of :data:`IMAGES`, with atoms from the host and with atoms that are on the device.

    Args:
        batch_size: Poses in a batch.
        steps: Timed steps of each figure.
        say: Receives the name of each measurement.

    Returns:
        For each ``image``: ``images_per_s``, ``alone_per_s`` and ``alone_gb_per_s``.
    """
    found: list[dict[str, Any]] = []
    for featurizer, box in IMAGES:
        say(f"voxelizer {featurizer.name} {box.side}^3")
        batch = _atoms(featurizer, box, batch_size)
        rate = voxelizer_rate(featurizer, box, batch, steps)
        alone = voxelizer_rate(
            featurizer, box, {name: keras.ops.convert_to_tensor(a) for name, a in batch.items()}, steps
        )
        image_bytes = 4 * box.side**3 * len(featurizer.channels) + bytes_per_pose(batch)
        kind = f"{featurizer.name} {featurizer.voxelization} {box.side}^3 at {box.spacing:g} Å"
        found.append(
            {
                "image": kind,
                "images_per_s": round(rate, 1),
                "alone_per_s": round(alone, 1),
                "alone_gb_per_s": round(alone * image_bytes / 1e9, 2),
            }
        )
    return found


def voxelizer_rate(featurizer: Featurizer, box: Box, batch: dict[str, Any], steps: int) -> float:
    """Measure images per second; only a sum of each image returns to the host.

    Args:
        featurizer: An instance with its options.
        box: Voxels along a side, and their spacing in Å.
        batch: Atoms: arrays of the host, which are sent each time, or tensors that are on the device.
        steps: Number of steps that are timed.
    """
    symbols = {
        name: keras.Input(
            tuple(a.shape[1:]), int(a.shape[0]), dtype=keras.backend.standardize_dtype(a.dtype), name=name
        )
        for name, a in batch.items()
    }
    image = layers.for_featurizer(featurizer, box)(symbols)
    model = keras.Model(symbols, keras.ops.sum(image, axis=(1, 2, 3, 4)))
    model.compile(jit_compile="auto")
    for _ in range(2):
        model.predict_on_batch(batch)
    start = time.perf_counter()
    for _ in range(steps):
        model.predict_on_batch(batch)
    return len(batch["xyz"]) * steps / (time.perf_counter() - start)


def flop_of(network: keras.Model) -> int:
    """Floating-point operations of one image forwards: two for each multiplication of convolutions and dense layers.

    Args:
        network: From image to outputs.
    """
    total = 0
    for layer in network._flatten_layers(include_self=False):
        kernel = getattr(layer, "kernel", None)
        if kernel is None:
            continue
        shape = tuple(int(n) for n in kernel.shape)
        # every number of the output takes all but the last axis of the kernel
        total += 2 * math.prod(shape[:-1]) * math.prod(layer.output.shape[1:])
    return total


def training(
    featurizer: str,
    architecture: str,
    batch_size: int,
    steps: int,
    accelerator: bool,
    box: Box | None = None,
    workers: int = 4,
) -> dict[str, Any]:
    """Training rates; atoms travel to the device and are imaged there, in half precision on an accelerator.

    Args:
        featurizer: Name or alias, as in `affinity-zoo list`.
        architecture: Name or alias, as in `affinity-zoo list`.
        batch_size: Poses in a batch.
        steps: Number of steps that are timed.
        accelerator: Whether the device is an accelerator.
        box: Of the images; None: the featurizer's own.
        workers: Threads that make batches.
    """
    one = rates.setup(
        featurizer,
        architecture,
        batch_size=batch_size,
        workers=workers,
        box=box,
        voxelize="device",
        mixed_precision=accelerator,
    )
    images = rates.setup(
        featurizer,
        architecture,
        batch_size=batch_size,
        workers=workers,
        box=box,
        voxelize="host",
        mixed_precision=accelerator,
    )
    measured = rates.training_rates(one, steps)
    whole, constant = measured["pipeline_per_s"], measured["constant_per_s"]
    network = rates.constant_rate(images, steps)
    flop = flop_of(images.model.network)
    return {
        "featurizer": one.name,
        "architecture": architecture,
        "feed_per_s": round(rates.pipeline_rate(one, 1.0), 1),
        "training_per_s": whole,
        "one_batch_per_s": constant,
        "network_only_per_s": round(network, 1),
        "device_waits": round(max(0.0, 1 - whole / constant), 3),
        "outside_network": round(max(0.0, 1 - whole / network), 3),
        "bytes_per_pose": bytes_per_pose(one.batches(0)[0]),
        "mflop_per_image": round(flop / 1e6, 1),
        # backwards takes about twice what forwards does
        "network_tflop_per_s": round(3 * flop * network / 1e12, 3),
        "ancestor_epoch_minutes": round(ANCESTOR_ROWS / whole / 60, 2),
    }


def _atoms(featurizer: Featurizer, box: Box, batch_size: int) -> Inputs:
    imaging = Imaging(featurizer, box, ViewOptions(), "device")
    maker = BatchMaker(SyntheticPairs(batch_size, poses=1), imaging, compact=True)
    return maker.training(np.arange(batch_size), 0)
