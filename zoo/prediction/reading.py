"""Reading of the poses of a chunk: one per row, with its atoms or the reason of a failure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from scipy.spatial import cKDTree

from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.data.readers import (
    Failure,
    PoseRecord,
    ReadOptions,
    Receptor,
    read_poses,
    read_receptor,
)
from affinity_zoo.zoo.data.readers import sdf as sdf_reader
from affinity_zoo.zoo.data.readers.bound import Foreign, foreign_residues, lying_on, without
from affinity_zoo.zoo.data.readers.formats import count_records, holds_many, stem
from affinity_zoo.zoo.data.readers.openbabel_types import retyped_pose
from affinity_zoo.zoo.data.readers.records import absent, molecule_of, row_id
from affinity_zoo.zoo.data.readers.sdf_records import split_records
from affinity_zoo.zoo.prediction.chunks import RecordRange
from affinity_zoo.zoo.prediction.inputs import stamp


@dataclass(frozen=True, eq=False)
class Protein:
    """A receptor with a tree for neighbour searches."""

    atoms: Atoms
    tree: cKDTree
    notes: tuple[str, ...]  #: what its reader guessed, and what is odd about it
    foreign: tuple[Foreign, ...] = ()  #: residues that may be a ligand left in it

    @classmethod
    def of(cls, found: Receptor) -> Protein:
        """A receptor as read.

        Args:
            found: by its reader.
        """
        atoms = found.atoms
        return cls(atoms, cKDTree(atoms.xyz), tuple(found.findings), tuple(foreign_residues(atoms)))

    def without(self, residues: tuple[str, ...]) -> Protein:
        """The same receptor without residues, of the same identity each time.

        Args:
            residues: their labels.
        """
        return _without(self, residues)


@dataclass(frozen=True, eq=False)
class ComplexPose:
    """One row: its pose in its receptor, or the reason why there is no score."""

    id: str
    target: str
    molecule: str
    name: str
    file: str
    record: int
    receptor: str
    docking_score: float
    notes: tuple[str, ...]
    reason: str
    atoms: Atoms | None = None
    protein: Protein | None = None
    text: bytes = field(default=b"", repr=False)  #: the unchanged record of an SDF file
    skeleton: str = ""  #: equal for equal molecules, see :class:`PoseRecord`
    bound: str = ""  #: a residue of the receptor that lies where the pose lies
    path: str = ""  #: the file that was read, where ``file`` is how the user named it


def protein(path: str, options: ReadOptions) -> Protein:
    """Read a receptor; the last few are kept as long as their files do not change.

    Args:
        path: The file.
        options: What is kept of waters, alternate locations and models, and how atoms are typed.

    Raises:
        AffinityZooError: it cannot be read.
    """
    return _protein(path, stamp(path), options)


@lru_cache(maxsize=8)
def _protein(path: str, stamp: bytes, options: ReadOptions) -> Protein:
    try:
        found = read_receptor(path, options)
    except AffinityZooError as error:
        raise AffinityZooError(
            f"the receptor cannot be read ({error}); give `receptor` a PDB or mmCIF file"
        ) from error
    return Protein.of(found)


@lru_cache(maxsize=64)
def _without(whole: Protein, residues: tuple[str, ...]) -> Protein:
    atoms = without(whole.atoms, [residue for residue in whole.foreign if residue.label in residues])
    return Protein(atoms, cKDTree(atoms.xyz), whole.notes, ())


def read_pieces(
    pieces: tuple[RecordRange, ...], options: ReadOptions, texts: bool = False, given: Protein | None = None
) -> list[ComplexPose]:
    """Read all rows of a chunk.

    Args:
        pieces: of the chunk.
        options: what the reader decides.
        texts: keep the text of SDF records.
        given: a receptor that was read before; None: the pieces name it.
    """
    return [pose for piece in pieces for pose in _piece(piece, options, texts, given)]


def expected_ids(piece: RecordRange) -> list[str]:
    """The ids of the rows of a piece, without reading its structures.

    Args:
        piece: records of a file.
    """
    base = piece.base or stem(Path(piece.shown))
    many = holds_many(Path(piece.shown))
    if piece.wanted:
        return [named or row_id(base, record, many) for record, named, *_ in piece.wanted]
    total = piece.last - piece.first if piece.last is not None else count_records(Path(piece.ligand), 0) or 1
    several = many and not piece.alone and (total > 1 or piece.last is not None)
    return [row_id(piece.id or base, piece.first + i, several) for i in range(total)]


def _piece(
    piece: RecordRange, options: ReadOptions, texts: bool, given: Protein | None
) -> Iterator[ComplexPose]:
    receptor: Protein | None
    try:
        receptor, broken = given or protein(piece.receptor, options), ""
    except AffinityZooError as error:
        receptor, broken = None, str(error)
    found = list(_records(piece, options, {wanted[0] for wanted in piece.wanted}))
    if piece.wanted:
        by_number = {record.record: (record, text) for record, text in found}
        found = [by_number.get(r) or (_absent(piece, r, found), b"") for r, *_ in piece.wanted]
        rows = [(named, molecule, docking_score) for _, named, molecule, docking_score in piece.wanted]
    else:
        if piece.last is not None and len(found) < piece.last - piece.first:
            found += [(_absent(piece, r, found), b"") for r in range(piece.first + len(found), piece.last)]
        rows = [(piece.id, piece.molecule, piece.docking_score)] * len(found)
    several = holds_many(Path(piece.shown)) and not piece.alone and (len(found) > 1 or piece.last is not None)
    base = piece.base or stem(Path(piece.shown))
    for (record, text), (named, molecule, docking_score) in zip(found, rows, strict=True):
        reason = broken or (record.failure.reason if record.failure else "")
        atoms = None if reason else record.atoms
        here, bound = _in_place(receptor, atoms, piece.drop_bound)
        notes = [*record.notes, *(f"receptor: {note}" for note in (receptor.notes if receptor else ()))]
        yield ComplexPose(
            id=named if named and piece.wanted else row_id(named or base, record.record, several),
            target=piece.target,
            molecule=molecule or molecule_of(record.name, stem(Path(piece.shown))),
            name=record.name,
            file=piece.shown,
            record=record.record,
            receptor=piece.receptor,
            docking_score=docking_score if math.isnan(record.docking_score) else record.docking_score,
            notes=tuple(notes),
            reason=reason,
            atoms=atoms,
            protein=here,
            text=text if texts and not reason else b"",
            skeleton=record.skeleton,
            bound=bound,
            path=piece.ligand,
        )


def _in_place(receptor: Protein | None, ligand: Atoms | None, drop: bool) -> tuple[Protein | None, str]:
    """The receptor that a pose is scored in, and what of it lies where the pose lies."""
    if receptor is None or ligand is None or not receptor.foreign:
        return receptor, ""
    found = lying_on(receptor.foreign, ligand)
    if not found:
        return receptor, ""
    if not drop:
        return receptor, f"{found[0]}: it counts as receptor; `drop_bound_ligand` leaves it out"
    labels = tuple(bound.residue.label for bound in found)
    return receptor.without(
        labels
    ), f"{', '.join(labels)} left out of the receptor: it lies where the pose lies"


def _records(
    piece: RecordRange, options: ReadOptions, wanted: set[int]
) -> Iterator[tuple[PoseRecord, bytes]]:
    if piece.start < 0:
        last = float("inf") if piece.last is None else piece.last
        for record in read_poses(piece.ligand, options, piece.first, last):
            failure = record.failure
            yield replace(record, failure=failure and replace(failure, file=piece.shown)), b""
        return
    try:
        with open(piece.ligand, "rb") as file:
            file.seek(piece.start)
            data = file.read(piece.stop - piece.start)
    except OSError as error:
        yield _failed(piece, piece.first, f"the file cannot be read ({error})"), b""
        return
    for number, text in enumerate(split_records(data), piece.first):
        if not wanted or number in wanted:
            yield _one(piece, number, text, options), text


def _one(piece: RecordRange, number: int, text: bytes, options: ReadOptions) -> PoseRecord:
    """Read one SDF record separately, so that an error of the parser affects no other record."""
    try:
        for record in sdf_reader.read_poses(text, piece.shown, options, 0, 1):
            failure = record.failure and replace(record.failure, record=number)
            texts = [text] if options.typing == "openbabel" else []
            return replace(retyped_pose(record, texts, ".sdf"), record=number, failure=failure)
    except MemoryError:
        raise
    except Exception as error:
        return _failed(piece, number, f"not readable ({type(error).__name__}: {error})")
    return _failed(piece, number, "the record is empty")


def _absent(piece: RecordRange, number: int, found: list[tuple[PoseRecord, bytes]]) -> PoseRecord:
    return absent(piece.shown, number, [record for record, _ in found], piece.start < 0)


def _failed(piece: RecordRange, number: int, reason: str) -> PoseRecord:
    return PoseRecord(number, "", failure=Failure(piece.shown, number, "parse", reason))
