"""Quality of the matching: AUC of crystal pose against decoy by single numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: receptor (N, 3), its elements, crystal pose (n, 3), its elements, decoys (each (n, 3))
Measured = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any], list[NDArray[Any]]]


def auc(positive: NDArray[Any], negative: NDArray[Any]) -> float:
    """The chance that a positive is larger than a negative, ties count half; NaN where a side is empty.

    Args:
        positive: Values of the positives.
        negative: Values of the negatives.
    """
    if not len(positive) or not len(negative):
        return float("nan")
    order = np.sort(np.asarray(negative))
    below = np.searchsorted(order, positive, side="left")
    not_above = np.searchsorted(order, positive, side="right")
    return float((below + not_above).sum() / (2.0 * len(positive) * len(negative)))


def one_number_auc(complexes: Iterable[Measured]) -> dict[str, dict[str, float]]:
    """Compute the AUC of each measure: 0.5 is a perfect match; values near 0 or 1 reveal the class.

    Args:
        complexes: Positions and elements of receptor, crystal pose and decoys.

    Returns:
        Measure -> ``pooled`` over all poses, ``within``: mean over complexes.
    """
    from affinity_zoo.zoo.decoys.search import MEASURES, prepared
    from affinity_zoo.zoo.decoys.search import measure as run

    crystal, decoys = [], []
    for receptor, receptor_element, pose, element, others in complexes:
        grid, radius = prepared(receptor, receptor_element, np.concatenate([pose, *others]), element)
        found = np.empty((1 + len(others), 5))
        for i, xyz in enumerate((pose, *others)):
            # a numba dispatcher, which the type checker takes for a function of one argument
            run(np.ascontiguousarray(xyz, np.float64), radius, *grid, found[i])  # type: ignore[call-arg]
        crystal.append(found[0, :4])
        decoys.append(found[1:, :4])
    if not crystal:
        return {}
    pooled = np.concatenate(decoys)
    table = np.array(crystal)
    return {
        name: {
            "pooled": round(auc(table[:, k], pooled[:, k]), 4),
            "within": round(
                float(np.nanmean([auc(c[k : k + 1], d[:, k]) for c, d in zip(crystal, decoys, strict=True)])),
                4,
            ),
        }
        for k, name in enumerate(MEASURES[:4])
    }
