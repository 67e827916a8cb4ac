"""Training on several hosts: the same steps as on one, each worker with its share of every batch.

Keras 3's ``fit`` does not run under ``MultiWorkerMirroredStrategy``; the step here is its own. What is shown in
which step follows from (seed, epoch), so the workers need not talk about it: each takes its rows of the batch. The
first worker, the chief, alone writes and speaks. TensorFlow only.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.errors import AffinityZooError, UsageError

if TYPE_CHECKING:
    import keras

    from affinity_zoo.zoo.data.pipeline import TrainingBatches

_PORT = 20_000  #: first of the ports under Slurm; the job's number is added, so that two jobs on a node do not meet


@dataclass(frozen=True)
class Cluster:
    """The workers of one training, as one of them sees it."""

    strategy: Any  #: ``tf.distribute.MultiWorkerMirroredStrategy``
    workers: int
    index: int  #: of this worker; 0 is the chief
    copies: dict[int, Any] = field(default_factory=dict, compare=False, repr=False)  #: see :func:`local_copy`

    @property
    def chief(self) -> bool:
        """Whether this worker writes and speaks."""
        return self.index == 0

    def total(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Add arrays of one shape over the workers; every worker must call it, and gets the same."""
        import tensorflow as tf

        strategy = self.strategy
        mine = tf.constant(np.asarray(values, np.float64))

        def give(context: Any) -> Any:
            # several devices of one host: the first brings the values
            return (
                mine
                if context.replica_id_in_sync_group % strategy.extended._num_devices_per_worker == 0
                else mine * 0
            )

        with strategy.scope():
            spread = strategy.experimental_distribute_values_from_function(give)
            return np.asarray(strategy.reduce(tf.distribute.ReduceOp.SUM, spread, axis=None))

    def agree(self, what: str, value: str) -> None:
        """See that all workers have the same.

        Raises:
            AffinityZooError: they have not; all of them raise it.
        """
        # 48 bits are whole in a float64
        mark = int.from_bytes(hashlib.sha256(value.encode()).digest()[:6], "little")
        marks = self.total(np.where(np.arange(self.workers) == self.index, mark, 0))
        others = [i for i in range(self.workers) if marks[i] != marks[0]]
        if others:
            raise AffinityZooError(
                f"the workers do not train alike: {what} of worker {', '.join(map(str, others))} differs from that of "
                "worker 0; give all of them the same command, the same data and the same --runs folder"
            )

    def number(self, chief: Callable[[], int]) -> int:
        """What the chief says, known to all."""
        return int(self.total(np.array(chief() if self.chief else 0)))


def connect(asked: bool = False) -> Cluster | None:
    """Join the training that ``TF_CONFIG``, or Slurm's variables, describe. Must come before any computation.

    Args:
        asked: whether the user wants it: only then Slurm's variables count. ``TF_CONFIG`` always does.

    Returns:
        None: this process trains alone.

    Raises:
        UsageError: it was asked for and cannot be.
    """
    resolver = _resolver(asked)
    if resolver is None:
        return None
    import keras

    if keras.config.backend() != "tensorflow":
        raise UsageError(
            "training on several hosts needs the TensorFlow backend: set KERAS_BACKEND=tensorflow"
        )
    import tensorflow as tf

    try:
        strategy = tf.distribute.MultiWorkerMirroredStrategy(cluster_resolver=resolver)
    except (RuntimeError, ValueError, tf.errors.OpError) as error:
        raise AffinityZooError(
            f"the workers cannot meet ({str(error).splitlines()[0]}): are the addresses right and the ports free?"
        ) from error
    spec = resolver.cluster_spec().as_dict()
    index = int(resolver.task_id) + (len(spec.get("chief", [])) if resolver.task_type == "worker" else 0)
    global _joined
    _joined = Cluster(strategy, sum(len(spec.get(job, [])) for job in ("chief", "worker")), index)
    return _joined


