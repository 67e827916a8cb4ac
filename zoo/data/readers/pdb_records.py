"""Record boundaries of PDB and PDBQT files.

A record is a model or a pose. MODEL and ENDMDL, END, TORSDOF, a second ROOT, and TER before atoms that begin again
with the same one end it. Flexible residues (BEGIN_RES to END_RES) belong to the receptor, not to the pose.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.zoo.data.readers.base import ReadError

_ATOMS = (b"ATOM  ", b"HETATM")
_PARTS = {b"BRANCH": 1, b"ENDROO": -1, b"ENDBRA": -1}  #: a ROOT counts 1 too


@dataclass
class Block:
    """The atom lines of one record."""

    lines: list[bytes] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)  #: of the lines in the file, from 1
    remarks: list[bytes] = field(default_factory=list)
    explicit: bool = False  #: a MODEL line opened it: it is a record even without atoms
    flexible: int = 0  #: atoms of flexible residues, left out
    ended: bool = False  #: TORSDOF has ended it: the next atom opens another
    rooted: bool = False  #: it has a ROOT
    open_parts: int = 0  #: ROOT, BRANCH and MODEL lines of a PDBQT pose without their end: it was cut short
    source: bytes = b""  #: the file, where ``numbers`` are not kept
    table: NDArray[np.uint8] | None = None  #: the atom lines as rows of characters, instead of ``lines``

    def number(self, i: int) -> int:
        """Line number of atom line ``i`` in the file, from 1.

        Args:
            i: Number of the atom line in the record.
        """
        if self.numbers:
            return self.numbers[i]
        return [k for k, line in enumerate(lines_of(self.source), 1) if line.startswith(_ATOMS)][i]


def lines_of(data: bytes) -> list[bytes]:
    """The lines of a file with any line ends.

    Args:
        data: Content of the file.
    """
    return (
        data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        if b"\r" in data
        else data.split(b"\n")
    )


def nonempty_blocks(data: bytes) -> list[Block]:
    """The records of a file of poses, as :func:`pose_blocks`.

    Args:
        data: Content of the file.

    Raises:
        ReadError: The file has no record.
    """
    blocks = pose_blocks(data)
    if not blocks:
        raise ReadError("the file has no ATOM or HETATM line")
    return blocks


def pose_blocks(data: bytes) -> list[Block]:
    """The records of a file of poses, in order; one that a MODEL line opens may have no atoms.

    Args:
        data: Content of the file.
    """
    found: list[Block] = []
    now = Block()
    flexible = after_ter = False

    def close() -> None:
        nonlocal now, after_ter
        if now.lines or now.explicit or now.flexible:
            found.append(now)
            now = Block()
        else:  # remarks before the first atom belong to the next record
            now = Block(remarks=now.remarks)
        after_ter = False

    for number, line in enumerate(lines_of(data), 1):
        tag = line[:6]
        if tag in _ATOMS:
            if flexible:
                now.flexible += 1
                continue
            if now.ended or (after_ter and now.lines and line[12:27] == now.lines[0][12:27]):
                close()
            now.lines.append(line)
            now.numbers.append(number)
            after_ter = False
        elif not tag[:1].isalpha():
            continue
        elif tag[:5] == b"MODEL":
            close()
            now.explicit = True
        elif tag == b"ENDMDL" or tag.rstrip() == b"END":
            flexible = False
            close()
        elif tag.rstrip() == b"TER":
            after_ter = True
        elif tag in (b"BEGIN_", b"END_RE"):
            flexible = tag == b"BEGIN_"
        elif tag == b"TORSDO":
            now.ended = True
        elif tag.rstrip() == b"ROOT" and not flexible:
            if now.rooted or now.ended:
                close()
            now.rooted = True
            now.open_parts += 1
        elif tag in _PARTS and not flexible:
            now.open_parts += _PARTS[tag]
        elif tag == b"REMARK" and not flexible:
            if now.ended:
                close()
            now.remarks.append(line)
    now.open_parts += now.explicit and now.rooted and not now.ended  # no ENDMDL, no TORSDOF
    close()
    return found


def model_blocks(data: bytes) -> list[Block]:
    """The models of a receptor's file.

    MODEL and ENDMDL cut it. What END alone cuts off is another model where its first atom is one that the model has
    already, else more of the same structure.

    Args:
        data: the file.
    """
    if not _is_cut(data):  # one model, as nearly every receptor: nothing to keep track of
        if (table := _fixed(data)) is not None:
            return [Block(source=data, table=table)] if len(table) else []
        atoms = [line for line in lines_of(data) if line.startswith(_ATOMS)]
        return [Block(atoms, source=data)] if atoms else []
    lines = lines_of(data)
    found: list[Block] = []
    now = Block()
    parts: list[int] = []  # where END lines stood in the model
    for number, line in enumerate(lines, 1):
        tag = line[:6]
        if tag in _ATOMS:
            now.lines.append(line)
            now.numbers.append(number)
        elif (tag[:5] == b"MODEL" or tag == b"ENDMDL") and now.lines:
            found += _cut(now, parts)
            now, parts = Block(), []
        elif tag.rstrip() == b"END" and now.lines:
            parts.append(len(now.lines))
    if now.lines:
        found += _cut(now, parts)
    return found


def _is_cut(data: bytes) -> bool:
    """Whether atoms stand behind an END or ENDMDL."""
    at = data.find(b"\nEND")
    if at < 0:
        at = data.find(b"\rEND")
    return data.startswith(b"END") or (0 <= at < max(data.rfind(b"ATOM  "), data.rfind(b"HETATM")))


def _fixed(data: bytes) -> NDArray[np.uint8] | None:
    """The atom lines of a file whose lines all have 80 characters, as the archive's do; None: another file."""
    width = _WIDTH + 1
    if len(data) % width or data[_WIDTH:width] != b"\n" or data.count(b"\n") * width != len(data):
        return None
    table = np.frombuffer(data, np.uint8).reshape(-1, width)
    if not (table[:, _WIDTH] == 10).all():
        return None
    tag = np.ascontiguousarray(table[:, :6]).view("S6").ravel()
    return table[(tag == b"ATOM  ") | (tag == b"HETATM")]


_WIDTH = 80


def _cut(block: Block, parts: list[int]) -> Iterator[Block]:
    """The block cut where atoms begin again."""
    start, last = 0, 0
    seen: set[bytes] = set()
    for part in dict.fromkeys(parts):
        if part >= len(block.lines):
            break
        seen.update(line[12:27] for line in block.lines[last:part])
        last = part
        if block.lines[part][12:27] in seen:
            yield Block(block.lines[start:part], block.numbers[start:part])
            start, seen = part, set()
    yield Block(block.lines[start:], block.numbers[start:])
