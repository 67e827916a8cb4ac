"""Keras on TensorFlow: devices and distribution, derivatives, training steps of known shape."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from affinity_zoo.zoo.runtime.backends.base import Backend, Function
from affinity_zoo.zoo.runtime.device import Device, has_bfloat16

if TYPE_CHECKING:
    import keras
    import numpy as np
    from numpy.typing import NDArray


AMPERE: Final = (8, 0)  #: compute capability of NVIDIA's first GPUs with bfloat16
ALIGNMENT: Final = 64  #: bytes; of other arrays TensorFlow takes a copy


class TensorFlow(Backend):
    """TensorFlow: several devices by `tf.distribute`, steps traced for each padded size of a batch."""

    def start(self) -> None:
        """Silence notes of retracing and keep TensorFlow from allocating all GPU memory at once."""
        import tensorflow as tf

        if not os.environ.get("AFFINITY_ZOO_VERBOSE"):
            # each model of an ensemble compiles its own prediction: no reason to warn of retracing
            tf.get_logger().setLevel("ERROR")
        take_memory_as_needed(tf.config.list_physical_devices("GPU"))

    def device(self, logical_cpus: int = 0) -> Device:
        """Return all GPUs, or the CPU.

        Args:
            logical_cpus: Without a GPU: number of logical devices that the CPU is split into.
        """
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
        take_memory_as_needed(gpus)
        if gpus:
            name = tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")
            if len(gpus) == 1:
                return Device(f"{name} (TensorFlow)", 1, True)
            about = f"{len(gpus)} x {name}, MirroredStrategy (TensorFlow)"
            return Device(about, len(gpus), True, tf.distribute.MirroredStrategy())
        if logical_cpus > 1:
            return _split_cpu(logical_cpus)
        threads = tf.config.threading.get_intra_op_parallelism_threads() or len(os.sched_getaffinity(0))
        return Device(f"CPU, {threads} threads (TensorFlow)", 1, False)

    def fast_bfloat16(self) -> bool:
        """Return whether all GPUs, or the CPU, have instructions for bfloat16."""
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
        found = [tf.config.experimental.get_device_details(gpu).get("compute_capability") for gpu in gpus]
        return all(one and one >= AMPERE for one in found) if gpus else has_bfloat16()

    def shared(self, array: NDArray[Any]) -> Any:
        """Return a tensor in the memory of an aligned array: TensorFlow itself copies a batch twice.

        Args:
            array: Not changed as long as the tensor is used.
        """
        import tensorflow as tf

        aligned = array.ctypes.data % ALIGNMENT == 0 and array.flags.c_contiguous and array.flags.writeable
        if not aligned or array.dtype != "float32":
            return array
        return tf.experimental.dlpack.from_dlpack(array.__dlpack__())

    def value_and_gradient(self, function: Function, at: NDArray[np.float32]) -> tuple[Any, Any]:
        """Evaluate a function and differentiate the sum of its values.

        Args:
            function: From a tensor to a tensor of any shape.
            at: float32, contiguous.
        """
        import tensorflow as tf

        x = tf.convert_to_tensor(at)
        with tf.GradientTape() as tape:
            tape.watch(x)
            values = function(x)
        gradient = tape.gradient(values, x)
        return values.numpy(), None if gradient is None else tf.convert_to_tensor(gradient).numpy()

    def see_shapes(self, model: keras.Model) -> None:
        """Trace the step of `fit` once for each of the few sizes that batches are padded to.

        `fit` takes batches inside its compiled function, where the number of padded atoms is unknown: XLA and the
        voxelizer need it. Here a batch is taken outside.

        Args:
            model: Compiled; compiling it again undoes this.
        """
        model.train_function = _step_of(model)


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


def _split_cpu(logical_cpus: int) -> Device:
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * logical_cpus)
    strategy = tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(logical_cpus)])
    about = f"{logical_cpus} logical CPUs, MirroredStrategy (TensorFlow)"
    return Device(about, logical_cpus, False, strategy)


def _step_of(model: keras.Model) -> Callable[[Any], dict[str, Any]]:
    import tensorflow as tf

    strategy = model.distribute_strategy

    def one_step(batch: Any) -> dict[str, Any]:
        logs = strategy.run(model.train_step, args=(batch,))
        # metrics are the same on all replicas
        return {name: strategy.experimental_local_results(value)[0] for name, value in logs.items()}

    step = tf.function(one_step, autograph=False, jit_compile=model.jit_compile, reduce_retracing=False)
    return lambda iterator: step(next(iterator))


BACKEND = TensorFlow("tensorflow")
