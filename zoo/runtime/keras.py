"""Start of Keras without the log messages of TensorFlow's C++ code."""

from __future__ import annotations

import os
import sys
import tempfile

from affinity_zoo.zoo.runtime.backends import active_backend, installed_backends
from affinity_zoo.zoo.runtime.memory import keep_freed


def start_keras() -> None:
    """Import Keras and its backend with file descriptor 2 redirected; its content is shown if the import fails.

    TensorFlow writes notes about oneDNN and missing CUDA drivers before its log level takes effect. GPU memory
    is set to grow as needed, which is possible only before the first computation. Freed memory is kept for the next
    batch (:func:`~affinity_zoo.zoo.runtime.memory.keep_freed`).
    ``AFFINITY_ZOO_VERBOSE=1`` shows all messages.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    keep_freed()
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
    if "KERAS_BACKEND" in os.environ or not (found := installed_backends()) or found[0] == "tensorflow":
        return
    os.environ["KERAS_BACKEND"] = found[0]


def _import_backend() -> None:
    active_backend().start()
