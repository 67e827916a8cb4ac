"""PyTorch's files as NumPy arrays, without PyTorch: state dicts (both formats) and TorchScript archives.

Of a TorchScript archive only the tensors, their names and the added texts (``extra/``) are read; the Python text in
``code/`` is left alone.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.importers.torch_pickle import Record, Storage, Tensor, UnsafePickle, read_pickle
from affinity_zoo.zoo.runtime.archives import Limits, open_archive, read_member

LIMITS: Final = Limits(file=512 << 20, members=10_000, unpacked=1 << 30)
_PICKLE: Final = 16 << 20  #: bytes of a pickle at most
_EXTRA: Final = 1 << 20  #: bytes of an added text at most
_DEEPEST: Final = 64  #: modules within modules
_MOST_VALUES: Final = 200_000  #: tensors, modules and flags together
_MAGIC: Final = 0x1950A86A20F9469CFC6C  #: the first pickle of the format before ZIP archives
Read = Callable[[Storage], NDArray[Any]]


@dataclass(frozen=True)
class TorchFile:
    """Content of a PyTorch file.

    Attributes:
        tensors: dotted name to array, as in ``state_dict()``.
        extra: the added texts of a TorchScript archive, by name.
    """

    tensors: Mapping[str, NDArray[Any]]
    extra: Mapping[str, str]


def read_torch_file(path: Path) -> TorchFile:
    """Read a state dict or a TorchScript archive; nothing in the file is executed.

    Args:
        path: a ``.pt`` or ``.pth`` file as written by ``torch.save`` (a state dict) or ``torch.jit.save``.

    Returns:
        Its tensors and added texts.

    Raises:
        AffinityZooError: the file is damaged, too large, or its pickle names anything that weights do not need.
    """
    try:
        with path.open("rb") as file:
            packed = file.read(4) == b"PK\x03\x04"
            if not packed and path.stat().st_size > LIMITS.file:
                raise UnsafePickle(f"it has more than {LIMITS.file:,} bytes")
        return _read_archive(path) if packed else _read_legacy(path)
    except UnsafePickle as error:
        raise AffinityZooError(f"{path}: refused, {error}; get the file again from where it came") from error
    except OSError as error:
        raise AffinityZooError(f"{path}: cannot be read ({error.strerror or error})") from error


def _read_archive(path: Path) -> TorchFile:
    with open_archive(path, LIMITS) as archive:
        names = archive.namelist()
        roots = [
            name[: -len("data.pkl")] for name in names if name.endswith("/data.pkl") and name.count("/") == 1
        ]
        if len(roots) != 1:
            raise UnsafePickle("it is a ZIP archive without the one data.pkl that PyTorch writes")
        root = roots[0]
        if f"{root}byteorder" in names and read_member(archive, f"{root}byteorder", 16).strip() != b"little":
            raise UnsafePickle("its numbers are not little-endian")
        found = read_pickle(io.BytesIO(read_member(archive, f"{root}data.pkl", _PICKLE)))

        def read(storage: Storage) -> NDArray[Any]:
            if not storage.key.isalnum():
                raise UnsafePickle(f"its storage has the name {storage.key[:40]!r}")
            dtype = np.dtype(storage.dtype)
            data = read_member(archive, f"{root}data/{storage.key}", storage.numel * dtype.itemsize)
            return np.frombuffer(data, dtype)

        tensors = _tensors(found, read)
        start = f"{root}extra/"
        extra = {
            name[len(start) :]: read_member(archive, name, _EXTRA).decode("utf-8", "replace")
            for name in names
            if name.startswith(start)
        }
    return TorchFile(tensors, extra)


def _read_legacy(path: Path) -> TorchFile:
    """Read the format before ZIP archives: magic number, version, machine, object, storage keys, raw storages."""
    with path.open("rb") as file:
        if read_pickle(file) != _MAGIC:
            raise UnsafePickle("it is no file of PyTorch")
        if read_pickle(file) != 1001:
            raise UnsafePickle("its format has an unknown version")
        machine = read_pickle(file)
        if not isinstance(machine, dict) or machine.get("little_endian") is not True:
            raise UnsafePickle("its numbers are not little-endian")
        found, keys = read_pickle(file), read_pickle(file)
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise UnsafePickle("its list of storages is damaged")
        wanted = {tensor.storage.key: tensor.storage for _, tensor in _walk(found)}
        arrays = {}
        for key in keys:
            numel = int.from_bytes(file.read(8), "little")
            if key not in wanted or wanted[key].numel != numel:
                raise UnsafePickle(f"its storage {key[:40]!r} has another size than its tensor")
            dtype = np.dtype(wanted[key].dtype)
            data = file.read(numel * dtype.itemsize)
            if len(data) != numel * dtype.itemsize:
                raise UnsafePickle("it is cut off")
            arrays[key] = np.frombuffer(data, dtype)

        def read(storage: Storage) -> NDArray[Any]:
            if storage.key not in arrays:
                raise UnsafePickle(f"it lacks the storage {storage.key[:40]!r}")
            return arrays[storage.key]

        return TorchFile(_tensors(found, read), {})


def _tensors(found: Any, read: Read) -> dict[str, NDArray[Any]]:
    """Return the arrays of all tensors; their bytes together may not exceed the limit of an archive."""
    arrays: dict[str, NDArray[Any]] = {}
    storages: dict[str, NDArray[Any]] = {}
    total = 0
    for name, tensor in _walk(found):
        total += math.prod(tensor.shape) * np.dtype(tensor.storage.dtype).itemsize
        if name in arrays or total > LIMITS.unpacked:
            raise UnsafePickle("a name comes twice" if name in arrays else "its tensors are too large")
        if tensor.storage.key not in storages:
            storages[tensor.storage.key] = read(tensor.storage)
        arrays[name] = _array(name, tensor, storages[tensor.storage.key])
    return arrays


def _array(name: str, tensor: Tensor, storage: NDArray[Any]) -> NDArray[Any]:
    shape, strides = tensor.shape, tensor.strides
    if len(shape) != len(strides) or storage.dtype != np.dtype(tensor.storage.dtype):
        raise UnsafePickle(f"the shape of {name[:80]!r} is damaged")
    size = math.prod(shape)
    last = tensor.offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True)) if size else 0
    if last >= max(1, len(storage)) or size > len(storage):
        raise UnsafePickle(f"{name[:80]!r} reaches beyond its storage")
    item = storage.dtype.itemsize
    view = np.lib.stride_tricks.as_strided(
        storage[tensor.offset :], shape, [step * item for step in strides], writeable=False
    )
    return view.copy()


def _walk(found: Any) -> Iterator[tuple[str, Tensor]]:
    """Yield every tensor with its dotted name; other values (flags, hyperparameters) are passed over."""
    waiting: list[tuple[str, Any, int]] = [("", found, 0)]
    visited = 0
    while waiting:
        prefix, value, depth = waiting.pop()
        visited += 1
        if depth > _DEEPEST or visited > _MOST_VALUES:
            raise UnsafePickle(
                f"its modules lie deeper than {_DEEPEST} levels or are more than {_MOST_VALUES:,}"
            )
        if isinstance(value, Tensor):
            yield prefix, value
        parts = value.attributes if isinstance(value, Record) else value
        if isinstance(parts, dict):
            named = [
                (f"{prefix}.{key}" if prefix else str(key), part, depth + 1) for key, part in parts.items()
            ]
            waiting += reversed(named)
