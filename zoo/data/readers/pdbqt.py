"""PDBQT files of AutoDock and Vina: receptors, and poses (one a MODEL) with their scores."""

from __future__ import annotations

import re
from collections.abc import Iterator

from affinity_zoo.zoo.data.readers.base import Failure, PoseRecord, ReadError, ReadOptions, Receptor
from affinity_zoo.zoo.data.readers.pdb import parse_pdb
from affinity_zoo.zoo.data.readers.scores import from_remarks
from affinity_zoo.zoo.data.readers.select import hydrogens, ligand_from_geometry, receptor_atoms

_MODEL = re.compile(rb"^(?=MODEL\b)", re.MULTILINE)
_NAME = re.compile(rb"^REMARK\s+Name\s*=\s*(\S+)", re.MULTILINE)


def read_receptor(data: bytes, options: ReadOptions) -> Receptor:
    """The receptor of a PDBQT file."""
    atoms, notes = receptor_atoms(parse_pdb(data, pdbqt=True)[0], options)
    return Receptor(atoms, notes)


def read_poses(data: bytes, file: str, options: ReadOptions, first: int, last: float) -> Iterator[PoseRecord]:
    """The poses of a PDBQT file: one a model."""
    parts = [part for part in _MODEL.split(data.replace(b"\r\n", b"\n")) if part.strip()]
    if len(parts) > 1 and not parts[0].startswith(b"MODEL"):
        parts.pop(0)  # remarks before the first model
    for record, part in enumerate(parts):
        if not first <= record < last:
            continue
        found = _NAME.search(part)
        name = found[1].decode("ascii", "replace") if found else ""
        try:
            raw = parse_pdb(part, pdbqt=True)[0]
            name = name or raw.residue_name[0].decode("ascii", "replace")
            atoms, score = ligand_from_geometry(raw, options), from_remarks(part)
            yield PoseRecord(record, name, atoms, docking_score=score, hydrogens=hydrogens(raw))
        except ReadError as error:
            yield PoseRecord(record, name, failure=Failure(file, record, error.stage, error.reason))
