"""Record boundaries of SDF files, for readers of whole files and of ranges.

``$$$$`` ends a record. Where it is missing, a second counts line does: the record after it begins three lines above.
A molecule inside a property (its header line stands above) begins none.
"""

from __future__ import annotations

import mmap
import re
from array import array
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

_VERSION: Final = re.compile(rb"V[23]000[ \t]*(?=[\r\n]|\Z)")
_COUNTS: Final = re.compile(rb"^[ \d]{3}[ \d]{3}[^\r\n]{0,40}V[23]000[ \t]*$")
_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
BOM: Final = b"\xef\xbb\xbf"


def starts(data: bytes | mmap.mmap) -> array[int]:
    """Byte offsets of the records, and the end of the last one: n + 1 numbers.

    Args:
        data: the text of an SDF file with any line ends.
    """
    offsets = array("q", [len(BOM) if data[:3] == BOM else 0])
    at = data.find(b"$$$$")
    while at >= 0:
        if at == 0 or data[at - 1 : at] in (b"\n", b"\r"):
            end = _LINE_END.search(data, at)
            stop = end.end() if end else len(data)
            _inside(data, offsets[-1], stop, offsets)
            offsets.append(stop)
        at = data.find(b"$$$$", at + 4)
    if data[offsets[-1] :].strip():
        _inside(data, offsets[-1], len(data), offsets)
        offsets.append(len(data))
    return offsets


def _inside(data: bytes | mmap.mmap, start: int, stop: int, offsets: array[int]) -> None:
    """Records that begin inside of a range because a delimiter is missing."""
    text = data[start:stop]
    if text.count(b"V2000") + text.count(b"V3000") < 2:
        return
    versions = list(_VERSION.finditer(text))
    if len(versions) < 2:
        return
    ends = [0, *(m.end() for m in _LINE_END.finditer(text))]  # where each line begins
    lines = [text[a:b].rstrip(b"\r\n") for a, b in zip(ends, [*ends[1:], len(text)], strict=True)]
    counts = [k for k, line in enumerate(lines) if _COUNTS.match(line)]
    for k in counts[1:]:
        if k >= 4 and not lines[k - 4].startswith(b">"):
            offsets.append(start + ends[k - 3])


def split_records(data: bytes) -> Iterator[bytes]:
    """The records of an SDF file, unparsed, in order, with Unix line ends and without ``$$$$``.

    Args:
        data: the file.
    """
    places = starts(data)
    for a, b in pairwise(places):
        text = data[a:b]
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        end = text.rfind(b"$$$$")
        yield text[:end] if end >= 0 and (end == 0 or text[end - 1 : end] == b"\n") else text


def record_offsets(path: Path) -> array[int]:
    """Offsets as :func:`starts` gives them for a plain SDF file, which is mapped, not read into memory.

    Args:
        path: the file.

    Raises:
        OSError: it cannot be opened.
    """
    with path.open("rb") as file:
        if not file.seek(0, 2):
            return array("q", [0])
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
            return starts(text)
