"""A receptor prepared for scoring of many poses."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.data.readers import ReadOptions, read_receptor
from affinity_zoo.zoo.data.readers.base import ReadError
from affinity_zoo.zoo.data.readers.in_memory import receptor_of
from affinity_zoo.zoo.data.readers.records import receptor_file
from affinity_zoo.zoo.prediction.reading import Protein

#: a structure file, or a structure in memory
Receptor: TypeAlias = Any


@dataclass(frozen=True, eq=False)
class Pocket:
    """A receptor in the readings of its models."""

    name: str  #: of its file, or what kind of object it was
    readings: dict[ReadOptions, Protein]  #: one for each way of reading that the models want

    def protein(self, way: ReadOptions) -> Protein:
        """Return the receptor for one set of read options.

        Args:
            way: options of the readers.

        Raises:
            UsageError: the pocket was prepared by models that read otherwise.
        """
        if way not in self.readings:
            raise UsageError(
                "`receptor` was prepared by another model, which reads structures in another way: prepare it again "
                "with this model's `pocket()`"
            )
        return self.readings[way]

    def __repr__(self) -> str:
        atoms = next(iter(self.readings.values())).atoms
        return f"<pocket {self.name}: {len(atoms)} atoms>"


def make_pocket(receptor: Receptor | Pocket, ways: Sequence[ReadOptions]) -> Pocket:
    """Read a receptor once per set of read options.

    Args:
        receptor: a file, a structure in memory, or a pocket, which is given back.
        ways: options of the readers.

    Raises:
        AffinityZooError: it cannot be read.
    """
    if isinstance(receptor, Pocket):
        for way in ways:
            receptor.protein(way)
        return receptor
    is_path = isinstance(receptor, str | os.PathLike)
    name = Path(receptor).name if is_path else type(receptor).__name__
    readings = {}
    for way in ways:
        try:
            if is_path:
                found = read_receptor(receptor_file(receptor), way)
            else:
                found = receptor_of(receptor, way)
        except ReadError as error:
            raise AffinityZooError(f"the receptor cannot be read ({error})") from error
        readings[way] = Protein.of(found)
    return Pocket(name, readings)
