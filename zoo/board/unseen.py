"""The figure of a model on the rows of a benchmark that do not overlap with its training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Predictions, Scorer
from affinity_zoo.zoo.board import figure_cache
from affinity_zoo.zoo.board.overlap import Check, seen_ids
from affinity_zoo.zoo.judging.judge import Metric, judge
from affinity_zoo.zoo.judging.predictions import take

#: column of predictions.csv: 1 where id, pose, protein or ligand of a row is among the training data as far as it is
#: known, else 0
SEEN = "seen_in_training"


def with_seen(predictions: Predictions, checks: Mapping[str, Check]) -> Predictions:
    """Add the column :data:`SEEN`, unless nothing is known of the training data.

    Args:
        predictions: Predictions of N rows.
        checks: Overlap checks by name.
    """
    ids = seen_ids(checks)
    if ids is None:
        return predictions
    seen = np.isin(predictions.id, sorted(ids)).astype(np.int64)
    return replace(predictions, extra={**predictions.extra, SEEN: seen})


def seen_rows(rows: Predictions, computed: Mapping[str, Check]) -> NDArray[np.bool_] | None:
    """Return which rows a model has seen: what the result states, and what was computed here.

    Args:
        rows: Predictions of N rows, as a result holds them.
        computed: Checks that could be made here, by name.

    Returns:
        (N,) bool; None: nothing is known.
    """
    ids = seen_ids(computed)
    stated = rows.extra.get(SEEN)
    if ids is None and stated is None:
        return None
    seen = np.zeros(len(rows), bool)
    if stated is not None and stated.dtype.kind in "fiub":
        seen |= ~(stated.astype(np.float64) == 0.0)  # a row without an entry may have been seen
    if ids is not None:
        seen |= np.isin(rows.id, sorted(ids))
    return seen


def without_overlap(
    rows: Predictions, seen: NDArray[np.bool_] | None, scorers: Sequence[Scorer], training_mean: float | None
) -> Metric | None:
    """Compute the first figure of a board on the rows that a model has not seen.

    Args:
        rows: Predictions of N rows with the truths of the benchmark.
        seen: (N,) bool; None: not known.
        scorers: Scorers of the board, the leading one first.
        training_mean: Mean pK of the training pairs, which replaces a missing affinity.

    Returns:
        The figure; None where no row, every row or an unknown number of rows was seen.
    """
    if seen is None or not seen.any() or seen.all() or not scorers:
        return None
    kept, first = take(rows, np.flatnonzero(~seen)), list(scorers[:1])
    key = figure_cache.key_of(kept, first, training_mean)
    metrics = figure_cache.read(key)
    if metrics is None:
        metrics = judge(kept, first, training_mean=training_mean) if _has_truth(kept, first[0]) else {}
        figure_cache.write(key, metrics)
    return next(iter(metrics.values()), None)


def _has_truth(rows: Predictions, scorer: Scorer) -> bool:
    return any(np.isfinite(getattr(rows, truth)).any() for truth in scorer.truths)
