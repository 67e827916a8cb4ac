"""Plots of a ranking: ROC, precision-recall, enrichment, first poses, risk and coverage, pK by score."""

from __future__ import annotations

from typing import Literal

import numpy as np

from affinity_zoo.zoo.judging.outputs import for_truth
from affinity_zoo.zoo.reports.curves import risk_coverage, success_curve
from affinity_zoo.zoo.reports.drawn import DrawnBoard
from affinity_zoo.zoo.reports.svg import CHANCE, Axis, Line, line_plot


def roc(drawn: DrawnBoard) -> list[str]:
    """ROC curves of all rows pooled; empty without a truth of two classes.

    Args:
        drawn: Board and its drawn rows.
    """
    if not drawn.curves:
        return []
    chance = Line("chance", [0, 1], [0, 1], CHANCE, dash="1 4")
    x, y = Axis("false positive rate", 0.0, 1.0), Axis("true positive rate", 0.0, 1.0)
    return [line_plot("ROC, all rows pooled", [*_lines(drawn, "roc"), chance], x, y)]


def precision_recall(drawn: DrawnBoard) -> list[str]:
    """Precision-recall curves of all rows pooled; empty without a truth of two classes.

    Args:
        drawn: Board and its drawn rows.
    """
    if not drawn.curves:
        return []
    share = drawn.curves[0][1].prevalence
    chance = Line("chance", [0, 1], [share, share], CHANCE, dash="1 4")
    x, y = Axis("recall", 0.0, 1.0), Axis("precision", 0.0, 1.0)
    return [line_plot("Precision-recall, pooled", [*_lines(drawn, "precision_recall"), chance], x, y)]


def enrichment(drawn: DrawnBoard) -> list[str]:
    """Fraction of positives found among the first rows; empty without a truth of two classes.

    Args:
        drawn: Board and its drawn rows.
    """
    if not drawn.curves:
        return []
    grid = np.geomspace(0.001, 1.0, 60)
    possible = np.minimum(1.0, grid / drawn.curves[0][1].prevalence)
    best = Line("highest possible", grid.tolist(), possible.tolist(), CHANCE)
    chance = Line("chance", grid.tolist(), grid.tolist(), CHANCE, dash="1 4")
    x = Axis("fraction of rows selected (log)", 0.001, 1.0, log=True)
    y = Axis("fraction of positives", 0.0, 1.0)
    return [line_plot("Enrichment: positives found early", [*_lines(drawn, "found"), best, chance], x, y)]


def success(drawn: DrawnBoard) -> list[str]:
    """Percent of complexes with a near-native pose among the first 1 to 10; empty without labelled poses.

    Args:
        drawn: Board and its drawn rows.
    """
    if drawn.truth != "pose_label":
        return []
    lines = []
    for line in drawn.rows:
        top, percent = success_curve(line.predictions)
        dots = not line.row.baseline
        lines.append(
            Line(line.row.name, top.tolist(), percent.tolist(), line.colour, dash=line.dash, dots=dots)
        )
    x, y = Axis("poses taken of each complex", 1.0, 10.0), Axis("complexes with a near-native, %", 0.0, 100.0)
    return [line_plot("A near-native pose among the first", lines, x, y)]


def risk(drawn: DrawnBoard) -> list[str]:
    """Share of wrong first poses when only the surest complexes are answered; empty without labelled poses.

    Args:
        drawn: Board and its drawn rows.
    """
    if drawn.truth != "pose_label":
        return []
    lines = []
    for line in drawn.rows:
        coverage, wrong = risk_coverage(line.predictions)
        lines.append(Line(line.row.name, coverage.tolist(), wrong.tolist(), line.colour, dash=line.dash))
    x = Axis("complexes answered, surest first", 0.0, 1.0)
    return [line_plot("Risk and coverage", lines, x, Axis("first pose is wrong", 0.0, 1.0))]


def affinity(drawn: DrawnBoard) -> list[str]:
    """Mean pK of each tenth of the best row's scores; empty where a truth of two classes is drawn.

    Args:
        drawn: Board and its drawn rows.
    """
    if drawn.truth is not None or not drawn.rows:
        return []
    best = drawn.rows[0]
    if not np.isfinite(best.predictions.affinity).any():
        return []
    rows = for_truth(best.predictions, "affinity")
    known = np.flatnonzero(np.isfinite(rows.affinity) & np.isfinite(rows.score))
    known = known[np.argsort(rows.score[known])]
    bins = [part for part in np.array_split(known, 10) if len(part)]
    x, y = ([float(column[part].mean()) for part in bins] for column in (rows.score, rows.affinity))
    line = Line(best.row.name, x, y, best.colour, dots=True)
    axes = Axis("mean score of each tenth", min(x), max(x)), Axis("mean pK", min(y) - 0.2, max(y) + 0.2)
    return [line_plot("pK by score", [line], *axes)]


def _lines(drawn: DrawnBoard, curve: Literal["roc", "precision_recall", "found"]) -> list[Line]:
    """The line of each row for one of its ranking curves."""
    lines = []
    for line, curves in drawn.curves:
        x, y = getattr(curves, curve)
        lines.append(Line(line.row.name, x.tolist(), y.tolist(), line.colour, dash=line.dash))
    return lines
