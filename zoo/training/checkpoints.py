"""Checkpoints: one file per epoch with weights, optimizer and state of the callbacks."""

from __future__ import annotations

import json
import os
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.errors import AffinityZooError

if TYPE_CHECKING:
    import keras

_NAME = re.compile(r"epoch-(\d{5})\.npz")


def save(folder: Path, epoch: int, model: keras.Model, state: dict[str, Any], keep: set[int]) -> Path:
    """Write the checkpoint after ``epoch`` epochs, then remove those whose number is not in ``keep``.

    The file appears whole or not at all, so that a run killed at any moment finds the last whole one.

    Args:
        folder: Folder of the checkpoints.
        epoch: Epoch of the training, from 1.
        model: Compiled Keras model.
        state: State of the callbacks, JSON-ready.
        keep: Epochs whose checkpoints are kept.
    """
    arrays = {f"model/{i}": np.asarray(v) for i, v in enumerate(model.variables)}
    arrays |= {f"optimizer/{i}": np.asarray(v) for i, v in enumerate(model.optimizer.variables)}
    path = folder / f"epoch-{epoch:05d}.npz"
    temporary = folder / f"{path.name}.tmp-{os.getpid()}"
    with temporary.open("wb") as file:
        np.savez(file, state=np.array(json.dumps(state)), **arrays)  # type: ignore[arg-type]
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    for left in folder.glob("epoch-*.npz.tmp-*"):  # of a run that was killed while writing
        left.unlink(missing_ok=True)
    for number in _numbers(folder):
        if number != epoch and number not in keep:
            (folder / f"epoch-{number:05d}.npz").unlink()
    return path


def latest(folder: Path) -> int | None:
    """Number of epochs of the last whole checkpoint, or None.

    Args:
        folder: Folder of the checkpoints.
    """
    return max(_numbers(folder), default=None)


def load(folder: Path, epoch: int, model: keras.Model, optimizer: bool = True) -> dict[str, Any]:
    """Load a checkpoint into a built model and return its state.

    Args:
        folder: Folder of the checkpoints.
        epoch: Epoch of the training, from 1.
        model: Compiled Keras model.
        optimizer: The optimizer; its state is restored.

    Raises:
        AffinityZooError: the file is damaged or belongs to another network.
    """
    path = folder / f"epoch-{epoch:05d}.npz"
    try:
        with np.load(path, allow_pickle=False) as file:
            state: dict[str, Any] = json.loads(str(file["state"]))
            _assign(model.variables, file, "model")
            if optimizer:
                model.optimizer.build(model.trainable_variables)
                _assign(model.optimizer.variables, file, "optimizer")
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise AffinityZooError(
            f"{path}: cannot be restored ({error}); delete it to continue from the previous one"
        ) from error
    return state


def _assign(variables: list[Any], file: Any, kind: str) -> None:
    stored: list[NDArray[Any]] = [file[f"{kind}/{i}"] for i in range(len(variables))]
    for variable, value in zip(variables, stored, strict=True):
        if tuple(variable.shape) != value.shape:
            raise ValueError(f"{variable.path} has shape {tuple(variable.shape)}, the file {value.shape}")
        variable.assign(value)


def _numbers(folder: Path) -> list[int]:
    matches = (_NAME.fullmatch(entry.name) for entry in folder.iterdir())
    return sorted(int(match[1]) for match in matches if match)
