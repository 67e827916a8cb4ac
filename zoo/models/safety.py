"""What a model directory may hold. A model is data: weights, a recipe and a card, never code.

Checked before Keras sees the file: only the known members in the archive, no pickle, no link and no storage
outside the file, no class but those of Keras, of affinity-zoo and of the plugins that the recipe names.
Keras's safe mode then refuses lambdas besides.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from affinity_zoo.plugins.errors import AffinityZooError

#: the classes of affinity-zoo that a model is made of, by their registered names
OURS = {
    f"affinity_zoo>{name}"
    for name in ("ScoringModel", "NearestVoxelizer", "BinaryVoxelizer", "GaussianVoxelizer")
}
MEMBERS = {"metadata.json", "config.json", "model.weights.h5"}
PICKLES = {".pkl", ".pickle", ".joblib", ".pt", ".pth", ".bin"}
_REMEDY = "get the model again from where it came, and from people you trust"


def check_folder(folder: Path, allowed: Iterable[str] = ()) -> None:
    """Refuse a model directory that holds more than a model.

    Args:
        folder: with ``model.keras``.
        allowed: registered names of the classes that the model's plugins bring (``custom_objects``).

    Raises:
        AffinityZooError: it carries a pickle, a class that nobody registered, or a path outside itself.
    """
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in PICKLES:
            raise AffinityZooError(f"{path}: refused, a model carries no pickle; {_REMEDY}")
    archive = folder / "model.keras"
    try:
        with zipfile.ZipFile(archive) as file:
            strange = sorted(set(file.namelist()) - MEMBERS)
            if strange:
                raise AffinityZooError(f"{archive}: refused, it carries {strange[0]!r}; {_REMEDY}")
            _check_classes(json.loads(file.read("config.json")), archive, set(allowed))
            _check_weights(file.read("model.weights.h5"), archive)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise AffinityZooError(f"{archive}: not a whole model ({error}); {_REMEDY}") from error


def _check_classes(config: Any, archive: Path, allowed: set[str]) -> None:
    for entry in _objects(config):
        name, module = entry.get("class_name"), entry.get("module")
        registered = entry.get("registered_name")
        if name == "__lambda__" or name == "Lambda":
            raise AffinityZooError(f"{archive}: refused, it carries a lambda, which is code; {_REMEDY}")
        keras_own = module is None or str(module).split(".")[0] in ("keras", "builtins")
        if not keras_own and registered not in allowed | OURS:
            raise AffinityZooError(
                f"{archive}: refused, it names {module}.{name}, which is no class of Keras, of affinity-zoo or of "
                f"the plugins in its recipe; {_REMEDY}"
            )


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every serialised object in a Keras configuration."""
    if isinstance(value, dict):
        if "class_name" in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _objects(part)


def _check_weights(data: bytes, archive: Path) -> None:
    import h5py

    with h5py.File(io.BytesIO(data), "r") as file:
        _check_group(file, archive, h5py)


def _check_group(group: Any, archive: Path, h5py: Any) -> None:
    for name in group:
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise AffinityZooError(f"{archive}: refused, its weights link to {_target(link)}; {_REMEDY}")
        part = group[name]
        if isinstance(part, h5py.Group):
            _check_group(part, archive, h5py)
        elif part.external or part.is_virtual:
            raise AffinityZooError(
                f"{archive}: refused, its weights lie outside the file ({name}); {_REMEDY}"
            )


def _target(link: Any) -> str:
    return f"{getattr(link, 'filename', '')}:{link.path}".lstrip(":")
