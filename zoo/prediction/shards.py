"""Shards of a prediction: the chunks of each, and the file beside a part's output that a merge reads.

A part is an ordinary output. The file beside it (``ranked.csv.shard``) holds the part's rows in their order, unrounded,
with the place of each in the input, so that parts are merged into the bytes of an undivided prediction.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.prediction.ranking import Molecule, molecule, ranked
from affinity_zoo.zoo.prediction.rows import FIELDS, RANKINGS, PosePrediction
from affinity_zoo.zoo.runtime.files import whole

FORMAT: Final = 3
Place = tuple[int, int]  #: chunk, and row in it
Span = tuple[int, int]  #: first byte, and number of bytes; none where there is no text
_SHARD: Final = re.compile(r"(\d+)/(\d+)")


@dataclass(frozen=True)
class InputShard:
    """One of the parts that a prediction is divided into.

    Args:
        number: from 1.
        count: of parts.

    Raises:
        UsageError: the number is not one of 1 to count.
    """

    number: int = 1
    count: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.count:
            raise UsageError(f"`shard` is K/N with K from 1 to N, such as 3/64, not {self}")

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    @classmethod
    def parse(cls, text: str) -> InputShard:
        """Read ``3/64``.

        Args:
            text: what a user gave.

        Raises:
            UsageError: it is not of this form.
        """
        found = _SHARD.fullmatch(text.strip())
        if found is None:
            raise UsageError(f"`shard` is K/N with K from 1 to N, such as 3/64, not {text!r}")
        return cls(int(found[1]), int(found[2]))

    def holds(self, chunk: int) -> bool:
        """Whether a chunk is this part's; chunks are dealt out in turn.

        Args:
            chunk: its number.
        """
        return chunk % self.count == self.number - 1


@dataclass(frozen=True)
class Header:
    """Description of a part: parts of one prediction differ only in number, counts and SDF."""

    shard: InputShard
    models: str  #: hash of the models
    inputs: str  #: hash of the inputs
    options: str  #: hash of what else decides scores and order
    ranked_by: str
    best_per: str
    abstain: float | None
    columns: tuple[str, ...]
    rows: int  #: in this file; with `best_per` those of records without atoms stand apart
    poses: int  #: that the part was given
    failed: int  #: of them without a score
    sdf: str = ""  #: the part's SDF file as an absolute path; empty: none was written
    sdf_bytes: int = 0  #: its size


@dataclass(frozen=True, eq=False)
class PlacedRow:
    """A row of a part."""

    row: PosePrediction
    value: float  #: what the row is ranked by, higher is better; NaN without a score
    place: Place
    span: Span  #: where the part's SDF file has the pose's own text
    first: Place  #: of the first row of this molecule in the part

    @property
    def key(self) -> tuple[bool, float, Place]:
        """Rows of all parts in ascending order of their keys are in the order of the undivided prediction."""
        missing = math.isnan(self.value)
        return missing, 0.0 if missing else -self.value, self.place


def placed_rows(
    rows: Sequence[PosePrediction],
    places: Sequence[Place],
    order: Sequence[tuple[int, PosePrediction]],
    spans: Mapping[int, Span],
    by: str,
) -> list[PlacedRow]:
    """Return the rows that a merge needs, in their order.

    Args:
        rows: All rows of the part.
        places: Of these rows.
        order: Number of a row in ``rows``, and the ranked row, from :func:`ranked` with ``part``.
        spans: Of the rows whose pose is in the part's SDF file.
        by: What the rows are ranked by.
    """
    column, sign = RANKINGS[by]
    first: dict[Molecule, Place] = {}
    for row, place in zip(rows, places, strict=True):
        first.setdefault(molecule(row), place)
    return [
        PlacedRow(
            row,
            sign * float(row.value(column)) if row.rank else math.nan,
            places[i],
            spans.get(i, (0, 0)),  # a record without atoms has no text
            first[molecule(row)],
        )
        for i, row in order
    ]


def shard_file(output: Path) -> Path:
    """The file beside a part's output.

    Args:
        output: of the part.
    """
    return output.with_name(f"{output.name}.shard")


def write_shard(path: Path, header: Header, rows: Iterable[PlacedRow]) -> None:
    """Write what a merge needs.

    Args:
        path: from :func:`shard_file`.
        header: of the part.
        rows: in the order of the part's output.
    """
    with whole(path) as file:
        values = {**asdict(header), "shard": str(header.shard), "format": FORMAT}
        file.write(json.dumps(values) + "\n")
        for one in rows:
            value = None if math.isnan(one.value) else one.value
            line = [
                value,
                one.place,
                one.span,
                one.first,
                list(one.row.as_dict().values()),
                list(one.row.extras),
            ]
            file.write(json.dumps(line) + "\n")


def write_part(
    path: Path,
    header: Header,
    rows: Sequence[PosePrediction],
    places: Sequence[Place],
    spans: Mapping[int, Span],
) -> None:
    """Write what a merge needs of a part of a divided prediction.

    Args:
        path: from :func:`shard_file`.
        header: of the part, without its number of rows.
        rows: all rows of the part.
        places: of these rows.
        spans: of the rows whose pose is in the part's SDF file.
    """
    part = ranked(rows, header.ranked_by, header.best_per or None, part=True)
    placed = placed_rows(rows, places, part, spans, header.ranked_by)
    write_shard(path, replace(header, rows=len(placed)), placed)


def read_header(path: Path) -> Header:
    """Read the description of a part.

    Args:
        path: from :func:`shard_file`.

    Raises:
        AffinityZooError: it is missing or damaged.
    """
    output = path.name.removesuffix(".shard")
    if not path.is_file():
        raise AffinityZooError(
            f"{path.with_name(output)} is not a part of a divided prediction, because {path.name} is not "
            "beside it; give the "
            "outputs of `affinity-zoo predict` with a shard"
        )
    try:
        with path.open(encoding="utf-8") as file:
            values: dict[str, Any] = json.loads(file.readline())
        if values.pop("format") != FORMAT:
            raise ValueError("another format")
        values |= {"shard": InputShard.parse(values["shard"]), "columns": tuple(values["columns"])}
        return Header(**values)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, UsageError) as error:
        raise AffinityZooError(f"{path} cannot be read ({error}): predict this part again") from error


def read_rows(path: Path) -> Iterator[PlacedRow]:
    """Read the rows of a part, one after the other.

    Args:
        path: from :func:`shard_file`.

    Raises:
        AffinityZooError: the file is damaged.
    """
    expected, read = read_header(path).rows, 0
    try:
        with path.open(encoding="utf-8") as file:
            file.readline()
            for line in file:
                value, place, span, first, values, extras = json.loads(line)
                row = PosePrediction.from_dict(dict(zip([*FIELDS, *extras], values, strict=True)))
                known = math.nan if value is None else float(value)
                read += 1
                yield PlacedRow(row, known, (place[0], place[1]), (span[0], span[1]), (first[0], first[1]))
    except (OSError, ValueError, TypeError, IndexError) as error:
        raise AffinityZooError(
            f"{path}, line {read + 2}: cannot be read ({error}): predict this part again"
        ) from error
    if read != expected:
        raise AffinityZooError(f"{path} has {read} rows, not {expected}: predict this part again")
