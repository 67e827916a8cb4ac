"""Safety checks of model directories. A model is data: weights, a recipe and a card, never code.

Checked before Keras sees the file: sizes and members of the archive, depth of its configuration, no pickle, no link
and no storage outside the file, no class or function but those of an allow-list, of affinity-zoo and of the plugins
that the recipe names. Keras's safe mode also refuses lambdas.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.models.allowed import ACTIVATIONS, CLASSES, FUNCTIONS
from affinity_zoo.zoo.models.safe_files import parse_json
from affinity_zoo.zoo.runtime.archives import Limits, open_archive, read_member

#: the classes of affinity-zoo that a model is made of, by their registered names
OURS = {
    f"affinity_zoo>{name}"
    for name in ("ScoringModel", "NearestVoxelizer", "BinaryVoxelizer", "GaussianVoxelizer")
}
MEMBERS = {"metadata.json", "config.json", "model.weights.h5"}
PICKLES = {".pkl", ".pickle", ".joblib", ".pt", ".pth", ".bin"}
_LIMITS = Limits(file=1 << 30, members=len(MEMBERS) + 2, unpacked=1 << 30)
_CONFIG = 8 << 20  #: bytes of a configuration at most; it has 0.05 million
_MOST_FILES = 1_000  #: in a model directory
_MOST_OBJECTS = 20_000  #: groups and datasets in a weights file
_DEEPEST = 30  #: groups within each other in a weights file
_REMEDY = "get the model again from where it came, and from people you trust"


def check_folder(folder: Path, allowed: Iterable[str] | None = ()) -> None:
    """Refuse a model directory with content other than a model.

    Args:
        folder: with ``model.keras``.
        allowed: registered names of the classes that the model's plugins bring (``custom_objects``); None: classes
            are not checked, because the plugins are not loaded yet.

    Raises:
        AffinityZooError: it carries a pickle, a class or function that is not allowed, a path outside itself, or an
            archive or weights file that is damaged or made to exhaust the machine.
    """
    for number, path in enumerate(sorted(folder.rglob("*"))):
        if number >= _MOST_FILES:
            raise AffinityZooError(f"{folder}: refused, it has more than {_MOST_FILES:,} files; {_REMEDY}")
        if path.suffix.lower() in PICKLES:
            raise AffinityZooError(f"{path}: refused, a model must not contain a pickle; {_REMEDY}")
    check_archive(folder / "model.keras", allowed)


def check_archive(path: Path, allowed: Iterable[str] | None = ()) -> None:
    """Refuse a ``model.keras`` with content other than a network; arguments and errors as :func:`check_folder`.

    Args:
        path: The file.
        allowed: Registered names of the plugins' classes; None: not checked.
    """
    if not path.is_file():
        raise AffinityZooError(f"{path}: not a whole model (it is no ordinary file); {_REMEDY}")
    with open_archive(path, _LIMITS) as archive:
        strange = sorted(set(archive.namelist()) - MEMBERS)
        if strange:
            raise AffinityZooError(f"{path}: refused, it contains {strange[0][:80]!r}; {_REMEDY}")
        missing = sorted({"config.json", "model.weights.h5"} - set(archive.namelist()))
        if missing:
            raise AffinityZooError(f"{path}: not a whole model (it lacks {missing[0]}); {_REMEDY}")
        text = read_member(archive, "config.json", _CONFIG).decode("utf-8", "replace")
        config = parse_json(text, path)
        if allowed is not None:
            check_classes(config, path, allowed)
        _check_weights(read_member(archive, "model.weights.h5", _LIMITS.unpacked), path)


def check_classes(config: Any, path: Path, allowed: Iterable[str] = ()) -> None:
    """Refuse a configuration that names a class, function or activation outside the allow-list.

    Args:
        config: of Keras, parsed.
        path: the file, for the message.
        allowed: registered names of the plugins' classes.

    Raises:
        AffinityZooError: it names one.
    """
    if not isinstance(config, dict) or "class_name" not in config:
        raise AffinityZooError(f"{path}: not a whole model (its configuration names no network); {_REMEDY}")
    registered = {*allowed, *OURS}
    for entry in _tables(config):
        if "class_name" in entry:
            _check_object(entry, path, registered)
        for key in ("activation", "recurrent_activation"):
            value = entry.get(key)
            if isinstance(value, str) and value not in ACTIVATIONS:
                raise AffinityZooError(f"{path}: refused, it names the activation {value[:80]!r}; {_REMEDY}")


def _check_object(entry: dict[str, Any], path: Path, registered: set[str]) -> None:
    name, module = entry["class_name"], entry.get("module")
    if name in ("__lambda__", "Lambda"):
        raise AffinityZooError(f"{path}: refused, it contains a lambda, which is code; {_REMEDY}")
    if not isinstance(name, str) or not isinstance(module, str | None):
        raise AffinityZooError(f"{path}: not a whole model (a class has no name); {_REMEDY}")
    if name == "function":
        config = entry.get("config")
        known = FUNCTIONS.get(module or "builtins", frozenset())
        if entry.get("registered_name") in registered or (isinstance(config, str) and config in known):
            return
        name = str(config)
    elif name in CLASSES.get(module, frozenset()) or entry.get("registered_name") in registered:
        return
    raise AffinityZooError(
        f"{path}: refused, it names {str(module)[:80]}.{name[:80]}, which is no layer or function that a network "
        f"needs, nor a class of affinity-zoo or of the plugins in its recipe; {_REMEDY}"
    )


def _tables(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every table in a configuration, at any depth."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def _check_weights(data: bytes, path: Path) -> None:
    import h5py

    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            _check_group(file, path, h5py, len(data))
    except (OSError, KeyError, ValueError, RuntimeError, TypeError) as error:
        raise AffinityZooError(f"{path}: not a whole model ({str(error)[:200]}); {_REMEDY}") from error


def _check_group(root: Any, path: Path, h5py: Any, size: int) -> None:
    """Refuse links, data outside the file, groups that contain each other, and data larger than the file."""
    waiting, seen, count = [(root, 0)], set(), 0
    while waiting:
        group, depth = waiting.pop()
        address = h5py.h5o.get_info(group.id).addr
        if address in seen or depth > _DEEPEST:
            raise AffinityZooError(
                f"{path}: refused, its weights contain themselves or lie too deep; {_REMEDY}"
            )
        seen.add(address)
        for name in group:
            count += 1
            if count > _MOST_OBJECTS:
                raise AffinityZooError(
                    f"{path}: refused, it has more than {_MOST_OBJECTS:,} weights; {_REMEDY}"
                )
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise AffinityZooError(f"{path}: refused, its weights link to {_target(link)}; {_REMEDY}")
            part = group[name]
            if isinstance(part, h5py.Group):
                waiting.append((part, depth + 1))
            else:
                _check_dataset(part, name, path, size)


def _check_dataset(part: Any, name: str, path: Path, size: int) -> None:
    if part.external or part.is_virtual:
        raise AffinityZooError(f"{path}: refused, its weights lie outside the file ({name}); {_REMEDY}")
    if part.dtype.kind not in "fiub":
        raise AffinityZooError(f"{path}: refused, its weights {name} are not numbers; {_REMEDY}")
    if part.nbytes > size or part.id.get_storage_size() < part.nbytes:
        raise AffinityZooError(
            f"{path}: refused, its weights {name} unpack to {part.nbytes:,} bytes, more than the file has; {_REMEDY}"
        )


def _target(link: Any) -> str:
    return f"{getattr(link, 'filename', '')}:{link.path}".lstrip(":")
