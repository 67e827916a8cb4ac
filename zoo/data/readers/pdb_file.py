"""PDB files as receptors and as poses."""

from __future__ import annotations

from collections.abc import Iterator

from affinity_zoo.zoo.data.readers.base import PoseRecord, RawAtoms, ReadOptions, Receptor
from affinity_zoo.zoo.data.readers.pdb import parse_block, parse_pdb
from affinity_zoo.zoo.data.readers.pdb_records import nonempty_blocks, pose_blocks
from affinity_zoo.zoo.data.readers.scores import from_remarks
from affinity_zoo.zoo.data.readers.select import pose_from_raw, receptor_of_models


def read_receptor(data: bytes, options: ReadOptions) -> Receptor:
    """The receptor of a PDB file: the model that the options name.

    Args:
        data: Content of the file.
        options: What is kept of waters, alternate locations and models, and how atoms are typed.
    """
    return receptor_of_models(parse_pdb(data), options)


def read_poses(data: bytes, file: str, options: ReadOptions, first: int, last: float) -> Iterator[PoseRecord]:
    """The ligands of a PDB file; bonds are perceived.

    Args:
        data: Content of the file.
        file: Path of the file, for the record's name.
        options: What is kept of waters, alternate locations and models, and how atoms are typed.
        first: First record to read, from 0.
        last: Record to stop before; infinity: read to the end.
    """
    for record, block in enumerate(nonempty_blocks(data)):
        if first <= record < last:
            score = from_remarks(b"\n".join(block.remarks))
            yield pose_from_raw(lambda b=block: parse_block(b), file, record, options, score=score)  # type: ignore[misc]


def read_models(data: bytes) -> list[RawAtoms]:
    """All atoms of each model, for files of whole complexes.

    Args:
        data: Content of the file.
    """
    return parse_pdb(data)


def count(data: bytes) -> int:
    """Return the number of records of a file.

    Args:
        data: Content of the file.
    """
    return len(pose_blocks(data))
