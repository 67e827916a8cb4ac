"""Run by test_device_step.py: one training step with images made on the device, from the pipeline and on one batch.

Prints JSON: processor seconds of a step and the peak memory of the process, MiB, first of a batch whose shape is
known when the step is compiled, then of ``fit`` on the pipeline; the shapes for which its step was traced; and the
images and the memory of a voxelizer that does not know the number of atoms.
"""

from __future__ import annotations

import json
import resource
import time
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from affinity_zoo.featurizers import layers
from affinity_zoo.featurizers.element_tag import ElementTag
from affinity_zoo.plugins.contracts import Box
from affinity_zoo.zoo.batches.pipeline import training_data
from affinity_zoo.zoo.models.recipe import Recipe
from affinity_zoo.zoo.models.scoring_model import ScoringModel
from affinity_zoo.zoo.training.building import compile_model

BATCH, ATOMS, STEPS = 50, 512, 6


class Same:
    """The same atoms in every step, but padded to another size in the third."""

    steps = STEPS

    def __call__(self, step: int, part: int = 0, parts: int = 1) -> Any:
        rng = np.random.default_rng(0)
        n = 768 if step == 2 else ATOMS
        inputs = {
            "xyz": rng.uniform(-9.5, 9.5, (BATCH, n, 3)).astype(np.float32),
            "radius": np.ones((BATCH, n), np.float32),
            "channel": np.zeros((BATCH, n), np.int32),
            "value": rng.choice([6, 7, 8], (BATCH, n)).astype(np.float32),
            "rotation": np.broadcast_to(np.eye(3, dtype=np.float32), (BATCH, 3, 3)).copy(),
            "shift": np.zeros((BATCH, 3), np.float32),
        }
        return inputs, np.zeros((BATCH, 1), np.float32), np.ones(BATCH, np.float32)


class Clock(keras.callbacks.Callback):
    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._start = time.process_time()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.seconds.append(time.process_time() - self._start)


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    image = keras.Input((40, 40, 40, 1))
    network = keras.Model(
        image, keras.layers.Dense(1)(keras.layers.Flatten()(keras.layers.AveragePooling3D(8)(image)))
    )
    model = ScoringModel(network, layers.for_featurizer(ElementTag(), Box(40, 0.5)))
    compile_model(model, Recipe())
    batch = tf.nest.map_structure(tf.constant, Same()(0))
    static = tf.function(model.train_step)
    known = []
    for _ in range(STEPS):
        start = time.process_time()
        static(batch)
        known.append(time.process_time() - start)
    report = {"static_s": min(known), "static_mib": peak()}

    traces = []
    step = model.train_step
    model.train_step = lambda data: (traces.append(data[0]["xyz"].shape), step(data))[1]
    compile_model(model, Recipe())
    clock = Clock()
    model.fit(training_data(Same(), 0, STEPS, 1), steps_per_epoch=STEPS, verbose=0, callbacks=[clock])  # type: ignore[arg-type]
    report |= {"pipeline_s": min(clock.seconds), "pipeline_mib": peak()}
    report["traces"] = [[None if n is None else int(n) for n in shape] for shape in traces]

    # several hosts take batches inside the compiled function, where the number of atoms is unknown
    padded = ("xyz", "kind", "radius", "channel", "value")
    unknown = {
        name: tf.TensorSpec([BATCH, None, *a.shape[2:]] if name in padded else a.shape, a.dtype)
        for name, a in batch[0].items()
    }
    predict = tf.function(model.voxelizer, input_signature=[unknown])
    images = predict(batch[0])
    report["unknown_mib"] = peak()
    report["unknown_equal"] = bool(np.array_equal(images, model.voxelizer(batch[0])))
    print(json.dumps(report))  # noqa: T201


if __name__ == "__main__":
    main()
