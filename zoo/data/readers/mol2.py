"""MOL2 files: receptors and ligands of many records.

Atoms, elements and bonds come from the file, bond orders and hydrogens from geometry, for every record alike: SYBYL
bond orders are often incomplete (polar hydrogens only, aromatic N-H without its hydrogen), and typing some records
one way and some another way would tell a network which record came from where.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.zoo.data.readers.base import Failure, PoseRecord, RawAtoms, ReadError, ReadOptions, Receptor
from affinity_zoo.zoo.data.readers.bonds import bonds
from affinity_zoo.zoo.data.readers.mol2_types import elements
from affinity_zoo.zoo.data.readers.sanity import ligand_findings, skeleton
from affinity_zoo.zoo.data.readers.sdf import heavy_pairs
from affinity_zoo.zoo.data.readers.select import guesses, hydrogens, make_atoms, receptor_from_raw
from affinity_zoo.zoo.data.readers.typing import type_from_geometry

_RECORD = b"@<TRIPOS>MOLECULE"


def read_receptor(data: bytes, options: ReadOptions) -> Receptor:
    """The first record of a MOL2 file as a receptor.

    Args:
        data: Content of the file.
        options: What is kept of waters, alternate locations and models, and how atoms are typed.
    """
    for text in split_records(data):
        parsed = _parse(text)
        found = receptor_from_raw(parsed.raw, options)
        count = data.count(_RECORD)
        several = [f"the first of {count} molecules of the file is the receptor"] if count > 1 else []
        return Receptor(found.atoms, found.notes, [*several, *parsed.notes, *found.findings])
    raise ReadError("the file has no @<TRIPOS>MOLECULE section")


def read_poses(data: bytes, file: str, options: ReadOptions, first: int, last: float) -> Iterator[PoseRecord]:
    """The records of a MOL2 file.

    Args:
        data: Content of the file.
        file: Path of the file, for the record's name.
        options: What is kept of waters, alternate locations and models, and how atoms are typed.
        first: First record to read, from 0.
        last: Record to stop before; infinity: read to the end.
    """
    for record, text in enumerate(split_records(data)):
        if record >= last:
            return
        if record < first:
            continue
        name = text.split(b"\n", 1)[0].strip().decode("utf-8", "replace")
        try:
            yield _ligand(record, name, text, options)
        except ReadError as error:
            yield PoseRecord(record, name, failure=Failure(file, record, error.stage, error.reason))


def split_records(data: bytes) -> Iterator[bytes]:
    """The text after each ``@<TRIPOS>MOLECULE`` line.

    Args:
        data: Content of the file.
    """
    data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    start = data.find(_RECORD)
    while start >= 0:
        end = data.find(_RECORD, start + 1)
        yield data[start + len(_RECORD) : end if end >= 0 else len(data)].lstrip(b" \t").removeprefix(b"\n")
        start = end


def _ligand(record: int, name: str, text: bytes, options: ReadOptions) -> PoseRecord:
    parsed = _parse(text)
    raw = parsed.raw
    keep = np.flatnonzero((raw.element != 1) & ~raw.pseudo)
    if not len(keep):
        raise ReadError("the record has no heavy atom", "type")
    heavy = raw.take(keep)
    if options.ligand_bonds == "perceive":
        pairs = bonds(heavy.xyz, heavy.element)[0]
    else:
        order = {number: k for k, number in enumerate(parsed.numbers)}
        place = {int(i): k for k, i in enumerate(keep)}
        found = [(order[i], order[j]) for i, j in parsed.bonds if i in order and j in order]
        pairs = heavy_pairs(found, place, heavy.element)
    atoms = make_atoms("ligand", heavy, type_from_geometry(heavy.xyz, heavy.element, pairs))
    notes = [*parsed.notes, *guesses(raw), *ligand_findings(heavy, pairs)]
    same = skeleton(heavy.element, pairs)
    return PoseRecord(record, name, atoms, hydrogens=hydrogens(raw), notes=notes, skeleton=same)


@dataclass(frozen=True, eq=False)
class _Parsed:
    """A parsed record."""

    numbers: list[int]  #: of the atoms in the file
    raw: RawAtoms
    bonds: list[tuple[int, int]]  #: by these numbers
    notes: list[str]


def _parse(text: bytes) -> _Parsed:
    section, rows, found, bond_lines = b"", [], [], 0
    for line in text.split(b"\n"):
        if line.startswith(b"@<TRIPOS>"):
            section = line.split(b">", 1)[1].strip().upper()
        elif section == b"ATOM" and line.strip():
            rows.append(line.split())
        elif section == b"BOND" and line.strip():
            bond_lines += 1
            cells = line.split()
            if len(cells) >= 4 and cells[1].isdigit() and cells[2].isdigit() and cells[3].lower() != b"nc":
                found.append((int(cells[1]), int(cells[2])))
    if not rows:
        raise ReadError("the record has no @<TRIPOS>ATOM section with atoms")
    missing = _missing(text, {b"ATOM": len(rows), b"BOND": bond_lines}, section)
    try:
        xyz = np.array([row[2:5] for row in rows]).astype(np.float32)
        numbers = [int(row[0]) for row in rows]
        kinds = [row[5].decode("ascii", "replace") for row in rows]
    except (ValueError, IndexError) as error:
        raise ReadError(f"an atom line of the record is damaged ({error})") from error
    if xyz.ndim != 2 or xyz.shape[1] != 3 or not np.isfinite(xyz).all():
        raise ReadError("an atom line of the record does not have three finite coordinates")
    residues = [row[7] if len(row) > 7 else b"LIG" for row in rows]
    element, pseudo, notes = elements(kinds, [row[1].decode("ascii", "replace") for row in rows])
    raw = RawAtoms.of(
        xyz,
        np.array(element, np.uint8),
        _wide([row[1] for row in rows]),
        residue_name=_wide([_residue(r) for r in residues]),
        residue_number=np.array([_number(row[6]) if len(row) > 6 else 1 for row in rows], np.int32),
        pseudo=np.array(pseudo, bool),
    )
    return _Parsed(numbers, raw, found, [*notes, missing] if missing else notes)


def _missing(text: bytes, counts: dict[bytes, int], last: bytes) -> str:
    """Say what the record has fewer of than its second line announces; empty: nothing is missing.

    A record whose last section is the incomplete one was cut short. Where other sections follow, a program took atoms
    out (often hydrogens) and left the counts as they were.
    """
    announced = [*text.split(b"\n", 2), b""][1].split()
    said = ""
    for (section, have), cell in zip(counts.items(), announced, strict=False):
        if cell.isdigit() and have < int(cell):
            said = f"the record has {have} of the {int(cell)} {section.decode().lower()}s that it announces"
            if section == last:
                raise ReadError(f"{said}: is it cut short?")
    return said


def _residue(cell: bytes) -> bytes:
    """``ALA12`` is alanine; a name that is not a residue's and a number stays whole (``A1LU6``, ``LIG_B``)."""
    plain = cell.rstrip(b"-0123456789")
    return plain if plain and len(plain) >= 2 and not plain.endswith(b"_") else cell


def _wide(texts: list[bytes]) -> NDArray[np.bytes_]:
    """Text as a column of at least four characters."""
    column = np.array(texts)
    return column.astype("S4") if column.dtype.itemsize < 4 else column


def _number(cell: bytes) -> int:
    return int(cell) if cell.lstrip(b"-").isdigit() and len(cell) < 10 else 0


def count(data: bytes) -> int:
    """Return the number of records of a file.

    Args:
        data: Content of the file.
    """
    return sum(1 for _ in split_records(data))
