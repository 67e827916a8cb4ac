"""The atom lines of PDB and PDBQT files: a thin column parser."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.zoo.data.readers.base import RawAtoms, ReadError
from affinity_zoo.zoo.data.readers.elements import NUMBERS
from affinity_zoo.zoo.data.readers.identity import residue_runs
from affinity_zoo.zoo.data.readers.naming import settle_elements
from affinity_zoo.zoo.data.readers.pdb_records import Block, model_blocks
from affinity_zoo.zoo.data.readers.residues import WATERS, are
from affinity_zoo.zoo.data.readers.templates import AMINO_ACIDS, NUCLEOTIDES

_WIDTH = 80


def parse_pdb(data: bytes, pdbqt: bool = False) -> list[RawAtoms]:
    """All models of a receptor's file, in order; a file without MODEL lines is one model.

    Args:
        data: the file.
        pdbqt: the columns after the coordinates are PDBQT's: AutoDock's type instead of the element.

    Raises:
        ReadError: no atom lines, or an atom line whose coordinates are not numbers (with its line number).
    """
    found = [parse_block(block, pdbqt) for block in model_blocks(data)]
    if not found:
        raise ReadError("the file has no ATOM or HETATM line" if data.strip() else "the file is empty")
    return found


def parse_block(block: Block, pdbqt: bool = False) -> RawAtoms:
    """The atoms of one record.

    Args:
        block: the record.
        pdbqt: as for :func:`parse_pdb`.

    Raises:
        ReadError: no atoms, or a line that is none.
    """
    table = _table(block) if block.table is None else block.table
    xyz = np.stack([_floats(table, c, c + 8, block, "coordinate") for c in (30, 38, 46)], 1).astype(
        np.float32
    )
    if not np.isfinite(xyz).all():
        bad = int(np.flatnonzero(~np.isfinite(xyz).all(1))[0])
        raise ReadError(f"line {block.number(bad)} has a coordinate that is not a finite number")
    full_name = _text(table, 12, 16)
    residue, chain = _residue_and_chain(table)
    number, insertion = _integers(table, 22, 26), np.char.strip(_text(table, 26, 27))
    run = residue_runs(chain, number, insertion, residue)
    if pdbqt:
        column, none = _autodock(table)
        found, guessed, pseudo = settle_elements(column, full_name, residue, run, xyz)
        guessed, pseudo = guessed & ~none, pseudo | none
    else:
        found, guessed, pseudo = settle_elements(_symbols(table), full_name, residue, run, xyz)
    return RawAtoms(
        xyz=xyz,
        element=found,
        name=np.char.strip(full_name).astype("S4"),
        residue_name=residue,
        residue_number=number,
        insertion=insertion.astype("S1"),
        chain=chain,
        altloc=np.char.strip(_text(table, 16, 17)).astype("S1"),
        occupancy=_optional_floats(table, 54, 60, 1.0),
        charge=np.zeros(len(table), np.int8) if pdbqt else _charges(table),
        hetero=table[:, 0] == ord("H"),
        guessed=guessed,
        pseudo=pseudo,
    )


def _table(block: Block) -> NDArray[np.uint8]:
    """The lines of a record as rows of characters, of the same width, at least 80."""
    lines = block.lines
    if not lines:
        raise ReadError("the record has no ATOM or HETATM line")
    if len(short := min(lines, key=len)) < 54:
        raise ReadError(
            f"line {block.number(lines.index(short))} is an atom line that ends before its coordinates"
        )
    width = len(lines[0])
    if width < _WIDTH or len(set(map(len, lines))) > 1:
        lines, width = [line[:_WIDTH].ljust(_WIDTH) for line in lines], _WIDTH
    return np.frombuffer(b"".join(lines), np.uint8).reshape(-1, width)


def _residue_and_chain(table: NDArray[np.uint8]) -> tuple[NDArray[np.bytes_], NDArray[np.bytes_]]:
    """Residue names and chains: names of four letters (CHARMM) and chains of two share column 21.

    In files where a standard residue of three letters (or a name that is right-aligned) is followed by two more
    letters, that column is the chain's; else it is the name's. A file without chains has segments in their place.
    """
    name, chain = np.char.strip(_text(table, 17, 21)), np.char.strip(_text(table, 21, 22))
    shared = (table[:, 20] != 32) & (table[:, 21] != 32)
    if shared.any():
        short = np.char.strip(_text(table, 17, 20))
        standard = are(short, _STANDARD) | (table[:, 17] == 32)
        if (standard & shared).any():
            name = np.where(shared, short, name)
            chain = np.where(shared, np.char.strip(_text(table, 20, 22)), chain)
    blank = chain == b""
    if blank.any():
        segment = np.char.strip(_text(table, 72, 76))
        chain = np.where(blank & _is_segment(table), segment, chain)
    return name.astype("S4"), chain.astype("S4")


_STANDARD = frozenset(n.encode() for n in AMINO_ACIDS | NUCLEOTIDES) | WATERS


def _is_segment(table: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether columns 73 to 76 are a segment: left-aligned, after a blank, and not a line number of the old format."""
    letter = table[:, 72] | 32
    found: NDArray[np.bool_] = (letter >= ord("a")) & (letter <= ord("z")) & (table[:, 71] == 32)
    return found


