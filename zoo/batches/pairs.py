"""Pairs of receptor and ligand as the batches need them, from an index or from files just read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Atoms

if TYPE_CHECKING:
    from affinity_zoo.zoo.data.store.dataset import Dataset


class Pairs(Protocol):
    """A numbered collection of pairs. Structures have their own numbers, so that each is encoded once."""

    def __len__(self) -> int: ...

    def structures(self, row: int) -> tuple[int, int]:
        """Return the numbers of a row's receptor and ligand."""

    def atoms(self, structure: int) -> Atoms:
        """Return the atoms of a structure."""


def structures_of(pairs: Pairs, rows: NDArray[np.int64]) -> list[int]:
    """Return the numbers of receptor and ligand of each row, (2 B,) in this order.

    Args:
        pairs: Receptor and ligand of each row.
        rows: (B,) row numbers.
    """
    if isinstance(pairs, IndexedPairs):
        return pairs.structures_of(rows)
    return [number for row in rows.tolist() for number in pairs.structures(row)]


class IndexedPairs:
    """The pairs of an index, read from its memory-mapped store."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._receptor = dataset.receptor_structure
        self._ligand = dataset.ligand_structure

    def __len__(self) -> int:
        return len(self._dataset)

    def structures(self, row: int) -> tuple[int, int]:
        """Return the numbers of a row's receptor and ligand.

        Args:
            row: Row of the index, from 0.
        """
        return int(self._receptor[row]), int(self._ligand[row])

    def structures_of(self, rows: NDArray[np.int64]) -> list[int]:
        """Return the numbers of receptor and ligand of each row, (2 B,) in this order.

        Args:
            rows: (B,) row numbers.
        """
        numbers: list[int] = np.stack((self._receptor[rows], self._ligand[rows]), axis=1).ravel().tolist()
        return numbers

    def atoms(self, structure: int) -> Atoms:
        """Return the atoms of a structure.

        Args:
            structure: Number of a structure in the store, from 0.
        """
        return self._dataset.store.atoms(structure)


@dataclass(frozen=True)
class PosesOfReceptor:
    """Poses of one receptor, in memory: row i is pose i."""

    receptor: Atoms
    poses: Sequence[Atoms]

    def __len__(self) -> int:
        return len(self.poses)

    def structures(self, row: int) -> tuple[int, int]:
        """Return the numbers of a row's receptor and ligand.

        Args:
            row: Row of the index, from 0.
        """
        return 0, row + 1

    def atoms(self, structure: int) -> Atoms:
        """Return the atoms of a structure.

        Args:
            structure: Number of a structure in the store, from 0.
        """
        return self.receptor if structure == 0 else self.poses[structure - 1]
