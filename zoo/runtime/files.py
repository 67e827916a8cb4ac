"""Atomically written files, CSV tables and hashes."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from affinity_zoo.plugins.errors import UsageError


@contextmanager
def whole(path: Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Write a file atomically: open a temporary file that replaces ``path`` if the block succeeds.

    Args:
        path: The file.
        mode: Mode of :func:`open`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.tmp-{os.getpid()}")
    text = "b" not in mode
    try:
        with open(
            temporary, mode, encoding="utf-8" if text else None, newline="" if text else None
        ) as handle:
            yield handle
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Write a folder atomically: yield a temporary folder that replaces ``folder`` if the block succeeds.

    Args:
        folder: Path that holds the finished folder.
    """
    temporary = folder.with_name(f"{folder.name}.tmp-{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_output(path: Path) -> Path:
    """Check the path of an output file before the work begins.

    Args:
        path: The file.

    Raises:
        UsageError: the path is a folder, or its parent is a file.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder: give the name of a file to write")
    if path.parent.exists() and not path.parent.is_dir():
        raise UsageError(f"{path.parent} is a file, so {path.name} cannot be written in it")
    return path


def check_folder(path: Path) -> Path:
    """Check the path of an output folder before the work begins.

    Args:
        path: The file.

    Raises:
        UsageError: a file has that name.
    """
    if path.exists() and not path.is_dir():
        raise UsageError(f"{path} is a file: give the name of a folder")
    return path


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file atomically.

    Args:
        path: The file.
        data: Content of the file.
    """
    with whole(path, "wb") as handle:
        handle.write(data)


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically, with sorted keys.

    Args:
        path: The file.
        value: JSON-ready value.
    """
    with whole(path) as handle:
        handle.write(json.dumps(value, indent=1, sort_keys=True) + "\n")


def csv_lines(columns: Sequence[str], rows: Iterable[Mapping[str, Any]], header: bool = True) -> str:
    """Format rows as CSV; floats in the shortest form that reads back equal, NaN and None as empty cells.

    Args:
        columns: Names of the columns, in order.
        rows: Values by column name.
        header: Write the column names first.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if header:
        writer.writerow(columns)
    for row in rows:
        writer.writerow([cell(row.get(c)) for c in columns])
    return out.getvalue()


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a CSV table atomically.

    Args:
        path: The file.
        columns: Names of the columns, in order.
        rows: Values by column name.
    """
    with whole(path) as handle:
        handle.write(csv_lines(columns, rows))


def cell(value: Any) -> str:
    """Format one value for a CSV file.

    Args:
        value: Text, number or None.
    """
    if value is None or value != value:  # noqa: PLR0124  NaN of Python and of numpy alike
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)


def csv_rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield the values of some columns row by row, without loading the table.

    Args:
        path: The file.
        columns: Names of the columns, in order.

    Raises:
        ValueError: a column is missing, or a row has another number of values than the header.
    """
    with open(path, encoding="utf-8-sig", newline="", errors="replace") as handle:
        reader = csv.reader(handle)
        names = [name.strip() for name in next(reader, [])]
        places = [names.index(column) for column in columns]
        for row in reader:
            if len(row) != len(names):
                if not row:
                    continue
                raise ValueError(f"line {reader.line_num} has {len(row)} values under {len(names)} columns")
            yield tuple(row[place] for place in places)


def all_rows(path: Path) -> Iterator[list[str]]:
    """Yield the rows of a CSV table after its header; blank lines are skipped.

    Args:
        path: The file.
    """
    with open(path, encoding="utf-8-sig", newline="", errors="replace") as handle:
        reader = csv.reader(handle)
        next(reader, None)
        yield from (row for row in reader if row)


def csv_header(path: Path) -> list[str]:
    """Return the column names of a CSV table.

    Args:
        path: The file.
    """
    with open(path, encoding="utf-8-sig", newline="", errors="replace") as handle:
        return [name.strip() for name in next(csv.reader(handle), [])]


def read_csv(path: Path) -> tuple[list[str], list[list[str]]]:
    """Return the column names and the rows of a CSV table.

    Args:
        path: The file.
    """
    with open(path, encoding="utf-8-sig", newline="", errors="replace") as handle:
        reader = csv.reader(handle)
        columns = next(reader, [])
        return [c.strip() for c in columns], [row for row in reader if row]


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal.

    Args:
        path: The file.
    """
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def text_hash(text: str) -> str:
    """Return the SHA-256 of a text, hexadecimal.

    Args:
        text: Any text; its UTF-8 bytes are hashed.
    """
    return hashlib.sha256(text.encode()).hexdigest()
