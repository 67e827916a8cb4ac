"""Division of the work into chunks: small descriptions of records to score.

A chunk's result depends on nothing but its description and the files it names, so a chunk may be scored
here, by another process or on another machine, now or after a restart, with the same result.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.data.readers.formats import FORMATS, UTF16, count_records, suffix_of
from affinity_zoo.zoo.data.readers.sdf_records import record_offsets
from affinity_zoo.zoo.inference.choices import ScoringChoices
from affinity_zoo.zoo.prediction.inputs import PoseSource, blocks, spooled, stamp

CHUNK: Final = 256  #: poses of a chunk
Wanted = tuple[int, str, str, float]  #: record, id, molecule and docking score of a row
_MOST_BYTES: Final = 4 << 20  #: of a chunk, where the number of poses is not known before reading


@dataclass(frozen=True)
class RecordRange:
    """Records of one pose file in one receptor."""

    receptor: str
    ligand: str  #: the file to read
    shown: str  #: the file as the user named it
    target: str
    first: int = 0
    last: int | None = None  #: the records ``first <= record < last``; None: to the end
    start: int = -1  #: bytes ``start`` to ``stop`` of the file hold them (plain SDF); -1: read the file
    stop: int = -1
    wanted: tuple[Wanted, ...] = ()  #: the rows; empty: all records
    id: str = ""
    molecule: str = ""
    docking_score: float = math.nan
    alone: bool = False  #: the file holds this one record: the row's id needs no number
    base: str = ""  #: what the ids of its records begin with
    drop_bound: bool = False  #: leave residues of the receptor out that lie where a pose lies


@dataclass(frozen=True)
class Chunk:
    """One chunk and its scoring options."""

    number: int
    pieces: tuple[RecordRange, ...]
    models: tuple[str, ...]  #: model directories
    scoring: ScoringChoices  #: with a number of views
    structures: bool = False  #: give the poses too, as SDF
    read: Mapping[str, Any] = field(default_factory=dict)  #: read options that override the models' own
    validity: str = ""  #: method of checking the poses; empty: they are not checked
    similarity: bool = False  #: give the similarity to the training data


@dataclass(frozen=True)
class _File:
    """A pose file, and where its records begin if it can be read in pieces."""

    path: str
    offsets: Sequence[int]

    def piece(
        self,
        entry: PoseSource,
        first: int,
        last: int | None,
        wanted: tuple[Wanted, ...] = (),
        alone: bool = False,
    ) -> tuple[RecordRange, int, int]:
        """A piece, its number of poses (1 where that is not known) and its bytes (0 where the poses are counted)."""
        n = len(wanted) or (last - first if last is not None else 1)
        start = stop = -1
        size = 0
        if last is not None and last < len(self.offsets):
            start, stop = self.offsets[first], self.offsets[last]
        else:
            size = _size(self.path)
        made = RecordRange(
            entry.receptor, self.path, entry.shown, entry.target, first, last, start, stop, wanted, entry.id,
            entry.molecule, entry.docking_score, alone, entry.base, entry.drop_bound,
        )  # fmt: skip
        return made, n, size


class Cutter:
    """Divides entries into ranges of records and these into chunks, one file after the other.

    Args:
        spool: where packed SDF files are unpacked to; None: they are read whole for each piece.
        size: poses of a chunk.
    """

    def __init__(self, spool: Path | None, size: int = CHUNK) -> None:
        self.spool, self.size = spool, size

    def chunks(self, entries: Sequence[PoseSource]) -> Iterator[tuple[RecordRange, ...]]:
        """Yield the pieces of each chunk, in the order of the entries.

        Args:
            entries: Pose files with their receptors.
        """
        gathered: list[RecordRange] = []
        poses = size = 0
        for piece, n, n_bytes in self.pieces(entries):
            if gathered and (poses + n > self.size or size + n_bytes > _MOST_BYTES):
                yield tuple(gathered)
                gathered, poses, size = [], 0, 0
            gathered.append(piece)
            poses, size = poses + n, size + n_bytes
        if gathered:
            yield tuple(gathered)

    def pieces(self, entries: Sequence[PoseSource]) -> Iterator[tuple[RecordRange, int, int]]:
        """Yield pieces, with the number of poses (1 where it is not known) and of bytes of each.

        Args:
            entries: Pose files with their receptors.
        """
        for (ligand, _, _), group in groupby(entries, key=lambda e: (e.ligand, e.receptor, e.target)):
            file = _File(*self._file(ligand))
            for whole, some in groupby(group, key=lambda e: e.record < 0):
                if whole:
                    for entry in some:
                        yield from self._ranges(file, entry)
                else:
                    yield from self._named(file, list(some))

    def _ranges(self, file: _File, entry: PoseSource) -> Iterator[tuple[RecordRange, int, int]]:
        """All records of a file."""
        total = len(file.offsets) - 1 if len(file.offsets) > 1 else count_records(Path(file.path))
        if not total:
            yield file.piece(entry, 0, None)
        for first in range(0, total, self.size):
            yield file.piece(entry, first, min(first + self.size, total), alone=total == 1)

    def _named(self, file: _File, entries: list[PoseSource]) -> Iterator[tuple[RecordRange, int, int]]:
        """Records that the entries name."""
        for i in range(0, len(entries), self.size):
            part = entries[i : i + self.size]
            records = [entry.record for entry in part]
            wanted = tuple((e.record, e.id, e.molecule, e.docking_score) for e in part)
            yield file.piece(part[0], min(records), max(records) + 1, wanted)

    def _file(self, ligand: str) -> tuple[str, Sequence[int]]:
        """The file to read, and the offsets of its records where it can be read in pieces."""
        path = Path(ligand)
        found = FORMATS.get(suffix_of(path))
        if found is None or found.name != "SDF":
            return ligand, ()
        if path.name.lower().endswith(".gz"):
            unpacked = self._unpacked(path)
            if unpacked is None:
                return ligand, ()
            path = unpacked
        try:
            with path.open("rb") as handle:
                if handle.read(2) in UTF16:
                    return ligand, ()
            return str(path), _offsets(str(path), stamp(str(path)))
        except OSError:
            return ligand, ()

    def _unpacked(self, path: Path) -> Path | None:
        if self.spool is None:
            return None
        key = hashlib.sha256(str(path).encode()).hexdigest()[:12]
        target = self.spool / f"{key}-{path.name[:-3]}"
        if target.is_file():
            return target
        try:
            with gzip.open(path) as file:
                return spooled(blocks(file), target)
        except (OSError, EOFError, zlib.error, AffinityZooError):
            return None  # the reader reports what is wrong with it


@lru_cache(maxsize=4)
def _offsets(path: str, stamp: bytes) -> Sequence[int]:
    return record_offsets(Path(path))


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0
