"""Plan of an indexing: the poses, their receptors and their order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from affinity_zoo.zoo.data.readers.base import Failure
from affinity_zoo.zoo.data.readers.formats import count_records


@dataclass(frozen=True, slots=True)
class Item:
    """One pose file, or one record of it, with its metadata."""

    ligand: str  #: path relative to the plan's root
    receptor: str  #: path relative to the plan's root
    target: str
    record: int = -1  #: -1: all records of the file, each a row
    values: Mapping[str, Any] = field(default_factory=dict)  #: columns of the index


@dataclass(frozen=True)
class ReadTask:
    """Items of one ligand file that are read together; of a large file only the records ``first`` to ``last``."""

    items: list[Item]
    first: int = 0
    last: int | None = None


@dataclass(frozen=True)
class Plan:
    """All items of a source, in the order of the index, and early failures."""

    layout: str  #: recognised layout of the source
    root: Path
    items: list[Item]
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  #: notes for the user on the interpretation of the source
    extra: tuple[str, ...] = ()  #: further columns among the items' values
    smiles: str = ""  #: bond orders of the poses: a SMILES, or the column of the items' values that has one
    by_file: bool = False  #: a pose whose record has no name is its file's molecule, not its complex's
    split: str = ""  #: the files hold whole complexes: residue name of the ligand, or ``largest``

    def receptors(self) -> list[str]:
        """The receptor files, each once, in the order of first use."""
        return list(dict.fromkeys(item.receptor for item in self.items))

    def tasks(self) -> Iterator[ReadTask]:
        """Yield the tasks in order: neighbouring items of one ligand file together, large files in ranges."""
        for file, group in groupby(self.items, key=lambda item: item.ligand):
            items = list(group)
            if len(items) == 1 and items[0].record == -1 and not self.split:
                total = count_records(self.root / file)
                if total > _RECORDS:
                    for first in range(0, total, _RECORDS):
                        yield ReadTask(items, first, min(first + _RECORDS, total))
                    continue
            for i in range(0, len(items), _RECORDS):
                yield ReadTask(items[i : i + _RECORDS])

    def fingerprint(self, options: Mapping[str, Any]) -> str:
        """Return a hash of everything that determines the index, to decide whether a stopped run can continue.

        Args:
            options: Read options and other settings, JSON-ready.
        """
        total = hashlib.sha256(
            json.dumps([self.layout, self.split, self.smiles, dict(options), self.notes]).encode()
        )
        last = ""
        for item in self.items:
            total.update(
                json.dumps(
                    [item.ligand, item.receptor, item.target, item.record, dict(item.values)], default=str
                ).encode()
            )
            if item.ligand != last:
                last = item.ligand
                total.update(_stamp(self.root / last))
        for receptor in self.receptors():
            total.update(_stamp(self.root / receptor))
        return total.hexdigest()

    def groups(self) -> dict[str, str]:
        """Map receptor files to groups: receptors of one target and targets of one receptor stay together."""
        parent: dict[str, str] = {}

        def find(x: str) -> str:
            while parent.setdefault(x, x) != x:
                parent[x] = x = parent[parent[x]]
            return x

        for item in self.items:
            a, b = find("t" + item.target), find("r" + item.receptor)
            if a != b:
                # Keep the smaller name, so that the result does not depend on the order.
                low, high = sorted((a, b), key=lambda name: (name[0] != "t", name))
                parent[high] = low
        return {item.receptor: find("r" + item.receptor)[1:] for item in self.items}


_RECORDS = 1024  #: records of one file per task


def _stamp(path: Path) -> bytes:
    try:
        status = path.stat()
    except OSError:
        return b"missing"
    return f"{status.st_size}:{status.st_mtime_ns}".encode()