def _text(table: NDArray[np.uint8], start: int, stop: int) -> NDArray[np.bytes_]:
    return np.ascontiguousarray(table[:, start:stop]).view(f"S{stop - start}").ravel()


def _floats(table: NDArray[np.uint8], start: int, stop: int, block: Block, what: str) -> NDArray[np.float64]:
    text = _text(table, start, stop)
    try:
        return text.astype(np.float64)
    except ValueError:
        for i, cell in enumerate(text):
            try:
                float(cell)
            except ValueError:
                raise ReadError(
                    f"line {block.number(i)} has {cell.decode('ascii', 'replace').strip()!r} where a {what} is expected"
                ) from None
        raise


def _optional_floats(table: NDArray[np.uint8], start: int, stop: int, default: float) -> NDArray[np.float32]:
    text = np.char.strip(_text(table, start, stop))
    try:
        return np.where(text == b"", str(default).encode(), text).astype(np.float32)
    except ValueError:
        return np.full(len(table), default, np.float32)


def _integers(table: NDArray[np.uint8], start: int, stop: int) -> NDArray[np.int32]:
    text = np.char.strip(_text(table, start, stop))
    try:
        return np.where(text == b"", b"0", text).astype(np.int32)
    except ValueError:
        return np.array([_integer(cell) for cell in text], np.int32)


def _integer(cell: bytes) -> int:
    """Residue numbers beyond 9999 are written in hybrid base 36 by some programs; others become 0."""
    try:
        return int(cell)
    except ValueError:
        pass
    try:
        value = int(cell, 36)
    except ValueError:
        return 0
    if len(cell) != 4 or not cell[:1].isalpha():
        return value
    return value - 10 * 36**3 + 10**4 + (26 * 36**3 if cell[:1].islower() else 0)


def _symbols(table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Atomic numbers by the element column; 0 where it has no symbol. A symbol one column too far right is read."""
    text = np.char.strip(_text(table, 76, 78))
    late = (table[:, 76] == 32) & (table[:, 77] > 64) & (table[:, 78] > 64)
    if late.any():
        text = np.where(late, _text(table, 77, 79), text)
    kinds, inverse = np.unique(text, return_inverse=True)
    found = np.array([NUMBERS.get(k.decode("ascii", "replace").upper(), 0) for k in kinds], np.uint8)
    return found[inverse]


def _charges(table: NDArray[np.uint8]) -> NDArray[np.int8]:
    charge = np.zeros(len(table), np.int8)
    text = np.char.strip(_text(table, 78, 80))
    for i in np.flatnonzero(text != b""):
        cell = text[i].decode("ascii", "replace")
        digits = cell.strip("+-")
        if cell[-1] in "+-" and digits.isdigit():
            charge[i] = int(digits) * (1 if cell[-1] == "+" else -1)
        elif cell[0] in "+-" and digits.isdigit():
            charge[i] = int(digits) * (1 if cell[0] == "+" else -1)
    return charge


#: AutoDock types whose element is not their own letters
_AUTODOCK = {
    "A": 6, "G": 6, "GA": 6, "J": 6, "Q": 6, "CG": 6, "CG0": 6, "CG1": 6, "CG2": 6, "CG3": 6,
    "NA": 7, "NS": 7, "NX": 7, "OA": 8, "OS": 8, "OX": 8, "SA": 16, "HD": 1, "HS": 1,
}  # fmt: skip
#: types that are no atoms: glue atoms of opened rings, waters of hydrated docking, zinc's pseudo-atoms
_NO_ATOMS = frozenset(("G0", "G1", "G2", "G3", "W", "TZ", "LP", "DU"))


def _autodock(table: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Atomic numbers by AutoDock's types (0 where there is no type), and which are no atoms."""
    kinds, inverse = np.unique(np.char.strip(_text(table, 77, 80)), return_inverse=True)
    names = [k.decode("ascii", "replace").upper() for k in kinds]
    number = np.array([_AUTODOCK.get(n, NUMBERS.get(n, 0)) for n in names], np.uint8)
    none = np.array([n in _NO_ATOMS for n in names], bool)
    return np.where(none[inverse], 0, number[inverse]).astype(np.uint8), none[inverse]
