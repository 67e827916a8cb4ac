"""The training step that ``fit`` calls, compiled once for each size of padded batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras


def see_shapes(model: keras.Model) -> None:
    """Let the steps of ``fit`` see every axis of a batch; nothing to do but under TensorFlow.

    There ``fit`` takes batches inside its compiled function, where the number of padded atoms is unknown: XLA and the
    voxelizer need it. Here a batch is taken outside, and the step is traced once for each of the few sizes that
    batches are padded to.

    Args:
        model: compiled; compiling it again undoes this.
    """
    if keras.config.backend() == "tensorflow":
        model.train_function = _tensorflow_function(model)


def _tensorflow_function(model: keras.Model) -> Callable[[Any], dict[str, Any]]:
    import tensorflow as tf

    strategy = model.distribute_strategy

    def one_step(batch: Any) -> dict[str, Any]:
        logs = strategy.run(model.train_step, args=(batch,))
        # metrics are the same on all replicas
        return {name: strategy.experimental_local_results(value)[0] for name, value in logs.items()}

    step = tf.function(one_step, autograph=False, jit_compile=model.jit_compile, reduce_retracing=False)
    return lambda iterator: step(next(iterator))
