"""mmCIF files, by ProDy."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from affinity_zoo.zoo.data.readers.base import Failure, PoseRecord, RawAtoms, ReadError, ReadOptions, Receptor
from affinity_zoo.zoo.data.readers.elements import atomic_number
from affinity_zoo.zoo.data.readers.select import hydrogens, ligand_from_geometry, receptor_atoms


def parse_mmcif(data: bytes, model: int = 1) -> RawAtoms:
    """The atoms of one model, all alternate locations.

    Raises:
        ReadError: ProDy finds no atoms, or the model is not there.
    """
    import prody

    prody.confProDy(verbosity="none")
    text = data.decode("utf-8", "replace")
    if "_atom_site." not in text:
        raise ReadError("the file has no _atom_site table: it is no mmCIF file with coordinates")
    try:
        found: Any = prody.parseMMCIFStream(io.StringIO(text), model=model, altloc="all", header=False)
    except Exception as error:
        raise ReadError(f"ProDy cannot read it as mmCIF ({type(error).__name__}: {error})") from error
    if found is None or isinstance(found, dict) or not found.numAtoms():
        raise ReadError(f"ProDy finds no atoms of model {model} in it")
    return from_prody(found)


def from_prody(atoms: Any) -> RawAtoms:
    """Raw atoms of a ProDy AtomGroup."""
    n = atoms.numAtoms()

    def text(values: Any, width: int) -> Any:
        blank = np.zeros(n, f"S{width}")
        return blank if values is None else np.char.strip(np.asarray(values, np.str_)).astype(f"S{width}")

    def given(values: Any, default: float, dtype: Any) -> Any:
        return np.full(n, default, dtype) if values is None else np.asarray(values).astype(dtype)

    elements = atoms.getElements()
    symbols = [""] * n if elements is None else [str(e) for e in elements]
    altloc = text(atoms.getAltlocs(), 1)
    altloc[np.isin(altloc, [b".", b"?"])] = b""
    insertion = text(atoms.getIcodes(), 1)
    insertion[np.isin(insertion, [b".", b"?"])] = b""
    coordinates = atoms.getCoords()
    if coordinates is None or not np.isfinite(coordinates).all():
        raise ReadError("it has coordinates that are not finite numbers")
    return RawAtoms(
        xyz=coordinates.astype(np.float32),
        element=np.array([atomic_number(s) for s in symbols], np.uint8),
        name=text(atoms.getNames(), 4),
        residue_name=text(atoms.getResnames(), 4),
        residue_number=given(atoms.getResnums(), 0, np.int32),
        insertion=insertion,
        chain=text(atoms.getChids(), 4),
        altloc=altloc,
        occupancy=given(atoms.getOccupancies(), 1.0, np.float32),
        charge=np.zeros(n, np.int8),
        hetero=given(atoms.getFlags("hetatm"), 0, bool),
    )


def read_receptor(data: bytes, options: ReadOptions) -> Receptor:
    """The receptor of an mmCIF file."""
    atoms, notes = receptor_atoms(parse_mmcif(data, options.model), options)
    return Receptor(atoms, notes)


def read_poses(data: bytes, file: str, options: ReadOptions, first: int, last: float) -> Iterator[PoseRecord]:
    """The one ligand of an mmCIF file; bonds are perceived."""
    if not first <= 0 < last:
        return
    raw = parse_mmcif(data)
    name = raw.residue_name[0].decode("ascii", "replace")
    try:
        yield PoseRecord(0, name, ligand_from_geometry(raw, options), hydrogens=hydrogens(raw))
    except ReadError as error:
        yield PoseRecord(0, name, failure=Failure(file, 0, error.stage, error.reason))
