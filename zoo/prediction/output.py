"""Writing a prediction: CSV with unit and direction in the header, and the ranked poses as SDF."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from affinity_zoo.zoo.prediction.rows import FIELDS, HEADER, PosePrediction
from affinity_zoo.zoo.prediction.structures import with_properties
from affinity_zoo.zoo.runtime.files import whole

#: what an SDF record does not repeat: it is that pose
_NOT_IN_SDF = frozenset(("status", "reason", "name"))


def write_predictions_csv(path: Path, rows: Iterable[PosePrediction]) -> None:
    """Write the rows as CSV; the header says unit and direction."""
    with whole(path) as file:
        write_csv(file, rows)


def write_csv(file: IO[str], rows: Iterable[PosePrediction]) -> None:
    """Write the rows as CSV to an open text file."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([HEADER.get(name, name) for name in FIELDS])
    for row in rows:
        writer.writerow([_cell(getattr(row, name)) for name in FIELDS])


def write_sdf(path: Path, poses: Iterator[tuple[PosePrediction, bytes]]) -> int:
    """Write poses in the order given, with their scores as properties; returns how many.

    Args:
        poses: rows and their SDF text; those without a text are left out.
    """
    written = 0
    with whole(path, "wb") as file:
        for row, text in poses:
            if text:
                values = {k: v for k, v in row.as_dict().items() if k not in _NOT_IN_SDF and v != ""}
                file.write(with_properties(text, values))
                written += 1
    return written


def as_dicts(rows: Sequence[PosePrediction]) -> list[dict[str, object]]:
    """The rows for JSON."""
    return [row.as_dict() for row in rows]


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.7g}"
    return str(value)
