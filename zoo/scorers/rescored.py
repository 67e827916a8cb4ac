"""The same rows with other scores, for chance levels and baselines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Predictions

RELATION = "affinity_relation"  #: column of ``extra`` that marks affinities that are bounds


def with_score(predictions: Predictions, score: NDArray[Any]) -> Predictions:
    """Return the same rows and truths with other scores; further columns are left out.

    Args:
        predictions: N rows.
        score: (N,) new scores.
    """
    extra = {name: column for name, column in predictions.extra.items() if name == RELATION}
    return replace(predictions, score=np.asarray(score, np.float64), extra=extra)
