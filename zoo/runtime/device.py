"""Choice of the device of a training and distribution over several devices."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from affinity_zoo.zoo.runtime.cluster import Cluster


@dataclass(frozen=True)
class Device:
    """The device that Keras computes on."""

    description: str
    replicas: int
    accelerator: bool
    strategy: Any = None  #: a ``tf.distribute`` strategy, or None
    cluster: Cluster | None = None  #: several hosts, or None

    @property
    def chief(self) -> bool:
        """Whether this process writes files and prints; False only for further workers of several hosts."""
        return self.cluster is None or self.cluster.chief

    def alone(self) -> Device:
        """Return the same device without the other hosts."""
        return replace(self, strategy=None if self.cluster else self.strategy, cluster=None)

    def scope(self) -> AbstractContextManager[Any]:
        """Return the scope in which the model is built."""
        return nullcontext() if self.strategy is None else self.strategy.scope()

    def round_batch(self, batch_size: int) -> int:
        """Round up to a multiple of the number of replicas, as `tf.distribute` requires.

        Args:
            batch_size: Wanted number of rows of a batch.
        """
        return -(-batch_size // self.replicas) * self.replicas


def find_device(logical_cpus: int = 0, cluster: Cluster | None = None) -> Device:
    """Find the device of the active Keras backend.

    Args:
        logical_cpus: on a machine without an accelerator, split the CPU into this number of logical devices
            and train on all of them (to try distribution without GPUs); TensorFlow only.
        cluster: the hosts that train together; None: this one alone.
    """
    import keras

    if cluster is not None:
        return _device_of(cluster)
    backend = keras.config.backend()
    if backend == "tensorflow":
        return _tensorflow_device(logical_cpus)
    if backend == "jax":
        import jax

        devices = jax.devices()
        accelerator = devices[0].platform != "cpu"
        return Device(f"{devices[0].device_kind} (JAX)", 1, accelerator)
    if backend == "torch":
        import torch

        if torch.cuda.is_available():
            return Device(f"{torch.cuda.get_device_name()} (PyTorch)", 1, True)
        return Device(f"CPU, {torch.get_num_threads()} threads (PyTorch)", 1, False)
    return Device(backend, 1, False)


def _device_of(cluster: Cluster) -> Device:
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    replicas = cluster.strategy.num_replicas_in_sync
    name = tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU") if gpus else "CPU"
    return Device(
        f"{replicas} x {name} of {cluster.workers} workers, MultiWorkerMirroredStrategy (TensorFlow)",
        replicas,
        bool(gpus),
        cluster.strategy,
        cluster,
    )


def take_memory_as_needed(gpus: list[Any]) -> None:
    """Keep TensorFlow from allocating all GPU memory at once; without effect once it uses the GPUs.

    Args:
        gpus: Physical GPUs of TensorFlow.
    """
    import tensorflow as tf

    for gpu in gpus:
        # evaluate and notebooks load a model first; then the GPUs cannot be configured any more
        with suppress(RuntimeError):
            tf.config.experimental.set_memory_growth(gpu, True)


def _tensorflow_device(logical_cpus: int) -> Device:
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    take_memory_as_needed(gpus)
    if len(gpus) > 1:
        name = tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")
        return Device(
            f"{len(gpus)} x {name}, MirroredStrategy (TensorFlow)",
            len(gpus),
            True,
            tf.distribute.MirroredStrategy(),
        )
    if gpus:
        name = tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")
        return Device(f"{name} (TensorFlow)", 1, True)
    if logical_cpus > 1:
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * logical_cpus
        )
        strategy = tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(logical_cpus)])
        return Device(
            f"{logical_cpus} logical CPUs, MirroredStrategy (TensorFlow)", logical_cpus, False, strategy
        )
    import os

    threads = tf.config.threading.get_intra_op_parallelism_threads() or len(os.sched_getaffinity(0))
    return Device(f"CPU, {threads} threads (TensorFlow)", 1, False)
