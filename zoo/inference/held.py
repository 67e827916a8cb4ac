"""Models held by a process between tasks, by folder and content; each is loaded once.

Callers that hold a model pass it on; workers of a pool or a cluster get names of folders and load here. A model that
was replaced on disk is loaded again: the stamp of its files is part of the key.
"""

from __future__ import annotations

import os
import threading
from functools import lru_cache
from pathlib import Path
from typing import Final

from affinity_zoo.zoo.inference.ready import ReadyModel, ready
from affinity_zoo.zoo.models.folders import FILES

MOST: Final = 16  #: models kept, enough for an ensemble of gnina's
_lock = threading.Lock()


def held_model(folder: str | Path) -> ReadyModel:
    """The model in a folder, loaded when this process first asks for it.

    Args:
        folder: a model directory.

    Raises:
        AffinityZooError: it cannot be loaded.
    """
    path = Path(folder).resolve()
    with _lock:  # two threads load a model once
        return _loaded(str(path), model_stamp(path))


def model_stamp(folder: Path) -> tuple[tuple[int, int], ...]:
    """Return size and time of a model's files, to detect a replacement.

    Args:
        folder: a model directory.
    """
    return tuple(_stamp(folder / name) for name in FILES)


def _stamp(file: Path) -> tuple[int, int]:
    try:
        status = os.stat(file)
    except OSError:
        return -1, -1
    return status.st_size, status.st_mtime_ns


@lru_cache(maxsize=MOST)
def _loaded(folder: str, stamp: tuple[tuple[int, int], ...]) -> ReadyModel:
    from affinity_zoo.zoo.runtime.keras import start_keras

    start_keras()
    from affinity_zoo.zoo.models.loading import load_model

    return ready(load_model(folder))
