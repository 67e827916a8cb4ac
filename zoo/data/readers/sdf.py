"""SDF and MOL files: many records, by RDKit. What RDKit cannot sanitise is typed from geometry."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.zoo.data.readers.base import Failure, PoseRecord, RawAtoms, ReadError, ReadOptions
from affinity_zoo.zoo.data.readers.elements import COVALENT_RADIUS, SYMBOLS
from affinity_zoo.zoo.data.readers.rdkit_types import type_molecule
from affinity_zoo.zoo.data.readers.scores import from_properties
from affinity_zoo.zoo.data.readers.select import make_atoms
from affinity_zoo.zoo.data.readers.typing import Typing, type_from_geometry

_PROPERTY = re.compile(r"^>.*?<([^>\n]*)>[^\n]*\n(.*?)(?=^\s*$|^>|\Z)", re.MULTILINE | re.DOTALL)
_END = re.compile(rb"^\$\$\$\$[^\n]*\n?", re.MULTILINE)


def read_poses(data: bytes, file: str, options: ReadOptions, first: int, last: float) -> Iterator[PoseRecord]:
    """The records of an SDF file."""
    from rdkit import RDLogger

    RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]
    for record, text in enumerate(split_records(data)):
        if record >= last:
            return
        if record >= first:
            yield _record(record, text.decode("utf-8", "replace"), file, options)


def split_records(data: bytes) -> Iterator[bytes]:
    """The records of an SDF file, unparsed, in order."""
    data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    start = 0
    for end in _END.finditer(data):
        yield data[start : end.start()]
        start = end.end()
    if data[start:].strip():
        yield data[start:]


#: types by the record without its coordinates: poses of one molecule are typed once
_TYPED: dict[str, Typing] = {}
_MOST_TYPED: Final = 256


def _graph(block: str) -> str:
    """A V2000 record without its coordinates: all that its types depend on; empty for other versions."""
    lines = block.split("\n")
    if len(lines) < 5 or "V2000" not in lines[3] or not lines[3][:3].strip().isdigit():
        return ""
    atoms = int(lines[3][:3])
    return "\n".join([lines[3], *(line[30:] for line in lines[4 : 4 + atoms]), *lines[4 + atoms :]])


def _record(record: int, text: str, file: str, options: ReadOptions) -> PoseRecord:
    name = text.partition("\n")[0].strip()
    block, mark, rest = text.partition("M  END")
    properties = {key: value.strip() for key, value in _PROPERTY.findall(rest)}
    try:
        atoms, notes, hydrogens = _atoms(block + (mark or "M  END") + "\n", options)
    except ReadError as error:
        return PoseRecord(record, name, failure=Failure(file, record, error.stage, error.reason))
    return PoseRecord(
        record,
        name,
        atoms,
        docking_score=from_properties(properties),
        properties=properties,
        notes=notes,
        hydrogens=hydrogens,
    )


def _atoms(block: str, options: ReadOptions) -> tuple[Atoms, list[str], int]:
    from rdkit import Chem

    try:
        molecule = Chem.MolFromMolBlock(block, sanitize=False, removeHs=False, strictParsing=False)
    except Exception as error:
        raise ReadError(f"RDKit cannot read the record ({error})") from error
    if molecule is None or not molecule.GetNumConformers():
        raise ReadError("RDKit cannot read the record: its counts, atoms or bonds do not fit together")
    xyz = molecule.GetConformer().GetPositions().astype(np.float32)
    if not np.isfinite(xyz).all():
        raise ReadError("the record has coordinates that are not finite numbers")
    numbers = np.array([a.GetAtomicNum() for a in molecule.GetAtoms()], np.int64)
    heavy = np.flatnonzero(numbers != 1)
    if not len(heavy):
        raise ReadError("the record has no heavy atom", "type")
    if len(heavy) > 1 and not np.ptp(xyz[heavy], axis=0).any():
        raise ReadError("the record has no 3D coordinates: all atoms are in one place")
    notes: list[str] = []
    if len(heavy) > 3 and not np.ptp(xyz[heavy, 2]) and not np.any(xyz[heavy, 2]):
        notes.append("all z are 0: a drawing, not a 3D structure?")
    raw = _raw(xyz[heavy], numbers[heavy])
    typing = _typing(molecule, heavy, raw, options, notes, _graph(block))
    return make_atoms("ligand", raw, typing), notes, len(numbers) - len(heavy)


def _typing(
    molecule: Any, heavy: Any, raw: RawAtoms, options: ReadOptions, notes: list[str], graph: str
) -> Typing:
    from rdkit import Chem

    if options.ligand_bonds == "perceive":
        return type_from_geometry(raw.xyz, raw.element)
    if (typed := _TYPED.get(graph)) is not None:
        return typed
    place = {int(i): k for k, i in enumerate(heavy)}
    pairs = [(b.GetBeginAtomIdx(), b.GetEndAtomIdx()) for b in molecule.GetBonds()]
    known = heavy_pairs(pairs, place, raw.element)
    if any(b.GetBondType() == Chem.BondType.AROMATIC for b in molecule.GetBonds()):
        # "Aromatic" bonds (PDBbind's files) say which N-H there is by the hydrogen alone: geometry, as for MOL2.
        return type_from_geometry(raw.xyz, raw.element, known)
    try:
        Chem.SanitizeMol(molecule)
        typed = type_molecule(molecule, heavy.tolist())
        if graph:
            if len(_TYPED) >= _MOST_TYPED:
                _TYPED.clear()
            _TYPED[graph] = typed
        return typed
    except Exception as error:
        notes.append(f"typed from geometry: RDKit cannot sanitise it ({str(error).strip().splitlines()[0]})")
    return type_from_geometry(raw.xyz, raw.element, known)


def heavy_pairs(pairs: list[tuple[int, int]], place: dict[int, int], element: Any) -> Any:
    """Bonds among heavy atoms that can be covalent, renumbered, ordered, each once."""
    found = {
        (min(place[i], place[j]), max(place[i], place[j]))
        for i, j in pairs
        if i in place and j in place and i != j
    }
    kept = [
        (i, j)
        for i, j in sorted(found)
        if COVALENT_RADIUS[element[i]] > 0 and COVALENT_RADIUS[element[j]] > 0
    ]
    return np.array(kept, np.int64).reshape(-1, 2)


def _raw(xyz: Any, numbers: Any) -> RawAtoms:
    n = len(xyz)
    known = np.where((numbers > 0) & (numbers < len(SYMBOLS)), numbers, 0).astype(np.uint8)
    return RawAtoms(
        xyz=xyz,
        element=known,
        name=np.array([SYMBOLS[z].upper() for z in known], "S4"),
        residue_name=np.full(n, b"LIG", "S4"),
        residue_number=np.ones(n, np.int32),
        insertion=np.zeros(n, "S1"),
        chain=np.zeros(n, "S4"),
        altloc=np.zeros(n, "S1"),
        occupancy=np.ones(n, np.float32),
        charge=np.zeros(n, np.int8),
        hetero=np.ones(n, bool),
    )
