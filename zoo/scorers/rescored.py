"""The same rows with other scores, for chance levels and baselines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import VALID, Predictions

RELATION = "affinity_relation"  #: column of ``extra`` that marks affinities that are bounds
#: columns of ``extra`` that belong to the benchmark, not to the scores
OF_BENCHMARK = (RELATION, VALID)


def with_score(predictions: Predictions, score: NDArray[Any]) -> Predictions:
    """Return the same rows and truths with other scores; further columns are left out.

    Args:
        predictions: N rows.
        score: (N,) new scores.
    """
    extra = {name: column for name, column in predictions.extra.items() if name in OF_BENCHMARK}
    return replace(predictions, score=np.asarray(score, np.float64), extra=extra)
