"""Coordinates of a mol block as text: RDKit reads ``1,25`` as 1 and an empty cell as 0, without an error."""

from __future__ import annotations

from collections.abc import Iterator

from affinity_zoo.zoo.data.readers.base import ReadError


def check_coordinates(block: str) -> None:
    """Refuse a mol block with a coordinate that is no number.

    Args:
        block: V2000 or V3000, up to ``M  END``.

    Raises:
        ReadError: a coordinate is empty, or something else than a number with a decimal point.
    """
    lines = block.split("\n")
    version = lines[3] if len(lines) > 3 else ""
    for number, cells in _v3000(lines) if "V3000" in version else _v2000(lines):
        for cell in cells:
            try:
                float(cell)
            except ValueError:
                raise ReadError(
                    f"line {number} of the record has {cell.strip()!r} where a coordinate belongs: coordinates are "
                    "numbers with a decimal point"
                ) from None


def _v2000(lines: list[str]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Number of the line in the record, from 1, and the three coordinates of each atom: columns of ten characters."""
    count = lines[3][:3].strip() if len(lines) > 3 else ""
    if not count.isdecimal():
        return  # RDKit refuses it
    for number, line in enumerate(lines[4 : 4 + int(count)], 5):
        if len(line) > 30:  # shorter lines are refused by RDKit
            yield number, (line[:10], line[10:20], line[20:30])


def _v3000(lines: list[str]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The same; the coordinates stand behind number and type of the atom, and a line may be continued."""
    inside, start = False, ""
    for number, line in enumerate(lines, 1):
        text = start + line.removeprefix("M  V30 ").strip()
        start = ""
        if text.endswith("-"):
            start = text[:-1]
        elif text.upper().startswith(("BEGIN ATOM", "END ATOM")):
            inside = text[0] in "Bb"
        elif inside and '"' not in text and "[" not in text:  # a list of elements may hold spaces
            yield number, tuple(text.split()[2:5])
