"""PDBQT files of AutoDock and Vina: receptors, and poses with their scores."""

from __future__ import annotations

import re
from collections.abc import Iterator

from affinity_zoo.zoo.data.readers.base import PoseRecord, RawAtoms, ReadError, ReadOptions, Receptor
from affinity_zoo.zoo.data.readers.pdb import parse_block, parse_pdb
from affinity_zoo.zoo.data.readers.pdb_file import count
from affinity_zoo.zoo.data.readers.pdb_records import Block, nonempty_blocks
from affinity_zoo.zoo.data.readers.scores import from_remarks
from affinity_zoo.zoo.data.readers.select import pose_from_raw, receptor_of_models

__all__ = ["count", "read_poses", "read_receptor"]

_NAME = re.compile(rb"^REMARK\s+Name\s*=\s*(\S+)", re.MULTILINE)


def read_receptor(data: bytes, options: ReadOptions) -> Receptor:
    """The receptor of a PDBQT file.

    Args:
        data: Content of the file.
        options: What is kept of waters, alternate locations and models, and how atoms are typed.
    """
    return receptor_of_models(parse_pdb(data, pdbqt=True), options)


def read_poses(data: bytes, file: str, options: ReadOptions, first: int, last: float) -> Iterator[PoseRecord]:
    """The poses of a PDBQT file, without flexible residues.

    Args:
        data: Content of the file.
        file: Path of the file, for the record's name.
        options: What is kept of waters, alternate locations and models, and how atoms are typed.
        first: First record to read, from 0.
        last: Record to stop before; infinity: read to the end.
    """
    for record, block in enumerate(nonempty_blocks(data)):
        if not first <= record < last:
            continue
        remarks = b"\n".join(block.remarks)
        found = _NAME.search(remarks)
        name = found[1].decode("utf-8", "replace") if found else ""
        notes = [f"{block.flexible} atoms of flexible residues left out: they belong to the receptor"]
        yield pose_from_raw(
            lambda b=block: _whole(b),  # type: ignore[misc]
            file,
            record,
            options,
            name=name,
            score=from_remarks(remarks),
            notes=notes if block.flexible else (),
        )


def _whole(block: Block) -> RawAtoms:
    """The atoms of a pose whose tree of branches is complete."""
    if block.open_parts > 0:
        raise ReadError("a ROOT, BRANCH or MODEL line of the pose has no end: is it cut short?")
    return parse_block(block, pdbqt=True)
