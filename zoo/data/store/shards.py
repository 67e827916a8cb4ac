"""The packed arrays of atoms: self-describing memory-mapped shard files.

A shard holds a fixed range of structures. The file is ``AZSTORE1``, the length of a JSON header (uint64,
little endian), the header (for each array its dtype, shape and offset), and the arrays, each aligned to 64
bytes. Nothing in it depends on when, where or by how many workers it was written. Opening reads one
manifest, however many shards there are.
"""

from __future__ import annotations

import json
import threading
import zlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Atoms, Role
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.runtime.files import write_bytes

MAGIC: Final = b"AZSTORE1"
_ALIGN: Final = 64
#: array -> dtype; xyz has three columns
FIELDS: Final[dict[str, str]] = {
    "xyz": "<f4",
    "element": "|u1",
    "atom_type": "|u1",
    "flags": "<u2",
    "charge": "|i1",
    "name": "|S4",
    "residue_name": "|S4",
    "residue_number": "<i4",
    "chain": "|S4",
    "insertion": "|S1",
}
_TEXT: Final = ("name", "residue_name", "chain", "insertion")
CHECKSUM: Final = "checksum"  #: (structures,) CRC-32 over the arrays of each


def write_shard(path: Path, structures: Sequence[Atoms]) -> None:
    """Write structures as one shard, atomically.

    Args:
        path: The file.
        structures: The structures.
    """
    sizes = np.array([len(s) for s in structures], np.int64)
    arrays: dict[str, NDArray[Any]] = {"offsets": np.concatenate([[0], np.cumsum(sizes)]).astype("<i8")}
    for name, least in FIELDS.items():
        dtype = least
        if name in _TEXT:
            dtype = f"|S{max(np.dtype(least).itemsize, *(_width(getattr(s, name)) for s in structures), 0)}"
        empty = np.zeros((0, 3) if name == "xyz" else 0, dtype)
        parts = [np.asarray(getattr(s, name), dtype) for s in structures]
        arrays[name] = np.ascontiguousarray(np.concatenate([empty, *parts]))
    if not arrays["insertion"].any():  # few files have insertion codes
        del arrays["insertion"]
    places = arrays["offsets"].tolist()
    sums = [_checksum(arrays, a, b) for a, b in pairwise(places)]
    arrays[CHECKSUM] = np.array(sums, "<u4")
    header: dict[str, Any] = {"role": structures[0].role if structures else "ligand", "arrays": {}}
    offset = 0
    for name, array in arrays.items():
        header["arrays"][name] = {"dtype": array.dtype.str, "shape": list(array.shape), "offset": offset}
        offset += -(-array.nbytes // _ALIGN) * _ALIGN
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    start = -(-(len(MAGIC) + 8 + len(text)) // _ALIGN) * _ALIGN
    out = bytearray(start + offset)
    out[: len(MAGIC) + 8] = MAGIC + len(text).to_bytes(8, "little")
    out[len(MAGIC) + 8 : len(MAGIC) + 8 + len(text)] = text
    for name, array in arrays.items():
        at = start + header["arrays"][name]["offset"]
        out[at : at + array.nbytes] = array.tobytes()
    write_bytes(path, bytes(out))


def _width(names: NDArray[np.bytes_]) -> int:
    """Length of the longest name; text columns are no wider than they need."""
    return int(np.char.str_len(names).max()) if len(names) and names.dtype.itemsize > 4 else 0


def _checksum(arrays: Mapping[str, NDArray[Any]], a: int, b: int) -> int:
    """CRC-32 over one structure's part of every array, in the order of :data:`FIELDS`."""
    total = 0
    for name in FIELDS:
        if name in arrays:
            total = zlib.crc32(memoryview(arrays[name][a:b]).cast("B") if b > a else b"", total)
    return total


class Shard:
    """One shard file, mapped into memory. Each structure's checksum is verified when it is first read.

    Args:
        path: of the file.

    Raises:
        AffinityZooError: it is missing or damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            data = np.memmap(path, np.uint8, mode="r")
            if data[:8].tobytes() != MAGIC:
                raise ValueError("it does not start as a shard does")
            length = int.from_bytes(data[8:16].tobytes(), "little")
            header = json.loads(data[16 : 16 + length].tobytes())
            start = -(-(16 + length) // _ALIGN) * _ALIGN
            self.role: Role = header["role"]
            self.arrays = {name: _view(data, start, spec) for name, spec in header["arrays"].items()}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise AffinityZooError(
                f"the store file {path} is damaged or missing ({error}); index again"
            ) from error
        self.offsets = self.arrays["offsets"]
        if len(self.offsets) and not (np.diff(self.offsets) >= 0).all():
            raise AffinityZooError(
                f"the store file {path} is damaged (its offsets are not in order); index again"
            )
        sums = self.arrays.get(CHECKSUM)  # shards of version 0.1.0 have none
        self._sums = sums if sums is not None and len(sums) == len(self) else None
        self._seen = np.zeros(len(self), bool)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def atoms(self, i: int) -> Atoms:
        """Views of structure ``i`` of this shard.

        Args:
            i: Number of the structure.
        """
        a, b = self.offsets[i : i + 2].tolist()
        if not self._seen[i]:
            if self._sums is not None and _checksum(self.arrays, a, b) != int(self._sums[i]):
                raise AffinityZooError(
                    f"structure {i} of the store file {self.path} is damaged: its bytes differ from those that were "
                    "written; index again"
                )
            self._seen[i] = True
        return Atoms(
            role=self.role, **{name: self.arrays[name][a:b] for name in FIELDS if name in self.arrays}
        )


def _view(data: NDArray[np.uint8], start: int, spec: dict[str, Any]) -> NDArray[Any]:
    dtype = np.dtype(spec["dtype"])
    size = int(np.prod(spec["shape"])) * dtype.itemsize
    at = start + int(spec["offset"])
    if at + size > len(data):
        raise ValueError("it is cut short")
    # A plain ndarray over the map: slicing np.memmap itself costs microseconds each time.
    return np.asarray(data[at : at + size]).view(np.ndarray).view(dtype).reshape(spec["shape"])


_FILES: Final = 65536  #: files that a process may open: 134 million rows


@lru_cache(maxsize=1)
def shards_open_at_once() -> int:
    """Return how many shards may be mapped at a time. Each keeps a file open; the limit of the process is raised."""
    try:
        import resource
    except ImportError:  # Windows
        return 256
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < _FILES:
        wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
        except (ValueError, OSError):
            pass
    return _FILES // 2 if soft == resource.RLIM_INFINITY else max(16, min(soft, _FILES) // 2)


class Store:
    """All structures of an index: receptors first, then the ligand of each row.

    Args:
        folder: holds the shards that ``manifest`` names.
        manifest: lists of ``{"file", "structures", "sha256"}`` under ``receptors`` and ``ligands``.
    """

    def __init__(self, folder: Path, manifest: dict[str, list[dict[str, Any]]]) -> None:
        self._files = [folder / part["file"] for kind in ("receptors", "ligands") for part in manifest[kind]]
        counts = [part["structures"] for kind in ("receptors", "ligands") for part in manifest[kind]]
        self._starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self.receptors = sum(part["structures"] for part in manifest["receptors"])  #: how many receptors
        self._open: OrderedDict[int, Shard] = OrderedDict()
        self._lock = threading.Lock()
        self._most = shards_open_at_once()

    def __len__(self) -> int:
        return int(self._starts[-1])

    def atoms(self, i: int) -> Atoms:
        """The atoms of structure ``i``: read-only views into the file. Thread-safe.

        Args:
            i: Number of the structure.

        Raises:
            IndexError: there is no such structure.
            AffinityZooError: the file is damaged.
        """
        if not 0 <= i < len(self):
            raise IndexError(f"structure {i} of {len(self)}")
        number = int(np.searchsorted(self._starts, i, side="right")) - 1
        return self._shard(number).atoms(i - int(self._starts[number]))

    def sizes(self) -> NDArray[np.int64]:
        """(structures,) number of atoms of each; reads the offsets of every shard."""
        parts = [np.diff(self._shard(number).arrays["offsets"]) for number in range(len(self._files))]
        return np.concatenate([np.zeros(0, np.int64), *parts])

    def _shard(self, number: int) -> Shard:
        shard = self._open.get(number)
        if shard is None:
            with self._lock:
                shard = self._open.get(number)
                if shard is None:
                    shard = self._open[number] = Shard(self._files[number])
                    if len(self._open) > self._most:
                        self._open.popitem(last=False)
        return shard
