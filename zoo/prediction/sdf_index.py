"""Where the records of an SDF file begin, so that a piece of it is read without the rest."""

from __future__ import annotations

import mmap
import re
from array import array
from pathlib import Path
from typing import Final

_END: Final = re.compile(rb"(?:\A|(?<=[\r\n]))\$\$\$\$[^\r\n]*(?:\r\n|\n|\r|\Z)")


def record_offsets(path: Path) -> array[int]:
    """Byte offsets of the records of a plain SDF file, and the end of the last one: n + 1 numbers.

    The records are those of :func:`affinity_zoo.zoo.data.readers.sdf.split_records`. The file is mapped, not
    read into memory.

    Raises:
        OSError: it cannot be opened.
    """
    offsets = array("q", [0])
    with path.open("rb") as file:
        if not file.seek(0, 2):
            return offsets
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
            for end in _END.finditer(text):
                offsets.append(end.end())
            rest = offsets[-1]
            if text[rest:].strip():
                offsets.append(len(text))
    return offsets
