"""Starting Keras without the notes that TensorFlow's C++ side writes to the terminal."""

from __future__ import annotations

import os
import sys
import tempfile


def start_keras() -> None:
    """Import Keras and its backend with file descriptor 2 turned aside; what failed is shown after all.

    TensorFlow writes notes about oneDNN and missing CUDA drivers before its own log level counts.
    ``AFFINITY_ZOO_VERBOSE=1`` lets everything through.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if os.environ.get("AFFINITY_ZOO_VERBOSE"):
        return
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as aside:
        os.dup2(aside.fileno(), 2)
        try:
            import keras

            if keras.config.backend() == "tensorflow":
                import tensorflow as tf

                tf.config.list_physical_devices("GPU")
        except BaseException:
            os.dup2(kept, 2)
            aside.seek(0)
            sys.stderr.write(aside.read().decode(errors="replace"))
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
