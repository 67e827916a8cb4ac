"""MOL2 files: receptors and ligands of many records.

Atoms, elements and bonds come from the file, bond orders and hydrogens from geometry, for every record alike: SYBYL
bond orders are often incomplete (polar hydrogens only, aromatic N-H without its hydrogen), and typing some records
one way and some another way would tell a network which record came from where.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.zoo.data.readers.base import Failure, PoseRecord, RawAtoms, ReadError, ReadOptions, Receptor
from affinity_zoo.zoo.data.readers.elements import atomic_number
from affinity_zoo.zoo.data.readers.sdf import heavy_pairs
from affinity_zoo.zoo.data.readers.select import make_atoms, receptor_atoms
from affinity_zoo.zoo.data.readers.typing import type_from_geometry

_RECORD = b"@<TRIPOS>MOLECULE"


def read_receptor(data: bytes, options: ReadOptions) -> Receptor:
    """The first record of a MOL2 file as a receptor."""
    for text in split_records(data):
        _, raw, _ = _parse(text)
        atoms, notes = receptor_atoms(raw, options)
        return Receptor(atoms, notes)
    raise ReadError("the file has no @<TRIPOS>MOLECULE section")


def read_poses(data: bytes, file: str, options: ReadOptions, first: int, last: float) -> Iterator[PoseRecord]:
    """The records of a MOL2 file."""
    for record, text in enumerate(split_records(data)):
        if record >= last:
            return
        if record < first:
            continue
        name = text.split(b"\n", 1)[0].strip().decode("utf-8", "replace")
        try:
            atoms, hydrogens = _ligand(text, options)
            yield PoseRecord(record, name, atoms, hydrogens=hydrogens)
        except ReadError as error:
            yield PoseRecord(record, name, failure=Failure(file, record, error.stage, error.reason))


def split_records(data: bytes) -> Iterator[bytes]:
    """The text after each ``@<TRIPOS>MOLECULE`` line."""
    data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    start = data.find(_RECORD)
    while start >= 0:
        end = data.find(_RECORD, start + 1)
        yield data[start + len(_RECORD) : end if end >= 0 else len(data)].lstrip(b" \t").removeprefix(b"\n")
        start = end


def _ligand(text: bytes, options: ReadOptions) -> tuple[Atoms, int]:
    numbers, raw, bonds = _parse(text)
    keep = np.flatnonzero(raw.element != 1)
    if not len(keep):
        raise ReadError("the record has no heavy atom", "type")
    heavy = raw.take(keep)
    if options.ligand_bonds == "perceive":
        return make_atoms("ligand", heavy, type_from_geometry(heavy.xyz, heavy.element)), len(raw) - len(
            heavy
        )
    order = {number: k for k, number in enumerate(numbers)}
    place = {int(i): k for k, i in enumerate(keep)}
    pairs = [(order[i], order[j]) for i, j in bonds if i in order and j in order]
    typing = type_from_geometry(heavy.xyz, heavy.element, heavy_pairs(pairs, place, heavy.element))
    return make_atoms("ligand", heavy, typing), len(raw) - len(heavy)


def _parse(text: bytes) -> tuple[list[int], RawAtoms, list[tuple[int, int]]]:
    """Atom numbers as in the file, the atoms, and bonds by these numbers."""
    section, rows, bonds = b"", [], []
    for line in text.split(b"\n"):
        if line.startswith(b"@<TRIPOS>"):
            section = line.split(b">", 1)[1].strip().upper()
        elif section == b"ATOM" and line.strip():
            rows.append(line.split())
        elif section == b"BOND" and line.strip():
            cells = line.split()
            if len(cells) >= 4 and cells[1].isdigit() and cells[2].isdigit() and cells[3].lower() != b"nc":
                bonds.append((int(cells[1]), int(cells[2])))
    if not rows:
        raise ReadError("the record has no @<TRIPOS>ATOM section with atoms")
    try:
        xyz = np.array([row[2:5] for row in rows]).astype(np.float32)
        numbers = [int(row[0]) for row in rows]
        kinds = [row[5].decode("ascii", "replace") for row in rows]
    except (ValueError, IndexError) as error:
        raise ReadError(f"an atom line of the record is damaged ({error})") from error
    if xyz.ndim != 2 or xyz.shape[1] != 3 or not np.isfinite(xyz).all():
        raise ReadError("an atom line of the record has no three finite coordinates")
    residues = [row[7] if len(row) > 7 else b"LIG" for row in rows]
    n = len(rows)
    raw = RawAtoms(
        xyz=xyz,
        element=np.array([atomic_number(k.partition(".")[0]) for k in kinds], np.uint8),
        name=np.array([row[1] for row in rows], "S4"),
        residue_name=np.array([r.rstrip(b"-0123456789") or r for r in residues], "S4"),
        residue_number=np.array([_number(row[6]) if len(row) > 6 else 1 for row in rows], np.int32),
        insertion=np.zeros(n, "S1"),
        chain=np.zeros(n, "S4"),
        altloc=np.zeros(n, "S1"),
        occupancy=np.ones(n, np.float32),
        charge=np.zeros(n, np.int8),
        hetero=np.zeros(n, bool),
    )
    return numbers, raw, bonds


def _number(cell: bytes) -> int:
    return int(cell) if cell.lstrip(b"-").isdigit() and len(cell) < 10 else 0
