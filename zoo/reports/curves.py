"""The points of a report's curves, from predictions; equal scores are taken together, never in file order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Predictions, Truth
from affinity_zoo.zoo.judging.missing import complete
from affinity_zoo.zoo.judging.predictions import known_rows
from affinity_zoo.zoo.scorers import ties
from affinity_zoo.zoo.scorers.units import unit_auc, unit_top, units

Array: TypeAlias = NDArray[Any]

MOST_POINTS = 300  #: of a curve in a page


@dataclass(frozen=True)
class RankingCurves:
    """Data of the three ranking plots, as fractions."""

    roc: tuple[Array, Array]  #: false positive rate, true positive rate
    precision_recall: tuple[Array, Array]  #: recall, precision
    found: tuple[Array, Array]  #: fraction of rows looked at, fraction of positives found
    prevalence: float


def binary_truth(predictions: Predictions) -> Truth | None:
    """The truth that a ranking is judged by: ``pose_label``, else ``active``; None: neither has two classes.

    Args:
        predictions: Scores and truths of N rows.
    """
    for truth in ("pose_label", "active"):
        values = getattr(predictions, truth)
        known = values[known_rows(predictions, truth)]
        if len(known) and known.min() < 0.5 < known.max():
            return truth
    return None


def ranking_curves(predictions: Predictions, truth: Truth) -> RankingCurves:
    """ROC, precision-recall and enrichment curves of one ranking over all rows.

    Args:
        predictions: Scores and truths of N rows.
        truth: ``pose_label`` or ``active``.
    """
    rows, _ = complete(predictions, truth)
    p, n = ties.blocks(rows.score, getattr(rows, truth))
    tp, fp = np.r_[0.0, np.cumsum(p)], np.r_[0.0, np.cumsum(n)]
    looked = tp + fp
    keep = _thin(len(tp))
    precision = np.divide(tp, looked, out=np.full(len(tp), np.nan), where=looked > 0)
    precision[0] = precision[1]
    return RankingCurves(
        roc=((fp / fp[-1])[keep], (tp / tp[-1])[keep]),
        precision_recall=((tp / tp[-1])[keep], precision[keep]),
        found=((looked / looked[-1])[keep], (tp / tp[-1])[keep]),
        prevalence=float(tp[-1] / looked[-1]),
    )


def success_curve(predictions: Predictions, most: int = 10) -> tuple[Array, Array]:
    """Number of poses taken of each complex, and the percent of complexes with a near-native among them.

    Args:
        predictions: Scores and truths of N rows.
        most: Length of each list, or number of poses taken.
    """
    rows, _ = complete(predictions, "pose_label")
    where = units(rows, "pose_label")
    label = rows.pose_label
    both = (where.means(label > 0.5) > 0) & (where.means(label > 0.5) < 1)
    top = np.arange(1, most + 1)
    return top, np.array([100.0 * unit_top(rows.score, label, where, int(k))[both].mean() for k in top])


def risk_coverage(predictions: Predictions) -> tuple[Array, Array]:
    """How often the first pose of a complex is wrong, were only the surest complexes answered.

    A complex is as sure as its first pose: by the probability where there is one, else by the score. Complexes
    without a near-native pose among theirs count as wrong, as a user has to live with them.

    Args:
        predictions: Scores and pose labels of N rows.

    Returns:
        (U,) share of the complexes that are answered, ascending, and (U,) share of wrong answers among them.
    """
    rows, _ = complete(predictions, "pose_label")
    where = units(rows, "pose_label")
    sure = np.asarray(rows.extra.get("probability", rows.score), np.float64)
    right, confidence = unit_top(rows.score, rows.pose_label, where, 1), np.full(len(where), -np.inf)
    for unit, members in enumerate(where.rows()):
        best = members[rows.score[members] == rows.score[members].max()]
        confidence[unit] = sure[best].max()
    order = np.argsort(-confidence, kind="stable")
    answered = np.arange(1, len(where) + 1)
    return answered / len(where), np.cumsum(1.0 - right[order]) / answered


@dataclass(frozen=True)
class TargetFigure:
    """One complex or target of a result."""

    name: str
    auc: float
    positives: int
    negatives: int


def per_target(predictions: Predictions, truth: Truth) -> list[TargetFigure]:
    """The AUC within each complex (activity: target) of two classes, worst first.

    Args:
        predictions: Scores and truths of N rows.
        truth: ``pose_label`` or ``active``.
    """
    rows, _ = complete(predictions, truth)
    where = units(rows, truth)
    label = getattr(rows, truth)
    areas = unit_auc(rows.score, label, where)
    positives = np.bincount(where.of_row, label > 0.5, len(where))
    negatives = np.bincount(where.of_row, minlength=len(where)) - positives
    found = [
        TargetFigure(where.names[u], float(areas[u]), int(positives[u]), int(negatives[u]))
        for u in np.flatnonzero(np.isfinite(areas))
    ]
    return sorted(found, key=lambda figure: (figure.auc, figure.name))


@dataclass(frozen=True)
class Miss:
    """A row with a badly wrong rank."""

    id: str
    score: float
    rank: int
    label: int
    source: str
    rmsd: float


def hardest_misses(predictions: Predictions, truth: Truth, most: int = 10) -> tuple[list[Miss], list[Miss]]:
    """The negatives that are ranked highest and the positives that are ranked lowest.

    Args:
        predictions: Scores and truths of N rows.
        truth: ``pose_label`` or ``active``.
        most: Length of each list, or number of poses taken.
    """
    rows, _ = complete(predictions, truth)
    order = np.argsort(-rows.score, kind="stable")
    label = getattr(rows, truth)[order] > 0.5

    def made(ranks: Array) -> list[Miss]:
        return [
            Miss(
                str(rows.id[r]),
                float(rows.score[r]),
                int(k) + 1,
                int(label[k]),
                str(rows.source[r]),
                float(rows.rmsd[r]),
            )
            for k, r in zip(ranks.tolist(), order[ranks].tolist(), strict=True)
        ]

    return made(np.flatnonzero(~label)[:most]), made(np.flatnonzero(label)[::-1][:most])


def _thin(points: int) -> Array:
    """Choose at most 300 points, densest at the start of the ranking; both ends are kept."""
    if points <= MOST_POINTS:
        return np.arange(points)
    early = np.geomspace(1, points, MOST_POINTS // 2).astype(int) - 1
    even = np.linspace(0, points - 1, MOST_POINTS // 2).astype(int)
    return np.unique(np.r_[early, even])
