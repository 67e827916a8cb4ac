"""Worker processes of a training on several hosts. TensorFlow only."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.errors import AffinityZooError, UsageError

_PORT = 20_000  #: first of the ports under Slurm; the job's number is added, so that two jobs on a node do not meet


@dataclass(frozen=True)
class Cluster:
    """The workers of one training, seen from one of them."""

    strategy: Any  #: ``tf.distribute.MultiWorkerMirroredStrategy``
    workers: int
    index: int  #: of this worker; 0 is the chief
    copies: dict[int, Any] = field(
        default_factory=dict, compare=False, repr=False
    )  #: models outside the strategy

    @property
    def chief(self) -> bool:
        """Whether this worker writes files and prints."""
        return self.index == 0

    def total(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Add arrays of one shape over the workers. Every worker must call it and gets the same sum.

        Args:
            values: Array of the same shape on every worker.
        """
        import tensorflow as tf

        strategy = self.strategy
        mine = tf.constant(np.asarray(values, np.float64))

        def give(context: Any) -> Any:
            # several devices of one host: the first contributes the values
            return (
                mine
                if context.replica_id_in_sync_group % strategy.extended._num_devices_per_worker == 0
                else mine * 0
            )

        with strategy.scope():
            spread = strategy.experimental_distribute_values_from_function(give)
            return np.asarray(strategy.reduce(tf.distribute.ReduceOp.SUM, spread, axis=None))

    def agree(self, what: str, value: str) -> None:
        """Check that all workers have the same value.

        Args:
            what: Name of the value, for the message.
            value: Value of this worker.

        Raises:
            AffinityZooError: the values differ; every worker raises it.
        """
        # 48 bits are exact in a float64
        mark = int.from_bytes(hashlib.sha256(value.encode()).digest()[:6], "little")
        marks = self.total(np.where(np.arange(self.workers) == self.index, mark, 0))
        others = [i for i in range(self.workers) if marks[i] != marks[0]]
        if others:
            raise AffinityZooError(
                f"the workers have different settings: {what} of worker {', '.join(map(str, others))} differs from "
                "that of worker 0; give all of them the same command, the same data and the same `runs` folder"
            )

    def number(self, chief: Callable[[], int]) -> int:
        """Return the chief's number on every worker.

        Args:
            chief: Function that the chief calls.
        """
        return int(self.total(np.array(chief() if self.chief else 0)))


def connect(asked: bool = False) -> Cluster | None:
    """Join the training that ``TF_CONFIG``, or Slurm's variables, describe. It must be called before any computation.

    Args:
        asked: whether the user asked for it: only then Slurm's variables are used. ``TF_CONFIG`` always is.

    Returns:
        None: this process trains alone.

    Raises:
        UsageError: it was asked for and is not possible.
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
            f"the workers cannot connect ({str(error).splitlines()[0]}): are the addresses right and the ports free?"
        ) from error
    spec = resolver.cluster_spec().as_dict()
    index = int(resolver.task_id) + (len(spec.get("chief", [])) if resolver.task_type == "worker" else 0)
    global _joined
    _joined = Cluster(strategy, sum(len(spec.get(job, [])) for job in ("chief", "worker")), index)
    return _joined


_joined: Cluster | None = None


def speaks() -> bool:
    """Return whether this process prints: it trains alone or is the first worker."""
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
            "`distributed=True` needs TF_CONFIG with at least two workers, or a step of Slurm (srun): see docs/scale.md"
        )
    if int(os.environ.get("SLURM_STEP_NUM_TASKS", "1")) < 2:
        raise UsageError(
            "`distributed=True` needs at least two tasks: `srun --ntasks=2 affinity-zoo train ...`"
        )
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
            f"Slurm's variables do not describe the workers: {error}; start them with srun"
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
        raise UsageError(f"TF_CONFIG is not a JSON object with a cluster: {error}") from None
    return config
