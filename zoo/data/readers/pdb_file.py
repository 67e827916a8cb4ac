"""PDB files as receptors and as poses (each model is a record)."""

from __future__ import annotations

from collections.abc import Iterator

from affinity_zoo.zoo.data.readers.base import Failure, PoseRecord, ReadError, ReadOptions, Receptor
from affinity_zoo.zoo.data.readers.pdb import parse_pdb
from affinity_zoo.zoo.data.readers.select import hydrogens, ligand_from_geometry, receptor_atoms


def read_receptor(data: bytes, options: ReadOptions) -> Receptor:
    """The receptor of a PDB file: the model that the options name."""
    models = parse_pdb(data)
    if options.model > len(models):
        raise ReadError(f"model {options.model} is asked for, the file has {len(models)}")
    atoms, notes = receptor_atoms(models[options.model - 1], options)
    if len(models) > 1:
        notes.append(f"model {options.model} of {len(models)}")
    return Receptor(atoms, notes)


def read_poses(data: bytes, file: str, options: ReadOptions, first: int, last: float) -> Iterator[PoseRecord]:
    """The ligands of a PDB file: one a model; bonds are perceived."""
    for record, raw in enumerate(parse_pdb(data)):
        if not first <= record < last:
            continue
        name = raw.residue_name[0].decode("ascii", "replace")
        try:
            yield PoseRecord(record, name, ligand_from_geometry(raw, options), hydrogens=hydrogens(raw))
        except ReadError as error:
            yield PoseRecord(record, name, failure=Failure(file, record, error.stage, error.reason))
