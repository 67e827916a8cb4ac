"""Files that appear whole or not at all, CSV tables, hashes."""

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
    """Open a temporary file beside ``path`` that takes its name when the block ends without an error."""
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
    """Give a new folder to write into that takes its name, and the place of an older one, when the block ends well."""
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
    """Return the path of a file that is going to be written, checked before the work is done.

    Raises:
        UsageError: it is a folder, or its folder is a file.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder: give the name of a file to write")
    if path.parent.exists() and not path.parent.is_dir():
        raise UsageError(f"{path.parent} is a file, so {path.name} cannot be written in it")
    return path


def check_folder(path: Path) -> Path:
    """Return the path of a folder that is going to be written to, checked before the work is done.

    Raises:
        UsageError: there is a file of that name.
    """
    if path.exists() and not path.is_dir():
        raise UsageError(f"{path} is a file: give the name of a folder")
    return path


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole."""
    with whole(path, "wb") as handle:
        handle.write(data)


def write_json(path: Path, value: Any) -> None:
    """Write JSON whole, keys sorted."""
    with whole(path) as handle:
        handle.write(json.dumps(value, indent=1, sort_keys=True) + "\n")


def csv_lines(columns: Sequence[str], rows: Iterable[Mapping[str, Any]], header: bool = True) -> str:
    """Rows as CSV text; floats in the shortest form that reads back equal, NaN and None as nothing."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if header:
        writer.writerow(columns)
    for row in rows:
        writer.writerow([cell(row.get(c)) for c in columns])
    return out.getvalue()


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a CSV table whole."""
    with whole(path) as handle:
        handle.write(csv_lines(columns, rows))


def cell(value: Any) -> str:
    """One value as it stands in a CSV file."""
    if value is None or value != value:  # noqa: PLR0124  NaN of Python and of numpy alike
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)


def csv_rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The values of some columns, row by row, without holding the table; all columns must be there.

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
    """The rows of a CSV table after its header, as they are; blank lines are left out."""
    with open(path, encoding="utf-8-sig", newline="", errors="replace") as handle:
        reader = csv.reader(handle)
        next(reader, None)
        yield from (row for row in reader if row)


def csv_header(path: Path) -> list[str]:
    """The column names of a CSV table."""
    with open(path, encoding="utf-8-sig", newline="", errors="replace") as handle:
        return [name.strip() for name in next(csv.reader(handle), [])]


def read_csv(path: Path) -> tuple[list[str], list[list[str]]]:
    """Column names and rows of a CSV table."""
    with open(path, encoding="utf-8-sig", newline="", errors="replace") as handle:
        reader = csv.reader(handle)
        columns = next(reader, [])
        return [c.strip() for c in columns], [row for row in reader if row]


def file_hash(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def text_hash(text: str) -> str:
    """SHA-256 of a text, hex."""
    return hashlib.sha256(text.encode()).hexdigest()
