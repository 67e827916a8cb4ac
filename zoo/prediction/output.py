"""Writing a prediction: rows as CSV, the ranked poses as SDF."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from affinity_zoo.zoo.prediction.rows import FIELDS, PosePrediction
from affinity_zoo.zoo.prediction.structures import with_properties
from affinity_zoo.zoo.runtime.files import whole

#: what an SDF record does not repeat: it is that pose
_NOT_IN_SDF = frozenset(("status", "reason", "name"))


def write_predictions_csv(
    path: Path, rows: Iterable[PosePrediction], columns: Sequence[str] = FIELDS
) -> None:
    """Write rows as CSV.

    Args:
        path: the file.
        rows: in order.
        columns: names of the columns, see :mod:`affinity_zoo.zoo.prediction.columns`.
    """
    with whole(path) as file:
        write_csv(file, rows, columns)


def write_csv(file: IO[str], rows: Iterable[PosePrediction], columns: Sequence[str] = FIELDS) -> None:
    """Write rows as CSV to an open text file.

    Args:
        file: open for writing.
        rows: in order.
        columns: names of the columns.
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(getattr(row, name)) for name in columns])


def write_sdf(
    path: Path, poses: Iterator[tuple[PosePrediction, bytes]], columns: Sequence[str] = FIELDS
) -> int:
    """Write poses in the order given, with their scores as properties; returns how many.

    Args:
        path: the file.
        poses: rows and their SDF text; those without a text are left out.
        columns: names of the columns; those that only repeat the record are left out.
    """
    written = 0
    with whole(path, "wb") as file:
        for row, text in poses:
            if text:
                values = {k: getattr(row, k) for k in columns if k not in _NOT_IN_SDF}
                file.write(with_properties(text, values))
                written += 1
    return written


def as_dicts(rows: Sequence[PosePrediction], columns: Sequence[str] = FIELDS) -> list[dict[str, object]]:
    """The rows for JSON.

    Args:
        rows: in order.
        columns: names of the columns.
    """
    return [{name: found[name] for name in columns} for found in (row.as_dict() for row in rows)]


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.7g}"
    return str(value)
