"""Record boundaries of PDB and PDBQT files.

A record is a model or a pose. MODEL and ENDMDL, END, TORSDOF, a second ROOT, and TER before atoms that begin again
with the same one end it. Flexible residues (BEGIN_RES to END_RES) belong to the receptor, not to the pose.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

_ATOMS = (b"ATOM  ", b"HETATM")


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
    source: list[bytes] = field(default_factory=list)  #: all lines of the file where ``numbers`` are not kept

    def number(self, i: int) -> int:
        """Where in the file atom line ``i`` stands, from 1.

        Args:
            i: Number of the atom line in the record.
        """
        if self.numbers:
            return self.numbers[i]
        return [k for k, line in enumerate(self.source, 1) if line.startswith(_ATOMS)][i]


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
        elif tag == b"BEGIN_":
            flexible = True
        elif tag == b"END_RE":
            flexible = False
        elif tag == b"TORSDO":
            now.ended = True
        elif tag.rstrip() == b"ROOT" and not flexible:
            if now.rooted or now.ended:
                close()
            now.rooted = True
        elif tag == b"REMARK" and not flexible:
            if now.ended:
                close()
            now.remarks.append(line)
    close()
    return found


def model_blocks(data: bytes) -> list[Block]:
    """The models of a receptor's file.

    MODEL and ENDMDL cut it. What END alone cuts off is another model where its first atom is one that the model has
    already, else more of the same structure.

    Args:
        data: the file.
    """
    lines = lines_of(data)
    if not _is_cut(data):  # one model, as nearly every receptor: nothing to keep track of
        atoms = [line for line in lines if line.startswith(_ATOMS)]
        return [Block(atoms, source=lines)] if atoms else []
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
    """Whether a file has several models, or an END with atoms behind it."""
    if data.startswith((b"MODEL", b"END")) or b"\nMODEL" in data or b"\nENDMDL" in data or b"\rMODEL" in data:
        return True
    at = data.find(b"\nEND")
    at = at if at >= 0 else data.find(b"\rEND")
    return at >= 0 and (data.find(b"ATOM  ", at) >= 0 or data.find(b"HETATM", at) >= 0)


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
