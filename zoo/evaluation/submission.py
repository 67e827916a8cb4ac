"""The Kaggle file: ``Id,Expected``, a receptor and its ligands, best first."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from affinity_zoo.plugins.contracts import Predictions
from affinity_zoo.zoo.runtime.files import whole

#: placeholder without a prediction, as in the ancestor's file
NOTHING = "L"


def write_submission(path: Path, predictions: Predictions) -> None:
    """Write one line per receptor (the column ``target``): its ligands in descending order of score.

    A ligand is named by its ``molecule``, or by its ``id`` where the molecule is not known; it stands at
    its best pose. Receptors are in alphabetical order.

    Args:
        path: The file.
        predictions: Scores and truths of N rows.
    """
    with whole(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["Id", "Expected"])
        for target in np.unique(predictions.target):
            rows = np.flatnonzero(predictions.target == target)
            scored = rows[np.isfinite(predictions.score[rows])]
            order = scored[np.argsort(-predictions.score[scored], kind="stable")]
            names = [str(predictions.molecule[r] or predictions.id[r]) for r in order]
            writer.writerow([target, " ".join(dict.fromkeys(names)) or NOTHING])
