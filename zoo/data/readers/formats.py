"""Choice of the reader of a file by its name, and decompression."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final, cast

from affinity_zoo.zoo.data.readers.base import PoseRecord, RawAtoms, ReadError, ReadOptions, Receptor

PoseReader = Callable[[bytes, str, ReadOptions, int, float], Iterator[PoseRecord]]
ReceptorReader = Callable[[bytes, ReadOptions], Receptor]
ModelReader = Callable[[bytes], list[RawAtoms]]
LARGE: Final = 4 << 20  #: size in bytes above which a file of many records is read in ranges
MAX_BYTES: Final = 2 << 30  #: largest unpacked size of a single structure file


@dataclass(frozen=True)
class Format:
    """A file format, the endings of its files and the module that reads it.

    The functions of the module define what the format may hold: ``read_receptor``, ``read_poses``, ``read_models`` (all
    atoms of each model, for files of whole complexes), ``count`` (of the records of a file).
    """

    name: str
    endings: tuple[str, ...]  #: lower-case; files may have them in any case, with ``.gz`` behind
    module: str
    many: bool = False  #: a file often holds several records
    binary: bool = False

    def _function(self, name: str) -> Any:
        return getattr(import_module(f"affinity_zoo.zoo.data.readers.{self.module}"), name, None)

    @property
    def receptor(self) -> ReceptorReader | None:
        """The reader of receptors; None: the format holds none."""
        return cast("ReceptorReader | None", self._function("read_receptor"))

    @property
    def poses(self) -> PoseReader | None:
        """The reader of ligand poses; None: the format holds none."""
        return cast("PoseReader | None", self._function("read_poses"))

    @property
    def models(self) -> ModelReader | None:
        """The reader of whole complexes; None: the format holds none."""
        return cast("ModelReader | None", self._function("read_models"))

    @property
    def count(self) -> Callable[[bytes], int] | None:
        """The counter of a file's records; None: the format holds one."""
        return cast("Callable[[bytes], int] | None", self._function("count"))


#: all formats; a new format is one module and one line here
TABLE: Final = (
    Format("PDB", (".pdb", ".ent"), "pdb_file", many=True),
    Format("PDBQT", (".pdbqt",), "pdbqt", many=True),
    Format("mmCIF", (".cif", ".mmcif"), "mmcif", many=True),
    Format("MOL2", (".mol2",), "mol2", many=True),
    Format("SDF", (".sdf", ".sd", ".mol"), "sdf", many=True),
    Format("gninatypes", (".gninatypes",), "gninatypes", binary=True),
    Format("npy", (".npy",), "npy_arrays", binary=True),
)
FORMATS: Final[dict[str, Format]] = {ending: entry for entry in TABLE for ending in entry.endings}


def suffix_of(path: Path) -> str:
    """The suffix that names the format, lower-case, without ``.gz``.

    Args:
        path: The file.
    """
    name = path.name.lower().removesuffix(".gz")
    return Path(name).suffix


def stem(path: Path) -> str:
    """The file's name without ending and ``.gz``.

    Args:
        path: The file.
    """
    return without_ending(path.name)


def without_ending(name: str) -> str:
    """Return a file name or path without ending and ``.gz``, in any case.

    Args:
        name: of a file.
    """
    plain = name[:-3] if name.lower().endswith(".gz") else name
    return plain[: len(plain) - len(Path(plain).suffix)]


def is_structure(path: Path) -> bool:
    """Return whether a file name has a known format.

    Args:
        path: The file.
    """
    return suffix_of(path) in FORMATS


def holds_many(path: Path) -> bool:
    """Whether files of this format may hold several ligands.

    Args:
        path: The file.
    """
    found = FORMATS.get(suffix_of(path))
    return found is not None and found.many


def count_records(path: Path, large: int | None = None) -> int:
    """Return the number of records of a large file; 0 for small files, other formats and unreadable files.

    Args:
        path: The file.
        large: Smallest size of a large file, bytes; None: :data:`LARGE`.
    """
    try:
        size = path.stat().st_size * (5 if path.name.lower().endswith(".gz") else 1)
        count = format_of(path).count
        if size < (LARGE if large is None else large) or count is None:
            return 0
        return count(read_bytes(path))
    except (OSError, ReadError):
        return 0


def format_of(path: Path) -> Format:
    """The format of a file.

    Args:
        path: The file.

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

    Args:
        path: The file.

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
    found = FORMATS.get(suffix_of(path))
    return data if found is not None and found.binary else plain_text(data)


def plain_text(data: bytes) -> bytes:
    """Text in UTF-8 without a byte order mark: files of some programs on Windows are UTF-16.

    Args:
        data: of a text file.

    Raises:
        ReadError: it claims to be UTF-16 and is not.
    """
    if data.startswith(b"\xef\xbb\xbf"):
        return data[3:]
    if data.startswith(UTF16):
        try:
            return data.decode("utf-16").encode()
        except UnicodeDecodeError as error:
            raise ReadError(
                f"the file begins like UTF-16 but is not valid UTF-16 ({error})", "read"
            ) from error
    return data


UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
