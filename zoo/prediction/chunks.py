"""The work cut into chunks: each a small description of which records of which files to score.

A chunk's result depends on nothing but its description and the files it names, so a chunk may be scored
here, by another process or on another machine, now or after a restart, with the same result.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Final

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.data.readers.formats import FORMATS, count_records, suffix_of
from affinity_zoo.zoo.prediction.inputs import Entry, blocks, spooled
from affinity_zoo.zoo.prediction.sdf_index import record_offsets

CHUNK: Final = 256  #: poses of a chunk
_MOST_BYTES: Final = 4 << 20  #: of a chunk, where the number of poses is not known before reading


@dataclass(frozen=True)
class Piece:
    """Records of one pose file in one receptor."""

    receptor: str
    ligand: str  #: the file to read
    shown: str  #: the file as the user named it
    target: str
    first: int = 0
    last: int | None = None  #: the records ``first <= record < last``; None: to the end
    start: int = -1  #: bytes ``start`` to ``stop`` of the file hold them (plain SDF); -1: read the file
    stop: int = -1
    wanted: tuple[tuple[int, str, str], ...] = ()  #: record, id and molecule of each row; empty: all records
    id: str = ""
    molecule: str = ""


@dataclass(frozen=True)
class Task:
    """One chunk, and how to score it."""

    number: int
    pieces: tuple[Piece, ...]
    models: tuple[str, ...]  #: model directories
    views: int
    seed: int
    batch_size: int
    voxelize: str
    threads: int
    structures: bool = False  #: give the poses too, as SDF


class Cutter:
    """Cuts entries into pieces and pieces into chunks; files are looked at one after the other.

    Args:
        spool: where packed SDF files are unpacked to; None: they are read whole for each piece.
        size: poses of a chunk.
    """

    def __init__(self, spool: Path | None, size: int = CHUNK) -> None:
        self.spool, self.size = spool, size

    def chunks(self, entries: Sequence[Entry]) -> Iterator[tuple[Piece, ...]]:
        """Yield the pieces of each chunk, in the order of the entries."""
        gathered: list[Piece] = []
        poses = size = 0
        for piece, n, n_bytes in self.pieces(entries):
            if gathered and (poses + n > self.size or size + n_bytes > _MOST_BYTES):
                yield tuple(gathered)
                gathered, poses, size = [], 0, 0
            gathered.append(piece)
            poses, size = poses + n, size + n_bytes
        if gathered:
            yield tuple(gathered)

    def pieces(self, entries: Sequence[Entry]) -> Iterator[tuple[Piece, int, int]]:
        """Yield pieces, with the number of poses (1 where it is not known) and of bytes of each."""
        for (ligand, receptor, target), group in groupby(
            entries, key=lambda e: (e.ligand, e.receptor, e.target)
        ):
            same = list(group)
            shown = same[0].shown
            path, offsets = self._file(ligand)

            def piece(
                first: int,
                last: int | None,
                wanted: tuple[tuple[int, str, str], ...] = (),
                entry: Entry = same[0],
                base: tuple[str, str, str, str] = (receptor, path, shown, target),
                offsets: Sequence[int] = offsets,
            ) -> tuple[Piece, int, int]:
                n = len(wanted) or (last - first if last is not None else 1)
                inside = last is not None and last < len(offsets)
                start, stop = (offsets[first], offsets[last]) if inside and last else (-1, -1)
                size = stop - start if inside else _size(base[1])
                return (
                    Piece(*base, first, last, start, stop, wanted, entry.id, entry.molecule),
                    n,
                    # of a file whose poses are counted the count decides
                    0 if inside else size,
                )

            for whole, some in groupby(same, key=lambda e: e.record < 0):
                if whole:
                    for entry in some:
                        yield from self._ranges(path, offsets, lambda a, b, e=entry: piece(a, b, entry=e))
                else:
                    yield from self._named(list(some), piece)

    def _ranges(
        self,
        path: str,
        offsets: Sequence[int],
        piece: Callable[[int, int | None], tuple[Piece, int, int]],
    ) -> Iterator[tuple[Piece, int, int]]:
        total = len(offsets) - 1 if len(offsets) > 1 else count_records(Path(path))
        if not total:
            yield piece(0, None)
        for first in range(0, total, self.size):
            yield piece(first, min(first + self.size, total))

    def _named(
        self, entries: list[Entry], piece: Callable[..., tuple[Piece, int, int]]
    ) -> Iterator[tuple[Piece, int, int]]:
        for i in range(0, len(entries), self.size):
            part = entries[i : i + self.size]
            records = [entry.record for entry in part]
            wanted = tuple((e.record, e.id, e.molecule) for e in part)
            yield piece(min(records), max(records) + 1, wanted)

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
            return str(path), _offsets(str(path), _size(str(path)))
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
            return None  # the reader says what is wrong with it


@lru_cache(maxsize=4)
def _offsets(path: str, size: int) -> Sequence[int]:
    return record_offsets(Path(path))


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0