_joined: Cluster | None = None


def speaks() -> bool:
    """Whether this process prints: it trains alone, or is the first of its workers."""
    return _joined is None or _joined.chief


def _resolver(asked: bool) -> Any:
    config = _tf_config()
    if config is not None:
        jobs = config.get("cluster", {})
        workers = sum(len(jobs.get(job, [])) for job in ("chief", "worker"))
        if workers > 1:
            import tensorflow as tf

            return tf.distribute.cluster_resolver.TFConfigClusterResolver()
    if not asked:
        return None
    if "SLURM_PROCID" not in os.environ:
        raise UsageError(
            "--distributed needs TF_CONFIG with at least two workers, or a step of Slurm (srun): see docs/scale.md"
        )
    if int(os.environ.get("SLURM_STEP_NUM_TASKS", "1")) < 2:
        raise UsageError("--distributed needs at least two tasks: srun --ntasks=2 affinity-zoo train ...")
    import tensorflow as tf

    port = _PORT + int(os.environ.get("SLURM_JOB_ID", "0")) % 10_000
    resolvers = tf.distribute.cluster_resolver
    try:
        # It would give the GPUs out itself, after TensorFlow has counted them, and knows no node without one: Slurm
        # binds GPUs to tasks (--gpus-per-task), and this only asks who the workers are.
        slurm = resolvers.SlurmClusterResolver(
            port_base=port, gpus_per_node=4096, gpus_per_task=1, auto_set_gpu=False
        )
        workers = slurm.cluster_spec()
    except (RuntimeError, ValueError) as error:
        raise UsageError(
            f"Slurm's variables do not tell the workers: {error}; start them with srun"
        ) from error
    gpus = len(tf.config.list_physical_devices("GPU"))
    return resolvers.SimpleClusterResolver(
        workers,
        task_type=slurm.task_type,
        task_id=slurm.task_id,
        rpc_layer="grpc",
        num_accelerators={"GPU": gpus},
    )


def _tf_config() -> dict[str, Any] | None:
    text = os.environ.get("TF_CONFIG", "")
    if not text:
        return None
    try:
        config: dict[str, Any] = json.loads(text)
        config.get("cluster", {}).get("worker", [])
    except (ValueError, AttributeError) as error:
        raise UsageError(f"TF_CONFIG is no JSON object with a cluster: {error}") from None
    return config


@contextmanager
def ending_together(cluster: Cluster | None, run: int) -> Iterator[None]:
    """Turn what TensorFlow says when another worker is gone into a sentence."""
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
            "another worker of this training is gone, so this one stops too; see the other's output, then start all "
            f"of them again with --resume {run}: they go on after the last whole epoch"
        ) from error


def synchronise(model: keras.Model, on: bool) -> None:
    """Let batch normalisation take its moments over all replicas, or (as models are saved) over its own batch."""
    import keras

    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = on


def wait(cluster: Cluster | None) -> None:
    """Go on when all workers are here."""
    if cluster is not None:
        cluster.total(np.zeros(1))


def local_copy(cluster: Cluster | None, model: keras.Model) -> keras.Model:
    """The model with its present values, outside the strategy: what one worker can use without the others."""
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
    """Outputs of many rows, (n, outputs): each worker does its share, all get the whole."""
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
    """Do what ``fit`` does on one host: the steps of some epochs, and the callbacks around them.

    The loss that the callbacks see is the mean over the epoch's steps so far, of the whole batches.
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
    from affinity_zoo.zoo.data.pipeline import Share, training_data

    first, last = epochs.start * batches.steps, epochs.stop * batches.steps
    replicas = cluster.strategy.num_replicas_in_sync
    here = replicas // cluster.workers
    share = Share(cluster.index * here, here, replicas)
    return cluster.strategy.distribute_datasets_from_function(
        lambda context: training_data(batches, first, last, workers, share)
    )
