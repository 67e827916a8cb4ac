"""Training on several hosts: the same steps as on one host, with a share of every batch per worker.

Keras 3's ``fit`` does not run under ``MultiWorkerMirroredStrategy``; the step here is its own. What is shown in
which step follows from (seed, epoch), so the workers need not talk about it: each takes its rows of the batch. The
first worker, the chief, alone writes and speaks. TensorFlow only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.runtime.cluster import Cluster

if TYPE_CHECKING:
    import keras

    from affinity_zoo.zoo.batches.pipeline import TrainingBatches


@contextmanager
def ending_together(cluster: Cluster | None, run: int) -> Iterator[None]:
    """Turn TensorFlow's error on a lost worker into a readable message.

    Args:
        cluster: The workers.
        run: Number of the run.
    """
    if cluster is None:
        yield
        return
    import tensorflow as tf

    gone = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError,
            tf.errors.DeadlineExceededError)  # fmt: skip
    try:
        yield
    except gone as error:
        raise AffinityZooError(
            "another worker of this training has ended, so this one stops too; see the other's output, then start all "
            f"of them again with `resume={run}`: they continue after the last whole epoch"
        ) from error


def synchronise(model: keras.Model, on: bool) -> None:
    """Compute batch normalisation moments over all replicas, or (as models are saved) over each batch.

    Args:
        model: Compiled Keras model.
        on: Whether to synchronise.
    """
    import keras

    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = on


def wait(cluster: Cluster | None) -> None:
    """Wait until all workers are here.

    Args:
        cluster: The workers.
    """
    if cluster is not None:
        cluster.total(np.zeros(1))


def local_copy(cluster: Cluster | None, model: keras.Model) -> keras.Model:
    """Return a copy of the model outside the strategy, for use by one worker.

    Args:
        cluster: The workers.
        model: Compiled Keras model.
    """
    if cluster is None:
        return model
    if cluster.copies.get(id(model)) is None:
        copy = type(model).from_config(model.get_config())
        synchronise(copy, False)
        cluster.copies[id(model)] = copy
    copy = cluster.copies[id(model)]
    for mine, theirs in zip(copy.variables, model.variables, strict=True):
        mine.assign(np.asarray(theirs))
    return copy


def shared_out(
    cluster: Cluster | None,
    judge: Callable[[NDArray[np.int64], keras.Model], NDArray[np.float64]],
    rows: NDArray[np.int64],
    model: keras.Model,
) -> NDArray[np.float64]:
    """Compute outputs of many rows, (n, outputs); workers share the rows, and each gets all outputs.

    Args:
        cluster: The workers.
        judge: Function from row numbers to outputs.
        rows: (n,) row numbers.
        model: Compiled Keras model.
    """
    if cluster is None:
        return judge(rows, model)
    share = np.array_split(np.arange(len(rows)), cluster.workers)[cluster.index]
    outputs = np.zeros((len(rows), int(model.network.output_shape[-1])))
    outputs[share] = judge(rows[share], local_copy(cluster, model))
    return cluster.total(outputs)


def run_epochs(
    cluster: Cluster,
    model: keras.Model,
    batches: TrainingBatches,
    epochs: range,
    watchers: list[keras.callbacks.Callback],
    workers: int,
) -> None:
    """Run some epochs with their callbacks, as ``fit`` does on one host.

    The loss that the callbacks see is the mean over the epoch's steps so far, of the whole batches.

    Args:
        cluster: The workers.
        model: Compiled Keras model.
        batches: Batches of one epoch after another.
        epochs: Epochs to train, from 0.
        watchers: Callbacks.
        workers: Threads that make batches.
    """
    import keras

    step = _training_step(cluster, model)
    data = iter(_share_of_batches(cluster, batches, epochs, workers))
    watch = keras.callbacks.CallbackList(watchers, model=model)
    model.stop_training = False
    watch.on_train_begin()
    for epoch in epochs:
        watch.on_epoch_begin(epoch)
        loss = 0.0
        for n in range(batches.steps):
            watch.on_train_batch_begin(n)
            loss += float(step(data))
            watch.on_train_batch_end(n, {"loss": loss / (n + 1)})
        watch.on_epoch_end(epoch, {"loss": loss / batches.steps})
        if model.stop_training:
            break
    watch.on_train_end()
    wait(cluster)


def _training_step(cluster: Cluster, model: keras.Model) -> Callable[[Any], Any]:
    import tensorflow as tf

    strategy = cluster.strategy

    def on_replica(batch: Any) -> Any:
        inputs, targets, weights = batch
        with tf.GradientTape() as tape:
            # Keras divides the mean over the replica's rows by the replicas: their sum is the mean of the whole batch
            loss = model.compute_loss(inputs, targets, model(inputs, training=True), weights, training=True)
            scaled = model.optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled, model.trainable_variables)
        # the optimizer adds the gradients of all replicas before it uses them
        model.optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    # The batch is taken inside: a padded batch has another size on each worker, and a worker that compiles anew
    # while the others do not would wait for them for ever.
    @tf.function
    def step(iterator: Any) -> Any:
        losses = strategy.run(on_replica, args=(next(iterator),))
        return strategy.reduce(tf.distribute.ReduceOp.SUM, losses, axis=None)

    return step  # type: ignore[no-any-return]


def _share_of_batches(cluster: Cluster, batches: TrainingBatches, epochs: range, workers: int) -> Any:
    from affinity_zoo.zoo.batches.pipeline import Share, training_data

    first, last = epochs.start * batches.steps, epochs.stop * batches.steps
    replicas = cluster.strategy.num_replicas_in_sync
    here = replicas // cluster.workers
    share = Share(cluster.index * here, here, replicas)
    return cluster.strategy.distribute_datasets_from_function(
        lambda context: training_data(batches, first, last, workers, share)
    )
