"""gnina's packed typed atoms: 16 bytes each, three float32 (Å) and the type, little endian."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from affinity_zoo.plugins.contracts import AtomFlag, Atoms, Role
from affinity_zoo.zoo.data.readers.base import Failure, PoseRecord, ReadError, ReadOptions, Receptor
from affinity_zoo.zoo.data.readers.bonds import bonds
from affinity_zoo.zoo.data.readers.elements import SYMBOLS
from affinity_zoo.zoo.data.readers.sanity import position_findings, skeleton

_RECORD: Final = np.dtype([("xyz", "<f4", 3), ("type", "<i4")])
#: type -> element; the generic metal has none
_ELEMENT: Final = np.array(
    [1, 1, 6, 6, 6, 6, 7, 7, 7, 7, 8, 8, 8, 8, 16, 16, 15, 9, 17, 35, 53, 12, 25, 30, 20, 26, 0, 5], np.uint8
)
_HYDROPHOBIC, _AROMATIC = AtomFlag.HYDROPHOBIC, AtomFlag.AROMATIC
_DONOR, _ACCEPTOR, _METAL = AtomFlag.DONOR, AtomFlag.ACCEPTOR, AtomFlag.METAL
#: type -> properties of the atom
_FLAGS: Final[dict[int, int]] = {
    2: _HYDROPHOBIC, 4: _HYDROPHOBIC | _AROMATIC, 5: _AROMATIC, 7: _DONOR, 8: _DONOR | _ACCEPTOR, 9: _ACCEPTOR,
    11: _DONOR, 12: _DONOR | _ACCEPTOR, 13: _ACCEPTOR, 15: _ACCEPTOR, 17: _HYDROPHOBIC, 18: _HYDROPHOBIC,
    19: _HYDROPHOBIC, 20: _HYDROPHOBIC, **dict.fromkeys(range(21, 27), _METAL),
}  # fmt: skip


def parse_gninatypes(data: bytes, role: Role) -> Atoms:
    """The heavy atoms of a file.

    Args:
        data: Content of the file.
        role: ``receptor`` or ``ligand``.

    Raises:
        ReadError: the length is no multiple of 16, a type is none, a coordinate is not finite, or no heavy atom.
    """
    if len(data) % _RECORD.itemsize:
        raise ReadError(
            f"its length, {len(data)} bytes, is not a multiple of {_RECORD.itemsize}: the file may be truncated"
        )
    table = np.frombuffer(data, _RECORD)
    if not np.isfinite(table["xyz"]).all() or np.abs(table["xyz"]).max() > 1e6:
        raise ReadError("it has coordinates that are not finite numbers of Å")
    kind = table["type"]
    if kind.min() < 0 or kind.max() >= len(_ELEMENT):
        raise ReadError(
            f"it has the atom type {int(kind.max())}, but gnina's types are 0 to {len(_ELEMENT) - 1}", "type"
        )
    table = table[kind > 1]
    if not len(table):
        raise ReadError("it has no heavy atom", "type")
    kind = table["type"].astype(np.uint8)
    flags = np.zeros(len(_ELEMENT), np.uint16)
    for t, flag in _FLAGS.items():
        flags[t] = int(flag)
    element = _ELEMENT[kind]
    return Atoms(
        role=role,
        xyz=np.ascontiguousarray(table["xyz"]),
        element=element,
        atom_type=kind,
        flags=flags[kind],
        charge=np.zeros(len(kind), np.int8),
        name=np.array([SYMBOLS[z].upper() for z in element], "S4"),
        residue_name=np.full(len(kind), b"LIG" if role == "ligand" else b"UNK", "S4"),
        residue_number=np.ones(len(kind), np.int32),
        chain=np.zeros(len(kind), "S4"),
    )


def read_receptor(data: bytes, options: ReadOptions) -> Receptor:
    """Read the receptor of a file; all groups in it are kept.

    Args:
        data: Content of the file.
        options: What is kept of waters, alternate locations and models, and how atoms are typed.
    """
    return Receptor(parse_gninatypes(data, "receptor"))


def read_poses(data: bytes, file: str, options: ReadOptions, first: int, last: float) -> Iterator[PoseRecord]:
    """The one ligand of a file.

    Args:
        data: Content of the file.
        file: Path of the file, for the record's name.
        options: What is kept of waters, alternate locations and models, and how atoms are typed.
        first: First record to read, from 0.
        last: Record to stop before; infinity: read to the end.
    """
    if not first <= 0 < last:
        return
    try:
        atoms = parse_gninatypes(data, "ligand")
        notes = position_findings(atoms.xyz)
        pairs = bonds(atoms.xyz, atoms.element)[0]
        yield PoseRecord(0, "", atoms, notes=notes, skeleton=skeleton(atoms.element, pairs))
    except ReadError as error:
        yield PoseRecord(0, "", failure=Failure(file, 0, error.stage, error.reason))
