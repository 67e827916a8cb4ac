"""Which reader a file goes to, by its name; compressed files are unpacked on the way."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

from affinity_zoo.zoo.data.readers.base import PoseRecord, ReadError, ReadOptions, Receptor

PoseReader = Callable[[bytes, str, ReadOptions, int, float], Iterator[PoseRecord]]
ReceptorReader = Callable[[bytes, ReadOptions], Receptor]
LARGE: Final = 4 << 20  #: bytes from which on a file of many records is read in ranges
MAX_BYTES: Final = 2 << 30  #: a single structure file beyond this, unpacked, is not read


@dataclass(frozen=True)
class Format:
    """A file format and its readers; None where it cannot hold that role."""

    name: str
    module: str
    many: bool = False  #: a file often holds several records

    @property
    def receptor(self) -> ReceptorReader | None:
        """The reader of receptors."""
        return getattr(import_module(self.module), "read_receptor", None)

    @property
    def poses(self) -> PoseReader | None:
        """The reader of ligand poses."""
        return getattr(import_module(self.module), "read_poses", None)


_HERE = "affinity_zoo.zoo.data.readers."
FORMATS: Final[dict[str, Format]] = {
    ".pdb": Format("PDB", _HERE + "pdb_file", many=True),
    ".ent": Format("PDB", _HERE + "pdb_file", many=True),
    ".pdbqt": Format("PDBQT", _HERE + "pdbqt", many=True),
    ".cif": Format("mmCIF", _HERE + "mmcif"),
    ".mmcif": Format("mmCIF", _HERE + "mmcif"),
    ".mol2": Format("MOL2", _HERE + "mol2", many=True),
    ".sdf": Format("SDF", _HERE + "sdf", many=True),
    ".sd": Format("SDF", _HERE + "sdf", many=True),
    ".mol": Format("SDF", _HERE + "sdf"),
    ".gninatypes": Format("gninatypes", _HERE + "gninatypes"),
    ".npy": Format("npy", _HERE + "npy_arrays"),
}


def suffix_of(path: Path) -> str:
    """The suffix that names the format, lower-case, without ``.gz``."""
    name = path.name.lower().removesuffix(".gz")
    return Path(name).suffix


def stem(path: Path) -> str:
    """The file's name without suffix and ``.gz``."""
    name = path.name
    return Path(name[:-3] if name.lower().endswith(".gz") else name).stem


def is_structure(path: Path) -> bool:
    """Whether the name is one of a format that can be read."""
    return suffix_of(path) in FORMATS


def holds_many(path: Path) -> bool:
    """Whether files of this format may hold several ligands."""
    found = FORMATS.get(suffix_of(path))
    return found is not None and found.many


def count_records(path: Path) -> int:
    """How many records a large file holds; 0 for small files, other formats, and what cannot be read."""
    try:
        size = path.stat().st_size * (5 if path.name.lower().endswith(".gz") else 1)
        splitter = getattr(import_module(format_of(path).module), "split_records", None)
        if size < LARGE or splitter is None:
            return 0
        return sum(1 for _ in splitter(read_bytes(path)))
    except (OSError, ReadError):
        return 0


def format_of(path: Path) -> Format:
    """The format of a file.

    Raises:
        ReadError: unknown.
    """
    try:
        return FORMATS[suffix_of(path)]
    except KeyError:
        known = ", ".join(sorted(FORMATS))
        raise ReadError(
            f"unknown format {suffix_of(path) or path.name!r}: {known} are read", "read"
        ) from None


def read_bytes(path: Path) -> bytes:
    """The content of a file, unpacked where its name ends in .gz.

    Raises:
        ReadError: missing, unreadable, damaged or empty.
    """
    try:
        if path.name.lower().endswith(".gz"):
            with gzip.open(path) as handle:
                data = handle.read(MAX_BYTES + 1)
        else:
            if path.stat().st_size > MAX_BYTES:
                raise ReadError(f"the file is larger than {MAX_BYTES >> 30} GiB", "read")
            data = path.read_bytes()
    except FileNotFoundError:
        raise ReadError("the file does not exist", "find") from None
    except (OSError, EOFError, zlib.error) as error:
        raise ReadError(f"the file cannot be read ({error})", "read") from error
    if len(data) > MAX_BYTES:
        raise ReadError(f"the file is larger than {MAX_BYTES >> 30} GiB when unpacked", "read")
    if not data.strip():
        raise ReadError("the file is empty", "read")
    return data
