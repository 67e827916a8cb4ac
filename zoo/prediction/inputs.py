"""Inputs of a prediction: from options or a table to entries, checked before heavy imports."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.data.readers.formats import stem
from affinity_zoo.zoo.data.readers.records import id_bases, pose_files, receptor_file
from affinity_zoo.zoo.runtime.files import file_hash, whole


@dataclass(frozen=True, slots=True)
class PoseSource:
    """A pose file, or one record of it, with the receptor that its poses lie in."""

    receptor: str  #: path
    ligand: str  #: path
    shown: str  #: the ligand's file as the user named it
    record: int = -1  #: -1: every record of the file, each a row
    target: str = ""
    molecule: str = ""  #: empty: the record's name
    id: str = ""  #: empty: file and record
    docking_score: float = math.nan  #: of the table; the file's own goes before
    base: str = ""  #: what the ids of its records begin with
    drop_bound: bool = False  #: leave residues of the receptor out that lie where a pose lies


@dataclass(frozen=True)
class Wrong:
    """A line of a table without a pose; it gives a failed row."""

    file: str
    record: int
    reason: str


@dataclass(frozen=True)
class PredictionInputs:
    """All inputs of a prediction, in order."""

    entries: Sequence[PoseSource]
    wrong: Sequence[Wrong] = ()
    notes: Sequence[str] = ()  #: what the user should know of how a table was understood
    piped: Sequence[str] = ()  #: files that came in on standard input: their content counts, not their path

    def receptors(self) -> list[str]:
        """The receptor files, each once."""
        return list(dict.fromkeys(entry.receptor for entry in self.entries))

    def check_outputs(self, *outputs: Path | None, table: Path | None = None) -> None:
        """Refuse outputs that would replace an input or each other.

        Args:
            outputs: files to write; None: none.
            table: the inputs' table, if there is one.

        Raises:
            UsageError: two of the files are one.
        """
        written = {Path(path).resolve(): path for path in outputs if path is not None}
        if len(written) < sum(path is not None for path in outputs):
            raise UsageError(
                f"{next(iter(written.values()))} is named for two outputs: give each its own file"
            )
        names = {path.name for path in written} | {path.name for path in written.values()}
        files = {file for entry in self.entries for file in (entry.receptor, entry.ligand)}
        given = [Path(file) for file in files if os.path.basename(file) in names]
        for file in (*given, *([table] if table is not None else [])):
            if file.resolve() in written:
                raise UsageError(
                    f"{file} is an input: writing the output there would replace it; name another file"
                )

    def stamp(self) -> str:
        """A hash that changes when a path, a choice or a file (by size and time) does."""
        total = hashlib.sha256()
        seen: set[str] = set()
        for entry in self.entries:
            total.update(
                repr(
                    (
                        entry.record,
                        entry.target,
                        entry.molecule,
                        entry.id,
                        entry.docking_score,
                        entry.drop_bound,
                    )
                ).encode()
            )
            for file in (entry.receptor, entry.ligand):
                total.update(b"-" if file in self.piped else file.encode())
                if file not in seen:
                    seen.add(file)
                    total.update(file_hash(Path(file)).encode() if file in self.piped else stamp(file))
        total.update(repr(self.wrong).encode())
        return total.hexdigest()


def from_files(
    receptor: str | Path,
    poses: Sequence[str | Path],
    piped: Sequence[str] = (),
    drop_bound_ligand: bool = False,
) -> PredictionInputs:
    """Poses of one receptor: files, and folders of files, which are searched through.

    Args:
        receptor: its file; a folder of poses may hold it.
        poses: files and folders.
        piped: those of the files that came in on standard input.
        drop_bound_ligand: leave residues of the receptor out that lie where a pose lies.

    Raises:
        AffinityZooError: something named is not there.
    """
    protein = str(receptor_file(receptor))
    target = stem(Path(protein))
    files = [str(file) for file in pose_files(poses, but=[protein])]
    shown = {file: Path(file).name for file in piped}
    bases = id_bases(shown.get(file, file) for file in files)
    entries = [
        PoseSource(
            protein, f, shown.get(f, f), target=target, base=bases[shown.get(f, f)], drop_bound=drop_bound_ligand
        )
        for f in files
    ]  # fmt: skip
    return PredictionInputs(entries, piped=tuple(piped))


def from_table(table: Path, root: Path | None = None, drop_bound_ligand: bool = False) -> PredictionInputs:
    """The rows of a CSV table (or ``.types`` list), understood as ``affinity-zoo index`` does.

    Args:
        table: columns receptor and ligand (files), optionally id, record, target, molecule and others.
        root: what its paths are relative to; None: the table's folder.
        drop_bound_ligand: as for :func:`from_files`.

    Raises:
        AffinityZooError: it is no such table.
    """
    from affinity_zoo.zoo.data.layouts import tables, types_list
    from affinity_zoo.zoo.data.layouts.recognise import Hints

    if not table.is_file():
        raise AffinityZooError(
            f"{table}: no such file; give a CSV with columns receptor and ligand to `table`"
        )
    plan = tables.table(table, Hints()) or types_list.types(table, Hints())
    if plan is None:
        raise UsageError(
            f"{table} is not a table: `table` takes a .csv (columns receptor, ligand) or a .types list"
        )
    folder = plan.root if root is None else root
    bases = id_bases(item.ligand for item in plan.items)
    entries = [
        PoseSource(
            str(folder / item.receptor),
            str(folder / item.ligand),
            item.ligand,
            item.record,
            item.target,
            str(item.values.get("molecule", "")),
            str(item.values.get("id", "")),
            float(item.values.get("docking_score", math.nan)),
            bases[item.ligand],
            drop_bound_ligand,
        )
        for item in plan.items
    ]
    wrong = [Wrong(table.name, f.record, f.reason) for f in plan.failures]
    if not entries and not wrong:
        raise AffinityZooError(f"{table} has no rows: give a table with a row for each pose")
    # notes on truths are of no use here; notes on the columns are
    return PredictionInputs(entries, wrong, [note for note in plan.notes if " is column " in note])


def spooled(stream: Iterator[bytes], path: Path) -> Path:
    """Write a stream (standard input, an unpacked file) to a file that can be read in pieces.

    Args:
        stream: Open binary file.
        path: The file.

    Raises:
        AffinityZooError: nothing came.
    """
    size = 0
    with whole(path, "wb") as file:
        for block in stream:
            size += file.write(block)
        if not size:
            raise AffinityZooError(f"standard input is empty: {path.name} has no content")
    return path


def blocks(stream: object) -> Iterator[bytes]:
    """The bytes of an open binary file, a MiB at a time.

    Args:
        stream: Open binary file.
    """
    while block := stream.read(1 << 20):  # type: ignore[attr-defined]
        yield block


def stamp(file: str) -> bytes:
    """Return size and time of a file, to detect changes.

    Args:
        file: Path of the file.
    """
    try:
        status = os.stat(file)
    except OSError:
        return b"missing"
    return f"{status.st_size}:{status.st_mtime_ns}".encode()
