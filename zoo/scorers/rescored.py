"""The same rows with other scores: what chance levels and baselines are judged on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Predictions

RELATION = "affinity_relation"  #: a column of ``extra`` where any affinity is a bound


def with_score(predictions: Predictions, score: NDArray[Any]) -> Predictions:
    """Return the same rows and truths with other scores; further columns are left out.

    Args:
        predictions: N rows.
        score: (N,) new scores.
    """
    extra = {name: column for name, column in predictions.extra.items() if name == RELATION}
    return replace(predictions, score=np.asarray(score, np.float64), extra=extra)
