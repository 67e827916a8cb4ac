"""Timing of the input pipeline, the training step with and without it, and scoring, on synthetic complexes.

Images that a training waits for show here: ``overhead`` compares training fed by the pipeline with training on
one constant batch that is already made.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from affinity_zoo.featurizers import layers
from affinity_zoo.featurizers.views import ViewOptions
from affinity_zoo.plugins.contracts import Box
from affinity_zoo.zoo.batches.batches import CACHE_BYTES, BatchMaker, Imaging, choose_place
from affinity_zoo.zoo.batches.epochs import Balance
from affinity_zoo.zoo.batches.pairs import PosesOfReceptor
from affinity_zoo.zoo.batches.pipeline import TrainingBatches, TrainingPlan, has_tensorflow, training_data
from affinity_zoo.zoo.catalog.registry import catalog
from affinity_zoo.zoo.inference import outputs as inference
from affinity_zoo.zoo.models.scoring_model import ScoringModel
from affinity_zoo.zoo.runtime.backends import active_backend
from affinity_zoo.zoo.runtime.device import find_device
from affinity_zoo.zoo.speed.inputs import synthetic_atoms
from affinity_zoo.zoo.speed.pairs import SyntheticPairs
from affinity_zoo.zoo.training.losses import WeightedCrossEntropy

#: featurizer and architecture at the featurizer's own box
COMBINATIONS = (("element-tag", "cnn4"), ("atom-types", "cnn4"))
_SKIP = 3  # first steps of each fit that are not timed: compilation, and batches made ahead


@dataclass(frozen=True, eq=False)
class Setup:
    """A featurizer and an architecture on synthetic pairs."""

    imaging: Imaging
    model: ScoringModel
    batches: TrainingBatches
    batch_size: int
    workers: int

    @property
    def name(self) -> str:
        """Featurizer and box, for a table."""
        box = self.imaging.box
        return f"{self.imaging.featurizer.name} {box.side}^3 at {box.spacing:g} Å"


def setup(
    featurizer: str,
    architecture: str,
    rows: int = 4096,
    batch_size: int = 32,
    workers: int = 2,
    voxelize: str = "auto",
    mixed_precision: bool = False,
    box: Box | None = None,
    balance: Balance = "oversample",
    cache_bytes: int = CACHE_BYTES,
) -> Setup:
    """Make model and batches as ``train`` does.

    Args:
        featurizer: Name or alias, as in `affinity-zoo list`.
        architecture: Name or alias, as in `affinity-zoo list`.
        rows: Rows of the generated index.
        batch_size: Poses in a batch.
        workers: Threads that make batches.
        voxelize: ``auto``, ``host`` or ``device``.
        mixed_precision: Compute in half precision.
        box: Of the images; None: the featurizer's own.
        balance: Of an epoch.
        cache_bytes: Bound on the cache of encoded structures.
    """
    made = catalog().create("featurizer", featurizer, {})
    box = box or made.default_box
    place = choose_place(made, box, voxelize, find_device().accelerator)
    imaging = Imaging(made, box, ViewOptions(), place)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16" if mixed_precision else "float32")
    try:
        network = catalog().create("architecture", architecture, {}).build(imaging.image_shape, ("pose",))
        model = ScoringModel(network, layers.for_featurizer(made, imaging.box))
    finally:
        keras.config.set_dtype_policy(policy)
    # as in training
    model.compile(keras.optimizers.Adam(1e-4), WeightedCrossEntropy(), jit_compile="auto")
    active_backend().see_shapes(model)
    labels = (np.arange(rows) % 11 == 0).astype(np.float64)
    plan = TrainingPlan(np.arange(rows), labels, batch_size, 0, balance)
    maker = BatchMaker(SyntheticPairs(rows), imaging, cache_bytes=cache_bytes, compact=True)
    batches = TrainingBatches(maker, plan)
    return Setup(imaging, model, batches, batch_size, workers)


def pipeline_rate(one: Setup, seconds: float = 3.0) -> float:
    """Measure images (or samples of atoms) per second of the pipeline without training.

    Args:
        one: Featurizer, architecture and pairs.
        seconds: Approximate duration of each measurement.
    """
    steps = 10**9
    if has_tensorflow():
        feed = iter(training_data(one.batches, 0, steps, one.workers))
    else:
        data = training_data(one.batches, 0, steps, one.workers)
        feed = (data[i] for i in range(steps))
    for _ in range(3):
        next(feed)
    start, done = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        next(feed)
        done += one.batch_size
    return done / (time.perf_counter() - start)


def training_rates(one: Setup, steps: int = 8, rounds: int = 3) -> dict[str, float]:
    """Training samples per second on one constant batch and with the pipeline, taking turns.

    Args:
        one: Featurizer, architecture and pairs.
        steps: Number of steps that are timed.
        rounds: Rounds of each measurement.

    Returns:
        ``constant_per_s``, ``pipeline_per_s`` (medians of the rounds) and ``overhead``, the median of
        pipeline / constant of each round: 1.0 is none. ``step_cpu_ms`` and ``image_cpu_ms``: processor time a
        sample takes in the training step on one batch, and to be read and imaged on the host; unlike
        rates they are comparable on a busy machine.
    """
    constant = _constant(one)
    _fit(one.model, constant, 3)  # compiles
    step_cpu = _cpu_seconds(lambda: _fit(one.model, constant, steps)) / ((steps + _SKIP) * one.batch_size)
    for step in range(4):  # as in a later epoch, when the structures have been encoded
        one.batches(step)
    image_cpu = _cpu_seconds(lambda: [one.batches(step) for step in range(4)]) / (4 * one.batch_size)
    fed, still = [], []
    position = 0
    for _ in range(rounds):
        still.append(_fit(one.model, constant, steps) * one.batch_size)
        data = training_data(one.batches, position, position + steps + _SKIP, one.workers)
        fed.append(_fit(one.model, data, steps) * one.batch_size)
        position += steps + _SKIP
    return {
        "constant_per_s": round(float(np.median(still)), 1),
        "pipeline_per_s": round(float(np.median(fed)), 1),
        "overhead": round(float(np.median(np.array(fed) / np.array(still))), 3),
        "step_cpu_ms": round(1e3 * step_cpu, 3),
        "image_cpu_ms": round(1e3 * image_cpu, 3),
    }


def _cpu_seconds(work: Callable[[], object]) -> float:
    """Processor time of all threads."""
    start = time.process_time()
    work()
    return time.process_time() - start


def constant_rate(one: Setup, steps: int) -> float:
    """Training samples per second on one batch that is already made.

    Args:
        one: Featurizer, architecture and pairs.
        steps: Number of steps that are timed.
    """
    constant = _constant(one)
    _fit(one.model, constant, 3)
    return _fit(one.model, constant, steps) * one.batch_size


class _Clock(keras.callbacks.Callback):
    def __init__(self, skip: int) -> None:
        super().__init__()
        self.skip, self.start, self.end, self.count = skip, 0.0, 0.0, 0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.end = time.perf_counter()
        if batch == self.skip - 1:
            self.start = self.end
        self.count = batch + 1 - self.skip


def _fit(model: keras.Model, data: Any, steps: int, skip: int = _SKIP) -> float:
    """Steps per second of ``fit``, not counting the first ``skip``."""
    clock = _Clock(skip)
    model.fit(data, epochs=1, steps_per_epoch=steps + skip, verbose=0, shuffle=False, callbacks=[clock])
    return clock.count / max(clock.end - clock.start, 1e-9)


def _constant(one: Setup) -> Any:
    batch = one.batches(0)
    if has_tensorflow():
        import tensorflow as tf

        return tf.data.Dataset.from_tensors(batch).cache().repeat()

    class Same(keras.utils.PyDataset):
        def __len__(self) -> int:
            return 10**6

        def __getitem__(self, index: int) -> tuple[Any, NDArray[Any], NDArray[Any]]:
            return batch

    return Same()


def scoring_rate(one: Setup, poses: int = 256) -> float:
    """Poses per second from atoms in memory to scores, one receptor, one view.

    Args:
        one: Featurizer, architecture and pairs.
        poses: Number of poses.
    """
    pairs = PosesOfReceptor(
        synthetic_atoms("receptor", 0, 0), [synthetic_atoms("ligand", 1, i) for i in range(poses)]
    )
    maker = BatchMaker(pairs, one.imaging)
    rows = np.arange(poses, dtype=np.int64)
    inference.outputs(one.model, maker, rows[:64], threads=one.workers)
    start = time.perf_counter()
    inference.outputs(one.model, maker, rows, threads=one.workers)
    return poses / (time.perf_counter() - start)


def measure(
    batch_size: int = 32, workers: int = 2, steps: int = 8, say: Callable[[str], None] = lambda line: None
) -> list[dict[str, Any]]:
    """Pipeline, training and scoring for each of :data:`COMBINATIONS`.

    Args:
        batch_size: Poses in a batch.
        workers: Threads that make batches.
        steps: Number of steps that are timed.
        say: Receives the name of each measurement.
    """
    rows = []
    for featurizer, architecture in COMBINATIONS:
        say(f"training {featurizer} + {architecture}")
        one = setup(featurizer, architecture, batch_size=batch_size, workers=workers)
        rows.append(
            {
                "featurizer": one.name,
                "architecture": architecture,
                "batch_size": batch_size,
                "workers": workers,
                "images_made_on": one.imaging.place,
                "pipeline_per_s": round(pipeline_rate(one), 1),
                "training": training_rates(one, steps),
                "scoring_per_s": round(scoring_rate(one), 1),
            }
        )
    return rows
