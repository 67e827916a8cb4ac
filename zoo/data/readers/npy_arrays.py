"""The ancestor's arrays: .npy with the columns x, y, z (Å) and element tag."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final

import numpy as np

from affinity_zoo.plugins.contracts import Role
from affinity_zoo.zoo.data.readers.base import Failure, PoseRecord, RawAtoms, ReadError, ReadOptions, Receptor
from affinity_zoo.zoo.data.readers.bonds import bonds
from affinity_zoo.zoo.data.readers.elements import SYMBOLS
from affinity_zoo.zoo.data.readers.sanity import position_findings, skeleton
from affinity_zoo.zoo.data.readers.select import heavy, make_atoms
from affinity_zoo.zoo.data.readers.typing import type_from_geometry

#: tag -> element; a tag of several elements means the commonest (7: N, P; 8: O, S; 9: the halogens)
_ELEMENT: Final = {0: 1, 1: 1, 5: 5, 6: 6, 7: 7, 8: 8, 9: 17}
_RECEPTOR: Final = 20  #: what the tags of a receptor have on top
NOTE: Final = "from four-column arrays: elements guessed from tags (7 as N, 8 as O, 9 as Cl), bonds perceived"


def parse_npy(data: bytes, role: Role) -> RawAtoms:
    """The atoms of an array (N, 4).

    Args:
        data: Content of the file.
        role: ``receptor`` or ``ligand``.

    Raises:
        ReadError: it is no such array.
    """
    try:
        table = np.load(io.BytesIO(data), allow_pickle=False)
    except Exception as error:  # NumPy parses the header as Python and lets its errors through
        raise ReadError(f"NumPy cannot read it ({str(error).strip()[:80]})") from error
    if (
        not isinstance(table, np.ndarray)
        or table.ndim != 2
        or table.shape[1] != 4
        or table.dtype.kind not in "fiu"
    ):
        raise ReadError("it is not an array with the four columns x, y, z and tag")
    if not len(table) or not np.isfinite(table).all():
        raise ReadError("the array is empty or has numbers that are not finite")
    tag = np.rint(table[:, 3]).astype(np.int64)
    tag = np.where(tag >= _RECEPTOR, tag - _RECEPTOR, tag)
    element = np.array([_ELEMENT.get(int(t), 0) for t in tag], np.uint8)
    names = np.array([SYMBOLS[z].upper() for z in element], "S4")
    unknown = b"LIG" if role == "ligand" else b"UNK"
    return RawAtoms.of(
        table[:, :3].astype(np.float32), element, names, residue_name=np.full(len(table), unknown, "S4")
    )


def read_receptor(data: bytes, options: ReadOptions) -> Receptor:
    """The receptor of an array.

    Args:
        data: Content of the file.
        options: What is kept of waters, alternate locations and models, and how atoms are typed.
    """
    raw = heavy(parse_npy(data, "receptor"))
    if not len(raw):
        raise ReadError("the array has no heavy atom", "type")
    return Receptor(make_atoms("receptor", raw, type_from_geometry(raw.xyz, raw.element)), [NOTE])


def read_poses(data: bytes, file: str, options: ReadOptions, first: int, last: float) -> Iterator[PoseRecord]:
    """The one ligand of an array.

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
        raw = heavy(parse_npy(data, "ligand"))
        if not len(raw):
            raise ReadError("the array has no heavy atom", "type")
        notes = [NOTE, *position_findings(raw.xyz)]
        pairs = bonds(raw.xyz, raw.element)[0]
        atoms = make_atoms("ligand", raw, type_from_geometry(raw.xyz, raw.element, pairs))
        yield PoseRecord(0, "", atoms, notes=notes, skeleton=skeleton(raw.element, pairs))
    except ReadError as error:
        yield PoseRecord(0, "", failure=Failure(file, 0, error.stage, error.reason))
