"""Choice of the device of a training and distribution over several devices."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
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


def has_bfloat16() -> bool:
    """Return whether this processor has instructions for products of bfloat16 numbers (AVX512-BF16 or AMX)."""
    import llvmlite.binding

    features = llvmlite.binding.get_host_cpu_features()
    return any(features.get(name, False) for name in ("amx-bf16", "avx512bf16"))


def find_device(logical_cpus: int = 0, cluster: Cluster | None = None) -> Device:
    """Find the device of the active Keras backend.

    Args:
        logical_cpus: on a machine without an accelerator, split the CPU into this number of logical devices
            and train on all of them (to try distribution without GPUs); TensorFlow only.
        cluster: the hosts that train together; None: this one alone.
    """
    if cluster is not None:
        return _device_of(cluster)
    from affinity_zoo.zoo.runtime.backends import active_backend

    return active_backend().device(logical_cpus)


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
