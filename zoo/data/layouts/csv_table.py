"""Tables of users: any usual delimiter, encoding and spelling of the header; one pass holds one row.

A first line ``sep=;`` gives the delimiter; else it is the one of comma, semicolon, tab and bar that cuts the first
lines into the same number of cells, more than one. Encodings: UTF-8 with or without a byte order mark, UTF-16, else
Latin-1 (Windows-1252).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Final

from affinity_zoo.plugins.errors import AffinityZooError

_DELIMITERS: Final = ",;\t|"
_END: Final = (
    "\x1c"  #: line behind the last one: where it is not a row of its own, a quotation mark is not closed
)
_LINES: Final = 20  #: that the delimiter is judged by
ENDINGS: Final = (".csv", ".tsv")


@dataclass(frozen=True)
class Table:
    """A table of a user.

    Args:
        path: of the file.
    """

    path: Path

    @cached_property
    def encoding(self) -> str:
        """Of the file.

        Raises:
            AffinityZooError: it cannot be read.
        """
        try:
            with open(self.path, "rb") as handle:
                head = handle.read(4)
                if head.startswith((b"\xff\xfe", b"\xfe\xff")):
                    return "utf-16"
                if head[:1] and b"\0" in head:
                    return "utf-16-le" if head[1:2] == b"\0" else "utf-16-be"
                handle.seek(0)
                for line in handle:
                    line.decode("utf-8")
        except UnicodeDecodeError:
            return "cp1252"
        except OSError as error:
            raise AffinityZooError(f"{self.path} cannot be read ({error})") from error
        return "utf-8-sig"

    @cached_property
    def _head(self) -> list[str]:
        with self._open() as handle:
            return [line.rstrip("\r\n") for line, _ in zip(handle, range(_LINES), strict=False)]

    @cached_property
    def delimiter(self) -> str:
        """Between the cells of a row."""
        if self._head and self._head[0].lower().startswith("sep=") and len(self._head[0]) > 4:
            return self._head[0][4]
        lines = [line for line in self._head if line.strip()]
        best, most = ",", 1
        for mark in _DELIMITERS:
            counts = [len(row) for row in csv.reader(lines, delimiter=mark)]
            if counts and counts[0] > most and counts.count(counts[0]) * 2 > len(counts):
                best, most = mark, counts[0]
        return best

    def _open(self) -> io.TextIOWrapper:
        return open(self.path, encoding=self.encoding, newline="", errors="replace")

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """Rows with cells and the number of their line, from the header on."""
        with self._open() as handle:
            skip = self._head[:1] and self._head[0].lower().startswith("sep=")
            if skip:
                handle.readline()
            reader = csv.reader(chain(handle, (_END,)), delimiter=self.delimiter)
            line = 0
            try:
                for row in reader:
                    if row and row[-1].endswith(_END):
                        if row != [_END]:
                            raise csv.Error("the file ends inside of a cell")
                        return
                    line = reader.line_num + bool(skip)
                    if any(cell.strip() for cell in row):
                        yield line, row
            except csv.Error as error:
                raise AffinityZooError(
                    f"{self.path} cannot be read as a table from line {line + 1} on ({error}): is a quotation mark not "
                    "closed?"
                ) from None

    @cached_property
    def names(self) -> list[str]:
        """Names of the columns, as they stand in the file.

        Raises:
            AffinityZooError: two columns have the same name.
        """
        _, row = next(self._rows(), (0, []))
        names = [name.strip().lstrip("\ufeff") for name in row]
        while names and not names[-1]:
            names.pop()
        folded = [name.lower() for name in names if name]
        if twice := next((name for name in folded if folded.count(name) > 1), None):
            raise AffinityZooError(f"{self.path} has two columns {twice!r}: rename one")
        return names

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """The rows below the header: number of the line, and cells; empty cells beyond the header are left out."""
        rows = self._rows()
        next(rows, None)
        width = len(self.names)
        for line, row in rows:
            while len(row) > width and not row[-1].strip():
                row.pop()
            yield line, row

    def named(self, wanted: str) -> str | None:
        """The column of a name, in any case; None: there is none.

        Args:
            wanted: its name.
        """
        if wanted in self.names:
            return wanted
        return next((name for name in self.names if name.lower() == wanted.lower()), None)
