"""SDF and MOL files, by RDKit. Molecules that RDKit cannot sanitise are typed from geometry."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.zoo.data.readers.base import Failure, PoseRecord, RawAtoms, ReadError, ReadOptions
from affinity_zoo.zoo.data.readers.bonds import bonds
from affinity_zoo.zoo.data.readers.elements import COVALENT_RADIUS, SYMBOLS
from affinity_zoo.zoo.data.readers.rdkit_types import type_molecule
from affinity_zoo.zoo.data.readers.repair import repaired
from affinity_zoo.zoo.data.readers.sanity import distances, pieces, position_findings, skeleton
from affinity_zoo.zoo.data.readers.scores import from_properties
from affinity_zoo.zoo.data.readers.sdf_coordinates import check_coordinates
from affinity_zoo.zoo.data.readers.sdf_records import split_records, starts
from affinity_zoo.zoo.data.readers.select import make_atoms
from affinity_zoo.zoo.data.readers.typing import Typing, type_from_geometry

_PROPERTY = re.compile(r"^>.*?<([^>\n]*)>[^\n]*\n(.*?)(?=^\s*$|^>|\Z)", re.MULTILINE | re.DOTALL)
_LINE_OF_PROPERTY = re.compile(r"^>", re.MULTILINE)


def read_poses(data: bytes, file: str, options: ReadOptions, first: int, last: float) -> Iterator[PoseRecord]:
    """The records of an SDF file.

    Args:
        data: Content of the file.
        file: Path of the file, for the record's name.
        options: What is kept of waters, alternate locations and models, and how atoms are typed.
        first: First record to read, from 0.
        last: Record to stop before; infinity: read to the end.
    """
    from rdkit import RDLogger

    RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]
    for record, text in enumerate(split_records(data)):
        if record >= last:
            return
        if record >= first:
            yield _record(record, text.decode("utf-8", "replace"), file, options)


#: types by the record without its coordinates: poses of one molecule are typed once
_TYPED: dict[str, _Typed] = {}
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
    if not mark and (start := _LINE_OF_PROPERTY.search(text)):
        block, rest = text[: start.start()], text[start.start() :]
    properties = {key: value.strip() for key, value in _PROPERTY.findall(rest)}
    try:
        read = _read(block.rstrip("\n") + "\nM  END\n", options)
    except ReadError as error:
        return PoseRecord(record, name, failure=Failure(file, record, error.stage, error.reason))
    return PoseRecord(
        record,
        name,
        read.atoms,
        docking_score=from_properties(properties),
        properties=properties,
        notes=read.notes,
        hydrogens=read.hydrogens,
        skeleton=read.skeleton,
    )


@dataclass(frozen=True, eq=False)
class _Read:
    """Content of a mol block."""

    atoms: Atoms
    notes: list[str]
    hydrogens: int
    skeleton: str


@dataclass(frozen=True, eq=False)
class _Typed:
    """Data of a mol block that do not depend on coordinates: equal for all poses of a molecule."""

    heavy: NDArray[np.int64]
    elements: NDArray[np.int64]  #: (heavy) atomic numbers
    hydrogens: int
    typing: Typing
    notes: tuple[str, ...]
    pairs: NDArray[np.int64]
    skeleton: str
    perceived: bool  #: the types depend on the coordinates


def _read(block: str, options: ReadOptions) -> _Read:
    graph = _graph(block) if options.ligand_bonds == "file" else ""
    typed = _TYPED.get(graph) if graph else None
    xyz = _positions(block) if typed is not None else None
    if typed is None or xyz is None:
        molecule, xyz = _parsed(block)
        typed = _typed(molecule, xyz, options)
        if graph and not typed.perceived:
            if len(_TYPED) >= _MOST_TYPED:
                _TYPED.clear()
            _TYPED[graph] = typed
    heavy = xyz[typed.heavy]
    if not np.isfinite(xyz).all():
        raise ReadError("the record has coordinates that are not finite numbers")
    notes = [*typed.notes, *position_findings(heavy)]
    raw = _raw(heavy, typed.elements)
    notes += distances(raw, typed.pairs)
    return _Read(make_atoms("ligand", raw, typed.typing), notes, typed.hydrogens, typed.skeleton)


def _parsed(block: str) -> tuple[Any, NDArray[np.float32]]:
    """The molecule as RDKit reads it, not sanitised, and its coordinates."""
    from rdkit import Chem

    check_coordinates(block)
    try:
        molecule = Chem.MolFromMolBlock(block, sanitize=False, removeHs=False, strictParsing=False)
    except Exception as error:
        raise ReadError(f"RDKit cannot read the record ({error})") from error
    if molecule is None or not molecule.GetNumConformers():
        raise ReadError("RDKit cannot read the record: its counts, atoms and bonds contradict each other")
    xyz = molecule.GetConformer().GetPositions().astype(np.float32)
    if not np.isfinite(xyz).all():
        raise ReadError("the record has coordinates that are not finite numbers")
    return molecule, xyz


def _positions(block: str) -> NDArray[np.float32] | None:
    """Coordinates of a V2000 record whose molecule is known already; None: RDKit must read it."""
    lines = block.split("\n")
    atoms = lines[4 : 4 + int(lines[3][:3])]
    try:
        return np.array([(float(a[:10]), float(a[10:20]), float(a[20:30])) for a in atoms]).astype(np.float32)
    except ValueError:
        return None


def _pseudo(molecule: Any, numbers: NDArray[np.int64]) -> list[int]:
    """Lone pairs and dummies among the atoms that are no element."""
    found = []
    for i in np.flatnonzero(numbers == 0).tolist():
        atom = molecule.GetAtomWithIdx(i)
        label = atom.GetProp("dummyLabel") if atom.HasProp("dummyLabel") else atom.GetSymbol()
        if label.upper() in ("LP", "DU", "DUM", "XX"):
            found.append(i)
    return found


def _typed(molecule: Any, xyz: NDArray[np.float32], options: ReadOptions) -> _Typed:
    numbers = np.array([a.GetAtomicNum() for a in molecule.GetAtoms()], np.int64)
    keep = numbers != 1
    notes: tuple[str, ...] = ()
    if pseudo := _pseudo(molecule, numbers):
        keep[pseudo] = False
        notes = (f"{len(pseudo)} pseudo-atoms left out (lone pairs, dummies)",)
    heavy = np.flatnonzero(keep)
    if not len(heavy):
        raise ReadError("the record has no heavy atom", "type")
    raw = _raw(xyz[heavy], numbers[heavy])
    typing = None
    if options.ligand_bonds == "perceive":
        pairs = bonds(raw.xyz, raw.element)[0]
    else:
        place = {int(i): k for k, i in enumerate(heavy)}
        found = [(b.GetBeginAtomIdx(), b.GetEndAtomIdx()) for b in molecule.GetBonds()]
        pairs = heavy_pairs(found, place, raw.element)
        typing, done = _from_bonds(molecule, heavy)
        notes += done
    perceived = typing is None
    if typing is None:
        typing = type_from_geometry(raw.xyz, raw.element, pairs)
    if (n := pieces(raw, pairs)) > 1:
        notes += (f"the ligand is in {n} pieces",)
    same = skeleton(raw.element, pairs)
    hydrogens = int((numbers == 1).sum())
    return _Typed(heavy, numbers[heavy], hydrogens, typing, notes, pairs, same, perceived)


def _from_bonds(molecule: Any, heavy: NDArray[np.int64]) -> tuple[Typing | None, tuple[str, ...]]:
    """Type by the bonds of the file, repaired if RDKit refuses them; None: use geometry."""
    from rdkit import Chem

    if any(b.GetBondType() == Chem.BondType.AROMATIC for b in molecule.GetBonds()):
        # "Aromatic" bonds (PDBbind's files) show N-H by the hydrogen only: typed from geometry, as for MOL2.
        return None, ()
    try:
        fixed, done = repaired(molecule)
        return type_molecule(fixed, heavy.tolist()), done
    except Exception as error:
        reason = (str(error).strip().splitlines() or ["?"])[0]
        return None, (f"typed from geometry: RDKit cannot sanitise it ({reason})",)


def heavy_pairs(pairs: list[tuple[int, int]], place: dict[int, int], element: Any) -> Any:
    """Bonds among heavy atoms that can be covalent, renumbered, ordered, each once.

    Args:
        pairs: (M, 2) bonded atoms.
        place: Number of each atom among the heavy atoms; -1: hydrogen.
        element: (N,) atomic numbers.
    """
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
    known = np.where((numbers > 0) & (numbers < len(SYMBOLS)), numbers, 0).astype(np.uint8)
    names = np.array([SYMBOLS[z].upper() for z in known], "S4")
    return RawAtoms.of(xyz, known, names, hetero=np.ones(len(xyz), bool))


def count(data: bytes) -> int:
    """Return the number of records of a file.

    Args:
        data: Content of the file.
    """
    return len(starts(data)) - 1
