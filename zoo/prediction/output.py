"""Output of a prediction: rows as CSV, Parquet or Arrow, ranked poses as SDF."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import fields
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.prediction.columns import COLUMNS
from affinity_zoo.zoo.prediction.rows import FIELDS, PosePrediction
from affinity_zoo.zoo.prediction.structures import with_properties
from affinity_zoo.zoo.runtime.files import whole

#: what an SDF record does not repeat: it is that pose
_NOT_IN_SDF = frozenset(("status", "reason", "name"))


_ROWS_AT_ONCE: Final = 65_536  #: rows of a group in Parquet and Arrow
#: ending -> format of the rows; any other ending is CSV
FORMATS: Final = {".parquet": "parquet", ".arrow": "arrow", ".feather": "arrow"}


def check_format(path: Path) -> None:
    """Refuse a format whose library is not installed.

    Args:
        path: the file to write.

    Raises:
        AffinityZooError: pyarrow is needed and missing.
    """
    if path.suffix.lower() in FORMATS and find_spec("pyarrow") is None:
        raise AffinityZooError(
            f"{path}: pyarrow is needed to write {path.suffix} and is not installed: pip install "
            "'affinity-zoo[tables]', or give a name that ends in .csv"
        )


def write_predictions(path: Path, rows: Iterable[PosePrediction], columns: Sequence[str] = FIELDS) -> None:
    """Write rows in the format of the file's ending: ``.parquet``, ``.arrow``, else CSV.

    Args:
        path: the file.
        rows: in order; they need not all be in memory.
        columns: Names of columns, in the order of the output.

    Raises:
        AffinityZooError: pyarrow is needed and missing.
    """
    check_format(path)
    wanted = FORMATS.get(path.suffix.lower())
    if wanted is None:
        write_predictions_csv(path, rows, columns)
        return
    import pyarrow
    from pyarrow import parquet

    schema, given = arrow_table([], columns).schema, iter(rows)
    with whole(path, "wb") as file:
        opened = (
            parquet.ParquetWriter(file, schema)
            if wanted == "parquet"
            else pyarrow.ipc.new_file(file, schema, options=pyarrow.ipc.IpcWriteOptions(compression="lz4"))
        )
        with opened as writer:
            while part := list(islice(given, _ROWS_AT_ONCE)):
                writer.write_table(arrow_table(part, columns))


def arrow_table(rows: Sequence[PosePrediction], columns: Sequence[str] = FIELDS) -> Any:
    """Rows as a table of pyarrow; numbers that are not there are null.

    Args:
        rows: in order.
        columns: Names of columns, in the order of the output.

    Returns:
        A ``pyarrow.Table``: int64, float64 and string columns.
    """
    import pyarrow

    kinds = {"int": pyarrow.int64(), "float": pyarrow.float64(), "str": pyarrow.string()}
    types = {field.name: kinds.get(str(field.type)) for field in fields(PosePrediction)}
    types |= {column.name: kinds[column.kind] for column in COLUMNS if column.kind}
    arrays = [
        pyarrow.array([row.value(name) for row in rows], types.get(name, kinds["float"]), from_pandas=True)
        for name in columns
    ]
    return pyarrow.Table.from_arrays(arrays, names=list(columns))


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
        columns: Names of columns, in the order of the output.
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.value(name)) for name in columns])


def write_sdf(
    path: Path, poses: Iterable[tuple[PosePrediction, bytes]], columns: Sequence[str] = FIELDS
) -> list[tuple[int, int]]:
    """Write poses in the order given, with their scores as properties.

    Args:
        path: the file.
        poses: rows and their SDF text; those without a text are left out.
        columns: names of the columns; those that only repeat the record are left out.

    Returns:
        Of each row the first byte and the number of bytes of its own text in the file; zeros where it has none.
    """
    spans: list[tuple[int, int]] = []
    place = 0
    with whole(path, "wb") as file:
        for row, text in poses:
            spans.append((place, len(text)) if text else (0, 0))
            if text:
                values = {k: row.value(k) for k in columns if k not in _NOT_IN_SDF}
                place += file.write(with_properties(text, values))
    return spans


def as_dicts(rows: Sequence[PosePrediction], columns: Sequence[str] = FIELDS) -> list[dict[str, object]]:
    """The rows for JSON.

    Args:
        rows: in order.
        columns: Names of columns, in the order of the output.
    """
    return [{name: found.get(name) for name in columns} for found in (row.as_dict() for row in rows)]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.7g}"
    return str(value)
