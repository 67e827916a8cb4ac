"""Rows of an index as input of baselines, read one by one to bound memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, overload

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import MeasuredPair

if TYPE_CHECKING:
    from affinity_zoo.zoo.data.store.dataset import Dataset

PAIR_COLUMNS: Final = (
    "id", "receptor", "ligand", "record", "target", "molecule", "pose_label", "active", "affinity", "rmsd",
    "docking_score", "group", "source",
)  # fmt: skip


class IndexedMeasuredPairs(Sequence[MeasuredPair]):
    """Some rows of an index.

    Args:
        dataset: the index.
        rows: (N,) row numbers.
    """

    def __init__(self, dataset: Dataset, rows: NDArray[np.int64]) -> None:
        self._rows = np.asarray(rows)
        self._columns = {name: dataset.column(name)[self._rows] for name in PAIR_COLUMNS}
        self._receptors = dataset.receptor_structure[self._rows]
        self._ligands = dataset.ligand_structure[self._rows]
        self._store = dataset.store

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, i: int) -> MeasuredPair: ...
    @overload
    def __getitem__(self, i: slice) -> Sequence[MeasuredPair]: ...
    def __getitem__(self, i: Any) -> Any:
        """Return the pair of one row; a slice returns a list."""
        if isinstance(i, slice):
            return [self[j] for j in range(*i.indices(len(self)))]
        columns = {name: column[i].item() for name, column in self._columns.items()}
        receptor, ligand = int(self._receptors[i]), int(self._ligands[i])
        return MeasuredPair(self._store.atoms(receptor), self._store.atoms(ligand), columns)

    def __iter__(self) -> Iterator[MeasuredPair]:
        return (self[i] for i in range(len(self)))
