"""Memory of training ligands: predictions from the labels of similar ligands alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.zoo.data.similarity import fingerprint, fingerprints, molecule_keys, nearest
from affinity_zoo.zoo.data.store.dataset import Dataset


@dataclass(eq=False)
class LigandMemory:
    """Fingerprints and mean labels of the training molecules."""

    prints: Sequence[Any]
    labels: Sequence[float]  #: mean pK, activity or pose label of each molecule
    two_classes: bool  #: True for activities: compare the nearest ligand of each class
    _known: dict[bytes, float] = field(default_factory=dict)

    def recall(self, ligand: Atoms) -> float:
        """See :class:`~affinity_zoo.zoo.baselines.nearest_ligand.NearestTrainingLigand`; NaN without a ligand."""
        if not len(ligand) or not self.prints:
            return float("nan")
        one = fingerprint(ligand)
        key = one.ToBinary()
        if key not in self._known:
            self._known[key] = self._look_up(one)
        return self._known[key]

    def _look_up(self, one: Any) -> float:
        if not self.two_classes:
            return float(self.labels[nearest(one, self.prints)[0]])
        classes = [
            [p for p, label in zip(self.prints, self.labels, strict=True) if (label > 0.5) == active]
            for active in (True, False)
        ]
        return nearest(one, classes[0])[1] - nearest(one, classes[1])[1]


@lru_cache(maxsize=2)
def memory(training: str, split: str = "train") -> LigandMemory:
    """Read the ligands and labels of an index's split.

    Args:
        training: Folder of the index.
        split: Split of the index, or ``all``.

    Raises:
        AffinityZooError: the index cannot be read or has no such split.
    """
    dataset = Dataset.open(training)
    rows = dataset.rows(split)
    truths = {truth: dataset.column(truth)[rows] for truth in ("affinity", "active", "pose_label")}
    truth = next((t for t, values in truths.items() if np.isfinite(values).any()), "pose_label")
    known = np.isfinite(truths[truth])
    rows, values = rows[known], truths[truth][known]
    found = fingerprints(dataset, rows)
    sums: dict[tuple[str, str], list[float]] = {}
    for key, value in zip(molecule_keys(dataset, rows), values.tolist(), strict=True):
        sums.setdefault(key, []).append(value)
    labels = [float(np.mean(sums[key])) for key in found]
    return LigandMemory(list(found.values()), labels, truth == "active")
