"""Figures of an accelerator: device voxelizers, training with mixed precision, and one epoch of the ancestor's.

Runs under every backend of Keras, and on a CPU too (slowly): ``KERAS_BACKEND=jax affinity-zoo speed device``.
Data are synthetic atoms of realistic counts.
"""

from __future__ import annotations

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
        batch_size: samples of a batch.
        steps: timed steps of each figure.
        say: receives the name of each measurement.

    Returns:
        JSON-ready: ``device``, ``backend``, ``voxelizers`` (images/s, from atoms on the host to an image on
        the device) and ``training`` (samples/s with atoms from the pipeline; on one batch of images that is
        already made; the share of a step spent outside the network; minutes for the ancestor's epoch at
        that rate).
    """
    device = find_device()
    report: dict[str, Any] = {
        "device": device.description,
        "backend": keras.config.backend(),
        "batch_size": batch_size,
        "steps": steps,
        "voxelizers": [],
        "training": [],
    }
    for featurizer, box in IMAGES:
        say(f"voxelizer {featurizer.name} {box.side}^3")
        rate = voxelizer_rate(featurizer, box, batch_size, steps)
        kind = f"{featurizer.name} {featurizer.voxelization} {box.side}^3 at {box.spacing:g} Å"
        report["voxelizers"].append({"image": kind, "images_per_s": round(rate, 1)})
    for featurizer_name, architecture in COMBINATIONS:
        say(f"training {featurizer_name} + {architecture}")
        report["training"].append(
            training(featurizer_name, architecture, batch_size, steps, device.accelerator)
        )
    return report


def voxelizer_rate(featurizer: Featurizer, box: Box, batch_size: int, steps: int) -> float:
    """Measure images per second; atoms are sent from the host each time and only a sum of the image returns.

    Args:
        featurizer: The featurizer.
        box: The box.
        batch_size: Samples of a batch.
        steps: Timed steps.
    """
    batch = _atoms(featurizer, box, batch_size)
    symbols = {n: keras.Input(a.shape[1:], batch_size, dtype=str(a.dtype), name=n) for n, a in batch.items()}
    image = layers.for_featurizer(featurizer, box)(symbols)
    model = keras.Model(symbols, keras.ops.sum(image, axis=(1, 2, 3, 4)))
    model.compile(jit_compile="auto" if find_device().accelerator else False)
    for _ in range(2):
        model.predict_on_batch(batch)
    start = time.perf_counter()
    for _ in range(steps):
        model.predict_on_batch(batch)
    return batch_size * steps / (time.perf_counter() - start)


def training(
    featurizer: str, architecture: str, batch_size: int, steps: int, accelerator: bool
) -> dict[str, Any]:
    """Training rates; atoms travel to the device and are imaged there, in half precision on an accelerator.

    Args:
        featurizer: Name of the featurizer.
        architecture: Name of the architecture.
        batch_size: Samples of a batch.
        steps: Timed steps.
        accelerator: Whether the device is an accelerator.
    """
    one = rates.setup(
        featurizer,
        architecture,
        batch_size=batch_size,
        workers=4,
        voxelize="device",
        mixed_precision=accelerator,
    )
    images = rates.setup(
        featurizer,
        architecture,
        batch_size=batch_size,
        workers=4,
        voxelize="host",
        mixed_precision=accelerator,
    )
    whole = rates.training_rates(one, steps)["pipeline_per_s"]
    network = rates.constant_rate(images, steps)
    return {
        "featurizer": one.name,
        "architecture": architecture,
        "training_per_s": whole,
        "network_only_per_s": round(network, 1),
        "outside_network": round(max(0.0, 1 - whole / network), 3),
        "ancestor_epoch_minutes": round(ANCESTOR_ROWS / whole / 60, 2),
    }


def _atoms(featurizer: Featurizer, box: Box, batch_size: int) -> Inputs:
    imaging = Imaging(featurizer, box, ViewOptions(), "device")
    maker = BatchMaker(SyntheticPairs(batch_size, poses=1), imaging)
    return maker.training(np.arange(batch_size), 0)
