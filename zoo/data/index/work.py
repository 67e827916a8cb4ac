"""Tasks of the workers: read one receptor, or some records of one pose file."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from affinity_zoo.plugins.contracts import UNTYPED, Atoms
from affinity_zoo.zoo.data.layouts.plan import Item
from affinity_zoo.zoo.data.readers import (
    Failure,
    PoseRecord,
    ReadError,
    ReadOptions,
    read_poses,
    read_receptor,
)
from affinity_zoo.zoo.data.readers.bond_templates import with_template
from affinity_zoo.zoo.data.readers.complex import read_complex_poses, read_complex_receptor
from affinity_zoo.zoo.data.readers.formats import holds_many, without_ending
from affinity_zoo.zoo.data.readers.records import absent, row_id


@dataclass(frozen=True)
class ReceptorTask:
    """One receptor file."""

    root: Path
    file: str
    options: ReadOptions
    split: str = ""  #: see :class:`Plan`


@dataclass(frozen=True)
class PoseTask:
    """Neighbouring items of one pose file."""

    root: Path
    items: tuple[Item, ...]
    options: ReadOptions
    split: str = ""
    first: int = 0  #: of a large file only the records ``first <= record < last``
    last: int | None = None
    smiles: str = ""  #: see :class:`Plan`


@dataclass(frozen=True, eq=False)
class ItemPose:
    """The record of one item: its atoms, or its failure."""

    item: Item
    row_id: str
    pose: PoseRecord


def do_receptor(task: ReceptorTask) -> tuple[Atoms | None, list[str], Failure | None]:
    """Read a receptor: its atoms and what is odd about it; a bad one is a failure.

    Args:
        task: Files and records that one worker reads.
    """
    try:
        if task.split:
            receptor = read_complex_receptor(task.root / task.file, task.options, task.split)
        else:
            receptor = read_receptor(task.root / task.file, task.options)
    except ReadError as error:
        reason = error.reason.removeprefix(f"{task.root / task.file}: ")
        return None, [], Failure(task.file, -1, error.stage, reason)
    return receptor.atoms, receptor.findings, None


def do_poses(task: PoseTask) -> list[ItemPose]:
    """Read the records of a task: for each item its record, or all records of the file.

    Args:
        task: Files and records that one worker reads.
    """
    file = task.items[0].ligand
    wanted = [item.record for item in task.items]
    everything = -1 in wanted
    first, last = (0, math.inf) if everything else (min(wanted), max(wanted) + 1)
    if task.last is not None:
        first, last = task.first, task.last
    if task.split:
        records = list(read_complex_poses(task.root / file, task.options, task.split))
    else:
        records = list(read_poses(task.root / file, task.options, first, last))
    by_number = {pose.record: pose for pose in records}
    several = not everything or len(records) > 1 or task.last is not None
    many = several and (bool(task.split) or holds_many(task.root / file))
    found: list[ItemPose] = []
    for item in task.items:
        chosen = (
            records
            if item.record == -1
            else [by_number.get(item.record) or absent(item.ligand, item.record, records)]
        )
        template = str(item.values.get(task.smiles, "")) if task.smiles in item.values else task.smiles
        for pose in chosen:
            name = str(item.values.get("id") or row_id(without_ending(item.ligand), pose.record, many))
            found.append(ItemPose(item, name, _relative(_templated(pose, template), item)))
    return found


def _templated(pose: PoseRecord, template: str) -> PoseRecord:
    if not template:
        return pose
    try:
        return with_template(pose, template)
    except ReadError as error:
        return PoseRecord(pose.record, pose.name, failure=Failure("", pose.record, error.stage, error.reason))


def untyped(atoms: Atoms) -> int:
    """Return the number of atoms without a type.

    Args:
        atoms: N heavy atoms, positions in Å.
    """
    return int(np.count_nonzero(atoms.atom_type == UNTYPED))


def _relative(pose: PoseRecord, item: Item) -> PoseRecord:
    if pose.failure is None:
        return pose
    return replace(pose, failure=replace(pose.failure, file=item.ligand))
