"""Pairs without a score: they count against the model and are reported.

A missing score ranks last: below every score of the benchmark, tied with other missing scores. At a threshold the
row is called negative, and its probability counts as 0. For an affinity the mean pK of the training set is used, or,
if it is not known or the score is not in pK, the mean of the given scores. Thus a missing score counts like a
prediction without any knowledge of the pair.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import UNSCORED, Predictions, Truth
from affinity_zoo.zoo.judging.outputs import fits_scale, for_truth
from affinity_zoo.zoo.judging.predictions import known_rows, take


def complete(
    predictions: Predictions, truth: Truth, training_mean: float | None = None
) -> tuple[Predictions, int]:
    """Return the rows that are evaluated by a truth, each with a score.

    Args:
        predictions: all rows.
        truth: rows without it are left out, and so are affinities that are bounds.
        training_mean: mean pK of the pairs that the model was trained on; None: not known.

    Returns:
        The rows, ranked by the output that fits the truth, and how many of them had no score. Where none has a
        score they are returned unchanged.
    """
    scored = for_truth(predictions, truth)
    known = known_rows(scored, truth)
    # do not copy a million rows for each truth
    rows = scored if known.all() else take(scored, np.flatnonzero(known))
    missing = ~np.isfinite(rows.score)
    number = int(missing.sum())
    if not number or number == len(rows):
        return rows, number
    score = filled(rows.score, truth, training_mean if fits_scale(predictions, truth) else None)
    extra: dict[str, NDArray[Any]] = {**rows.extra, UNSCORED: missing.astype(np.int8)}
    if "probability" in extra:
        extra["probability"] = np.where(missing, 0.0, np.asarray(extra["probability"], np.float64))
    return replace(rows, score=score, extra=extra), number


def filled(
    score: NDArray[np.float64], truth: Truth, training_mean: float | None = None
) -> NDArray[np.float64]:
    """Scores with a value for the missing ones, (N,); unchanged if all or none are missing.

    Args:
        score: (N,) larger is better; NaN or infinite: missing.
        truth: what is ranked.
        training_mean: of an affinity: its value; None: the mean of the given scores.
    """
    given = np.isfinite(score)
    if given.all() or not given.any():
        return score
    lowest = float(score[given].min())
    if truth != "affinity":
        value = lowest - max(1.0, abs(lowest) * 1e-6)
    else:
        value = float(score[given].mean()) if training_mean is None else training_mean
    return np.where(given, score, value)
