"""Reading of the poses of a chunk: one per row, with its atoms or the reason of a failure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

from scipy.spatial import cKDTree

from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.data.readers import Failure, PoseRecord, ReadOptions, read_poses, read_receptor
from affinity_zoo.zoo.data.readers import sdf as sdf_reader
from affinity_zoo.zoo.data.readers.formats import holds_many
from affinity_zoo.zoo.data.readers.openbabel_types import retyped_pose
from affinity_zoo.zoo.data.readers.sdf_records import split_records
from affinity_zoo.zoo.prediction.chunks import Piece
from affinity_zoo.zoo.prediction.inputs import stamp

#: names that say nothing: programs write them where they know none
_NO_NAMES: Final = frozenset(("", "LIG", "UNL", "UNK", "UNL1", "MOL", "INH", "DRG", "***", "*****", "LIGAND"))


@dataclass(frozen=True, eq=False)
class Protein:
    """A receptor with a tree for neighbour searches."""

    atoms: Atoms
    tree: cKDTree
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Pose:
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
    text: bytes = field(default=b"", repr=False)  #: the record as it stands in an SDF file


def protein(path: str, options: ReadOptions) -> Protein:
    """Read a receptor; the last few are kept as long as their files do not change.

    Args:
        path: The file.
        options: Options of the readers.

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
    return Protein(found.atoms, cKDTree(found.atoms.xyz), tuple(found.notes))


def read_pieces(
    pieces: tuple[Piece, ...], options: ReadOptions, texts: bool = False, given: Protein | None = None
) -> list[Pose]:
    """Read all rows of a chunk.

    Args:
        pieces: of the chunk.
        options: what the reader decides.
        texts: keep the text of SDF records.
        given: a receptor that was read before; None: the pieces name it.
    """
    return [pose for piece in pieces for pose in _piece(piece, options, texts, given)]


def molecule_of(name: str, file: str) -> str:
    """Return the molecule of a pose that is not in a table: the record's name, else the file's.

    Names that programs write where they know none (``LIG``, ``UNL`` and the like) do not count.

    Args:
        name: Name of the record.
        file: The file.
    """
    name = name.strip()
    return name if name.upper() not in _NO_NAMES else _stem(file)


def _piece(piece: Piece, options: ReadOptions, texts: bool, given: Protein | None) -> Iterator[Pose]:
    receptor: Protein | None
    try:
        receptor, broken = given or protein(piece.receptor, options), ""
    except AffinityZooError as error:
        receptor, broken = None, str(error)
    found = list(_records(piece, options, {wanted[0] for wanted in piece.wanted}))
    if piece.wanted:
        by_number = {record.record: (record, text) for record, text in found}
        found = [by_number.get(r) or (_absent(piece, r, found), b"") for r, *_ in piece.wanted]
        rows = [(row_id, molecule, docking_score) for _, row_id, molecule, docking_score in piece.wanted]
    else:
        if piece.last is not None and len(found) < piece.last - piece.first:
            found += [(_absent(piece, r, found), b"") for r in range(piece.first + len(found), piece.last)]
        rows = [(piece.id, piece.molecule, piece.docking_score)] * len(found)
    several = holds_many(Path(piece.shown)) and not piece.alone and (len(found) > 1 or piece.last is not None)
    for (record, text), (row_id, molecule, docking_score) in zip(found, rows, strict=True):
        reason = broken or (record.failure.reason if record.failure else "")
        yield Pose(
            id=_identity(piece, record.record, row_id, several),
            target=piece.target,
            molecule=molecule or molecule_of(record.name, piece.shown),
            name=record.name,
            file=piece.shown,
            record=record.record,
            receptor=piece.receptor,
            docking_score=docking_score if math.isnan(record.docking_score) else record.docking_score,
            notes=tuple(record.notes),
            reason=reason,
            atoms=None if reason else record.atoms,
            protein=receptor,
            text=text if texts and not reason else b"",
        )


def _records(piece: Piece, options: ReadOptions, wanted: set[int]) -> Iterator[tuple[PoseRecord, bytes]]:
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


def _one(piece: Piece, number: int, text: bytes, options: ReadOptions) -> PoseRecord:
    """One SDF record alone, so that one that trips the parser costs no other."""
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


def _absent(piece: Piece, number: int, found: list[tuple[PoseRecord, bytes]]) -> PoseRecord:
    whole = next((record.failure for record, _ in found if record.failure is not None), None)
    if piece.start < 0 and whole is not None:
        return _failed(piece, number, whole.reason)
    return _failed(piece, number, f"the file has no record {number}")


def _failed(piece: Piece, number: int, reason: str) -> PoseRecord:
    return PoseRecord(number, "", failure=Failure(piece.shown, number, "parse", reason))


def _identity(piece: Piece, record: int, row_id: str, several: bool) -> str:
    if row_id and piece.wanted:
        return row_id
    stem = row_id or _stem(piece.shown)
    return f"{stem}#{record}" if several else stem


def _stem(file: str) -> str:
    name = Path(file).name.removesuffix(".gz")
    return name[: len(name) - len(Path(name).suffix)]
