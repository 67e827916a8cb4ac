"""The columns of an index as arrays beside its table: opened without reading it, mapped into memory.

``columns/`` holds one ``.npy`` for each column (numbers unchanged; text as fixed-width unicode, or as numbers of a
list of its values where they are few), the row numbers of each split, and ``columns.json`` with the hashes of the
files they were made from. The CSV files stay the truth: where one was edited its arrays are not used.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.zoo.runtime.files import file_hash, whole, write_json

FOLDER: Final = "columns"
_LIST: Final = "columns.json"
_ROWS_AT_ONCE: Final = 65536
_FEW: Final = 4096  #: values of a text column up to which they are numbered
_NARROW: Final = (
    32  #: characters up to which text is not numbered: it is mapped, numbers would be resolved in memory
)
_WIDEST: Final = 256  #: characters; a wider column is read from the table


def write_columns(folder: Path, table: Path, integers: frozenset[str], numbers: frozenset[str]) -> None:
    """Write the columns of an index, holding a few thousand rows of it at a time.

    Args:
        folder: of the index; ``columns`` is made in it.
        table: its CSV file.
        integers, numbers: names of the columns that are int64 (nothing is -1) and float64 (nothing is NaN); all
            others are text.
    """
    shutil.rmtree(folder / FOLDER, ignore_errors=True)
    (folder / FOLDER).mkdir(parents=True)
    with open(table, encoding="utf-8", newline="") as handle:
        names = next(csv.reader(handle))
    rows, widths, values = _survey(table, [n for n in names if n not in integers | numbers], names)
    kinds: dict[str, str] = {}
    arrays: dict[str, NDArray[Any]] = {}
    for name in names:
        file = _file(folder, name, len(kinds))
        if name in integers:
            kinds[name], dtype = "array", "<i8"
        elif name in numbers:
            kinds[name], dtype = "array", "<f8"
        elif name in values and widths[name] > _NARROW:
            kinds[name], dtype = "numbered", "<u2"
            listed = np.array(sorted(values[name]), f"<U{widths[name]}")
            np.save(file.with_suffix(".values.npy"), listed, allow_pickle=False)
        elif widths[name] <= _WIDEST:
            kinds[name], dtype = "array", f"<U{widths[name]}"
        else:
            continue
        arrays[name] = _new(file, dtype, rows)
    lists = {
        name: {value: i for i, value in enumerate(sorted(values[name]))}
        for name, kind in kinds.items()
        if kind == "numbered"
    }
    for first, part in _parts(table):
        last = first + len(part)
        for place, name in enumerate(names):
            if name not in arrays:
                continue
            cells = [row[place] for row in part]
            try:
                if name in integers:
                    arrays[name][first:last] = [int(c) if c else -1 for c in cells]
                elif name in numbers:
                    arrays[name][first:last] = [float(c) if c else np.nan for c in cells]
                elif name in lists:
                    number = lists[name]
                    arrays[name][first:last] = [number[c] for c in cells]
                else:
                    arrays[name][first:last] = cells
            except ValueError:  # the reader reports which value is not a number
                del arrays[name]
    for array in arrays.values():
        if isinstance(array, np.memmap):
            array.flush()
    files = {name: _file(folder, name, i).name for i, name in enumerate(kinds)}
    kinds = {name: kind for name, kind in kinds.items() if name in arrays}
    for name, array in arrays.items():
        if not isinstance(array, np.memmap):
            np.save(folder / FOLDER / files[name], array, allow_pickle=False)
    write_json(
        folder / FOLDER / _LIST,
        {
            "table": file_hash(table),
            "rows": rows,
            "columns": {name: {"file": files[name], "kind": kind} for name, kind in kinds.items()},
            "splits": {},
        },
    )


def _file(folder: Path, name: str, number: int) -> Path:
    safe = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "-" for c in name)[:40]
    return folder / FOLDER / f"{number:02d}-{safe}.npy"


def _new(path: Path, dtype: str, rows: int) -> NDArray[Any]:
    if not rows:  # an empty file cannot be mapped
        return np.zeros(0, dtype)
    return np.lib.format.open_memmap(path, mode="w+", dtype=np.dtype(dtype), shape=(rows,))


def _survey(
    table: Path, texts: list[str], names: list[str]
) -> tuple[int, dict[str, int], dict[str, set[str]]]:
    """Count rows; find the width of text columns and the values of those with few."""
    rows, widths = 0, dict.fromkeys(texts, 1)
    values: dict[str, set[str]] = {name: set() for name in texts}
    places = {name: names.index(name) for name in texts}
    for _, part in _parts(table):
        rows += len(part)
        for name, place in places.items():
            found = {row[place] for row in part}
            widths[name] = max(widths[name], max(map(len, found), default=0))
            if name in values:
                values[name] |= found
                if len(values[name]) > _FEW:
                    del values[name]
    return rows, widths, values


def _parts(table: Path) -> Iterator[tuple[int, list[list[str]]]]:
    with open(table, encoding="utf-8", newline="") as handle:
        reader = csv.reader(handle)
        next(reader)
        first = 0
        while part := list(islice(reader, _ROWS_AT_ONCE)):
            yield first, part
            first += len(part)


class ExtraColumns:
    """The column arrays of a table, if present and up to date.

    Args:
        folder: of the index.
        table: name of its CSV file in it.
    """

    def __init__(self, folder: Path, table: str) -> None:
        self._folder, self._table = folder, table
        try:
            self._list: dict[str, Any] = json.loads((folder / FOLDER / _LIST).read_text(encoding="utf-8"))
            self.fit = self._list["table"] == file_hash(folder / table)
        except (OSError, ValueError, KeyError, TypeError):
            self._list, self.fit = {}, False

    def get(self, name: str, rows: int) -> NDArray[Any] | None:
        """Return a column as array, memory-mapped; None: read the table.

        Args:
            name: Name of the column.
            rows: Number of rows of the table.
        """
        entry = self._list.get("columns", {}).get(name) if self.fit else None
        if entry is None:
            return None
        try:
            file = self._folder / FOLDER / Path(entry["file"]).name
            array = _mapped(file)
            if len(array) != rows:
                return None
            if entry["kind"] == "numbered":
                return np.asarray(np.load(file.with_suffix(".values.npy"), allow_pickle=False)[array])
            return array
        except (OSError, ValueError, KeyError, TypeError, IndexError):
            return None

    def split(self, name: str, file: str) -> NDArray[np.int64] | None:
        """Return the row numbers of a split if its file is unchanged; None: read the file.

        Args:
            name: Name of the split.
            file: File of the split.
        """
        entry = self._list.get("splits", {}).get(name) if self.fit else None
        try:
            if entry is None or entry["sha256"] != file_hash(self._folder / file):
                return None
            return np.asarray(_mapped(self._folder / FOLDER / f"split-{name}.npy"))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep_splits(self, files: dict[str, str], places: Sequence[str]) -> None:
        """Store the rows of each split.

        Args:
            files: split -> name of its file, which is written already.
            places: the split of each row of the table.
        """
        if not self.fit or len(places) != self._list["rows"]:
            return
        number = {name: i for i, name in enumerate(files)}
        where = np.fromiter((number[place] for place in places), np.uint8, len(places))
        for name, file in files.items():
            with whole(self._folder / FOLDER / f"split-{name}.npy", "wb") as handle:
                np.save(handle, np.flatnonzero(where == number[name]).astype("<i8"), allow_pickle=False)
            self._list["splits"][name] = {"sha256": file_hash(self._folder / file)}
        write_json(self._folder / FOLDER / _LIST, self._list)


def _mapped(path: Path) -> NDArray[Any]:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False).view(np.ndarray)
    except ValueError:  # an empty array cannot be mapped
        return np.asarray(np.load(path, allow_pickle=False))
