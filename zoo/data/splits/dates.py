"""Dates as text that sorts: years, dates that begin with the year, numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from affinity_zoo.plugins.errors import AffinityZooError

_YEAR_FIRST: Final = re.compile(
    r"(?P<year>[12]\d{3})(?:(?P<mark>[-/.])(?P<month>\d{1,2})(?:(?P=mark)(?P<day>\d{1,2}))?|"
    r"(?P<month8>\d{2})(?P<day8>\d{2}))?(?:[T ]\d.*)?"
)
#: 31/05/2019, 31-May-19, 5.31.19, May 2019: dates, but not in an order that sorts
_OTHER_DATE: Final = re.compile(
    r"\d{1,2}\s*[-/.]\s*\d{1,2}\s*[-/.]\s*\d{2,4}.*|.*\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b.*|"
    r"\d{1,2}[-/.][12]\d{3}",
    re.IGNORECASE,
)


def sortable(texts: Sequence[str], column: str) -> tuple[list[str], str]:
    """Texts whose order is that of the dates.

    Args:
        texts: years, dates that begin with the year (2019-5-31, 2019/05/31, 20190531), or numbers; any other text is
            left as it is.
        column: name of the column, for messages.

    Returns:
        One text for each, and a note; empty: all are years or dates.

    Raises:
        AffinityZooError: dates are not written with the year first, or some texts are dates and others are not.
    """
    known = {text: _date(text.strip()) for text in dict.fromkeys(texts)}
    strange = [text for text, date in known.items() if date is None]
    if not strange:
        return [str(known[text]) for text in texts], ""
    other = next((text for text in strange if _OTHER_DATE.fullmatch(text.strip())), None)
    if other is not None or len(strange) < len(known):
        raise AffinityZooError(
            f"column {column} has {other or strange[0]!r}: a split by time needs years, or dates that begin with the "
            "year, such as 2019 or 2019-05-31"
        )
    numbers = {text: _number(text) for text in known}
    values = sorted({value for value in numbers.values() if value is not None})
    if None not in numbers.values():
        place: dict[float | None, str] = {value: f"{k:012d}" for k, value in enumerate(values)}
        return [
            place[numbers[text]] for text in texts
        ], f"{column} holds no years: rows are sorted as numbers"
    return list(texts), f"{column} holds no years: rows are sorted as text"


def _date(text: str) -> str | None:
    """A date as 2019-05-31, 2019-05 or 2019; None: it is none with the year first."""
    found = _YEAR_FIRST.fullmatch(re.sub(r"^([12]\d{3})\.0+$", r"\1", text))  # years as pandas writes them
    if found is None:
        return None
    parts = [found["month"] or found["month8"], found["day"] or found["day8"]]
    given = [int(part) for part in parts if part]
    if any(not 1 <= value <= most for value, most in zip(given, (12, 31), strict=False)):
        return None
    return "-".join([found["year"], *(f"{value:02d}" for value in given)])


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None
