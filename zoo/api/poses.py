"""Conversion of files, RDKit molecules, ProDy atoms and arrays to poses."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.api.pocket import Pocket
from affinity_zoo.zoo.data.readers import Failure, PoseRecord, ReadOptions
from affinity_zoo.zoo.data.readers.in_memory import KINDS, is_structure, poses_of
from affinity_zoo.zoo.data.readers.records import molecule_of, pose_files
from affinity_zoo.zoo.prediction.chunks import Cutter
from affinity_zoo.zoo.prediction.inputs import PoseSource
from affinity_zoo.zoo.prediction.reading import ComplexPose, read_pieces


def as_items(molecules: Any) -> list[Any]:
    """Return the caller's input as a list: files as paths, folders expanded, structures unchanged.

    Args:
        molecules: one file, folder or structure, or an iterable of them.

    Raises:
        AffinityZooError: a file or folder is not there, or nothing is given.
    """
    single = isinstance(molecules, str | os.PathLike) or is_structure(molecules)
    try:
        given = [molecules] if single else list(molecules)
    except TypeError:
        raise UsageError(
            f"`molecules` is of type {type(molecules).__name__}: give a file, {KINDS}, or several of them"
        ) from None
    items: list[Any] = []
    for one in given:
        items += pose_files([os.fspath(one)]) if isinstance(one, str | os.PathLike) else [one]
    return items


def read_items(items: Sequence[Any], pocket: Pocket, way: ReadOptions) -> list[list[ComplexPose]]:
    """Read every pose of every item.

    Args:
        items: from :func:`as_items`.
        pocket: the receptor.
        way: options of the readers.

    Returns:
        The poses of each item, those that cannot be read with the reason.
    """
    return [list(_read(number, item, pocket, way)) for number, item in enumerate(items)]


def _read(number: int, item: Any, pocket: Pocket, way: ReadOptions) -> Iterator[ComplexPose]:
    protein = pocket.protein(way)
    if isinstance(item, Path):
        entry = PoseSource(pocket.name, str(item), str(item), target=Path(pocket.name).stem)
        for pieces in Cutter(None).chunks([entry]):
            yield from read_pieces(pieces, way, texts=True, given=protein)
        return
    if item is None:  # what an RDKit supplier gives for a record that it cannot read
        records = [PoseRecord(0, "", failure=Failure("", 0, "parse", "RDKit gave no molecule for it"))]
    else:
        records = list(poses_of(item, way))
    for record in records:
        name = record.name or (str(item.GetProp("_Name")) if _named(item) else "")
        stem = name or f"molecule-{number}"
        yield ComplexPose(
            id=f"{stem}#{record.record}" if len(records) > 1 else stem,
            target=Path(pocket.name).stem,
            molecule=molecule_of(name, f"molecule-{number}"),
            name=name,
            file="",
            record=record.record,
            receptor=pocket.name,
            docking_score=record.docking_score,
            notes=tuple(record.notes),
            reason=record.failure.reason if record.failure else "",
            atoms=record.atoms,
            skeleton=record.skeleton,
            protein=protein,
        )


def _named(item: Any) -> bool:
    return hasattr(item, "HasProp") and bool(item.HasProp("_Name"))
