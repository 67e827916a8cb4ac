"""Merging the parts of a divided prediction: a stream, with the bytes of the undivided prediction."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.prediction import output
from affinity_zoo.zoo.prediction.ranking import Molecule, first_skeletons, molecule, resolved
from affinity_zoo.zoo.prediction.rows import PosePrediction
from affinity_zoo.zoo.prediction.shards import (
    Header,
    Place,
    PlacedRow,
    Span,
    read_header,
    read_rows,
    shard_file,
)

#: a row, the part that it is from, and where the part's SDF file has its pose
Merged = tuple[PosePrediction, "Part", Span]


@dataclass(frozen=True)
class Part:
    """One part: its output and its description."""

    output: Path
    header: Header

    @property
    def name(self) -> str:
        """Which part it is, and its file."""
        return f"part {self.header.shard} ({self.output})"


@dataclass(frozen=True)
class Summary:
    """What was merged."""

    parts: int
    rows: int
    poses: int  #: that were given to the parts
    failed: int  #: of them without a score
    structures: int  #: poses written as SDF


def merge(parts: Sequence[Path], out: Path, sdf: Path | None = None) -> Summary:
    """Merge the outputs of all parts of a prediction.

    Args:
        parts: the outputs, in any order.
        out: table to write, as the parts' are.
        sdf: SDF file to write; None: none.

    Returns:
        What was merged.

    Raises:
        AffinityZooError: a part is missing, given twice, damaged, or of another prediction; it is named.
    """
    found = checked([Part(path, read_header(shard_file(path))) for path in parts])
    first = found[0].header
    if sdf is not None and (without := [part.name for part in found if not part.header.sdf]):
        raise UsageError(f"{without[0]} was predicted without an SDF file: predict it again with `sdf`")
    if sdf is not None:  # errors are reported before anything is written
        for part in found:
            _opened(part).close()
    rows = 0

    def counted() -> Iterator[PosePrediction]:
        nonlocal rows
        for row, _, _ in _stream(found):
            rows += 1
            yield row

    output.write_predictions(out, counted(), first.columns)
    spans = [] if sdf is None else output.write_sdf(sdf, _with_texts(found), first.columns)
    headers = [part.header for part in found]
    return Summary(
        parts=len(found),
        rows=rows,
        poses=sum(header.poses for header in headers),
        failed=sum(header.failed for header in headers),
        structures=sum(length > 0 for _, length in spans),
    )


def checked(parts: Sequence[Part]) -> list[Part]:
    """The parts in their order, if they are all parts of one prediction.

    Args:
        parts: at least one, in any order.

    Raises:
        UsageError: none is given.
        AffinityZooError: one is missing, given twice, or of another prediction.
    """
    if not parts:
        raise UsageError("`parts` is empty: give the outputs of all parts")
    first = parts[0]
    for part in parts[1:]:
        for what in ("models", "inputs", "options", "ranked_by", "best_per", "abstain", "columns"):
            if getattr(part.header, what) != getattr(first.header, what):
                word = "options" if what in ("ranked_by", "best_per", "abstain", "columns") else what
                raise AffinityZooError(
                    f"{part.name} was predicted with other {word} than {first.name}: they are parts of two predictions"
                )
        if part.header.shard.count != first.header.shard.count:
            raise AffinityZooError(
                f"{part.name} and {first.name} belong to predictions that were divided differently"
            )
    by_number: dict[int, Part] = {}
    for part in parts:
        other = by_number.setdefault(part.header.shard.number, part)
        if other is not part:
            raise AffinityZooError(f"{part.name} is given twice: {other.output} is the same part")
    count = first.header.shard.count
    if missing := [number for number in range(1, count + 1) if number not in by_number]:
        named = ", ".join(f"{number}/{count}" for number in missing[:10])
        more = f" and {len(missing) - 10} more" if len(missing) > 10 else ""
        raise AffinityZooError(
            f"these of the {count} parts are missing: {named}{more}; predict them, or give them too"
        )
    return [by_number[number] for number in range(1, count + 1)]


def _stream(parts: Sequence[Part]) -> Iterator[Merged]:
    """The rows in the order of the undivided prediction, with the ranks and numbers of poses of the whole."""
    best_per = bool(parts[0].header.best_per)
    molecules = _Molecules.of(parts) if best_per else None
    taken: set[Molecule] = set()
    rank = 0
    for part, one in _placed(parts):
        row = one.row
        if molecules is not None:
            of = resolved(molecule(row), molecules.first)
            if of in taken:
                continue
            taken.add(of)
            row = replace(row, poses=molecules.poses[of])
        rank += 1
        yield replace(row, rank=rank if row.rank else 0), part, one.span


def _placed(parts: Sequence[Part]) -> Iterator[tuple[Part, PlacedRow]]:
    """The rows of all parts by their keys; one row of each part is in memory."""

    def rows_of(part: Part) -> Iterator[tuple[Part, PlacedRow]]:
        return ((part, one) for one in read_rows(shard_file(part.output)))

    return heapq.merge(*(rows_of(part) for part in parts), key=lambda pair: pair[1].key)


@dataclass(frozen=True)
class _Molecules:
    """Data of all parts that are needed to choose the best rows."""

    first: dict[tuple[str, str], str]  #: first skeleton of each target and name, in the order of the input
    #: how many the parts were given; records without atoms count with the first of their name
    poses: Counter[Molecule]

    @classmethod
    def of(cls, parts: Sequence[Part]) -> _Molecules:
        poses: Counter[Molecule] = Counter()
        seen: dict[Molecule, Place] = {}
        for part in parts:
            for one in read_rows(shard_file(part.output)):
                same = molecule(one.row)
                poses[same] += one.row.poses
                seen[same] = min(one.first, seen.get(same, one.first))
        first = first_skeletons(sorted(seen, key=seen.__getitem__))
        total: Counter[Molecule] = Counter()
        for same, count in poses.items():
            total[resolved(same, first)] += count
        return cls(first, total)


def _with_texts(parts: Sequence[Part]) -> Iterator[tuple[PosePrediction, bytes]]:
    """The rows with the SDF text of their poses as it was before any score was added."""
    with ExitStack() as stack:
        files = {part.header.shard.number: stack.enter_context(_opened(part)) for part in parts}
        for row, part, (first, length) in _stream(parts):
            file = files[part.header.shard.number]
            file.seek(first)
            yield row, file.read(length)


def _opened(part: Part) -> IO[bytes]:
    path = Path(part.header.sdf)
    try:
        if path.stat().st_size != part.header.sdf_bytes:
            raise AffinityZooError(
                f"{path} was changed after {part.name} was predicted: predict this part again"
            )
        return path.open("rb")
    except OSError as error:
        raise AffinityZooError(f"{path} of {part.name} cannot be read ({error}): predict it again") from error
