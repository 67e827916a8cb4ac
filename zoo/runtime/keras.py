"""Start of Keras without the log messages of TensorFlow's C++ code."""

from __future__ import annotations

import os
import sys
import tempfile
from importlib.util import find_spec


def start_keras() -> None:
    """Import Keras and its backend with file descriptor 2 redirected; its content is shown if the import fails.

    TensorFlow writes notes about oneDNN and missing CUDA drivers before its log level takes effect. GPU memory
    is set to grow as needed, which is possible only before the first computation.
    ``AFFINITY_ZOO_VERBOSE=1`` shows all messages.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    choose_backend()
    if os.environ.get("AFFINITY_ZOO_VERBOSE"):
        _import_backend()
        return
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as aside:
        os.dup2(aside.fileno(), 2)
        try:
            _import_backend()
        except BaseException:
            os.dup2(kept, 2)
            aside.seek(0)
            sys.stderr.write(aside.read().decode(errors="replace"))
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def choose_backend() -> None:
    """Use JAX or PyTorch where TensorFlow, Keras's default, is not installed and no backend was chosen."""
    if "KERAS_BACKEND" in os.environ or find_spec("tensorflow") is not None:
        return
    found = next((name for name in ("jax", "torch") if find_spec(name) is not None), None)
    if found is not None:
        os.environ["KERAS_BACKEND"] = found


def _import_backend() -> None:
    import keras

    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        if not os.environ.get("AFFINITY_ZOO_VERBOSE"):
            # each model of an ensemble compiles its own prediction: no reason to warn of retracing
            tf.get_logger().setLevel("ERROR")
        from affinity_zoo.zoo.runtime.device import take_memory_as_needed

        take_memory_as_needed(tf.config.list_physical_devices("GPU"))
