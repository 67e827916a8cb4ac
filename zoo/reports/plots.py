"""The plots of a report page."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from affinity_zoo.plugins.contracts import Predictions
from affinity_zoo.zoo.board.leaderboard import Board, BoardRow
from affinity_zoo.zoo.judging.outputs import for_truth
from affinity_zoo.zoo.reports.curves import binary_truth, ranking_curves, risk_coverage, success_curve
from affinity_zoo.zoo.reports.svg import COLOURS, Axis, Line, line_plot

MOST_LINES = 6  #: models whose curves are drawn, best first


DASHES = ("8 3", "3 3", "8 3 2 3", "2 5")  #: of the baselines' lines, in the order of the board


def dashes(drawn: Sequence[tuple[BoardRow, Predictions, str]]) -> list[str]:
    """The dash pattern of each row's line: models are solid, baselines differ from each other.

    Args:
        drawn: Rows with predictions and colours.
    """
    pattern = cycle(DASHES)
    return [next(pattern) if row.baseline else "" for row, _, _ in drawn]


def ranking_plots(drawn: Sequence[tuple[BoardRow, Predictions, str]]) -> list[str]:
    """ROC, precision-recall and enrichment curves; a scatter plot where the truth is an affinity.

    Args:
        drawn: Rows with predictions and colours.
    """
    truth = next((t for _, rows, _ in drawn if (t := binary_truth(rows)) is not None), None)
    if truth is None:
        return [_scatter(drawn[0])] if drawn and np.isfinite(drawn[0][1].affinity).any() else []
    curves = [(row, ranking_curves(rows, truth), colour) for row, rows, colour in drawn]
    share = curves[0][1].prevalence
    plots = []
    fraction = Axis("", 0.0, 1.0)

    def lines(points: str) -> list[Line]:
        drawn_lines = []
        for (row, curve, colour), dash in zip(curves, dashes(drawn), strict=True):
            x, y = getattr(curve, points)
            drawn_lines.append(Line(row.name, x.tolist(), y.tolist(), colour, dash=dash))
        return drawn_lines

    def axis(label: str) -> Axis:
        return Axis(label, fraction.low, fraction.high)

    chance = Line("chance", [0, 1], [0, 1], "#bbbbbb", dash="1 4")
    plots.append(
        line_plot(
            "ROC, all rows pooled",
            [*lines("roc"), chance],
            axis("false positive rate"),
            axis("true positive rate"),
        )
    )
    flat = Line("chance", [0, 1], [share, share], "#bbbbbb", dash="1 4")
    plots.append(
        line_plot(
            "Precision-recall, pooled", [*lines("precision_recall"), flat], axis("recall"), axis("precision")
        )
    )
    plots.append(_found_plot(lines("found"), share))
    if truth == "pose_label":
        plots += [_success_plot(drawn), _risk_plot(drawn)]
    return plots


def _found_plot(lines: list[Line], share: float) -> str:
    grid = np.geomspace(0.001, 1.0, 60)
    best = Line("highest possible", grid.tolist(), np.minimum(1.0, grid / share).tolist(), "#bbbbbb")
    chance = Line("chance", grid.tolist(), grid.tolist(), "#bbbbbb", dash="1 4")
    x = Axis("fraction of rows looked at (log)", 0.001, 1.0, log=True)
    return line_plot(
        "Enrichment: positives found early",
        [*lines, best, chance],
        x,
        Axis("fraction of positives", 0.0, 1.0),
    )


def _success_plot(drawn: Sequence[tuple[BoardRow, Predictions, str]]) -> str:
    lines = []
    for (row, rows, colour), dash in zip(drawn, dashes(drawn), strict=True):
        top, percent = success_curve(rows)
        lines.append(Line(row.name, top.tolist(), percent.tolist(), colour, dash=dash, dots=not row.baseline))
    x, y = Axis("poses taken of each complex", 1.0, 10.0), Axis("complexes with a near-native, %", 0.0, 100.0)
    return line_plot("A near-native pose among the first", lines, x, y)


def _risk_plot(drawn: Sequence[tuple[BoardRow, Predictions, str]]) -> str:
    """Risk and coverage: what it would cost to answer more complexes than the surest ones."""
    lines = []
    for (row, rows, colour), dash in zip(drawn, dashes(drawn), strict=True):
        coverage, risk = risk_coverage(rows)
        lines.append(Line(row.name, coverage.tolist(), risk.tolist(), colour, dash=dash))
    x = Axis("complexes answered, surest first", 0.0, 1.0)
    return line_plot("Risk and coverage", lines, x, Axis("first pose is wrong", 0.0, 1.0))


def reliability_plot(found: Mapping[str, Any], title: str) -> str:
    """Stated probability against what is true, in bins of equal size.

    Args:
        found: ``probability`` and ``fraction`` of each bin.
        title: of the plot.
    """
    line = Line("bins of equal size", found["probability"], found["fraction"], COLOURS[0], dots=True)
    ideal = Line("calibrated", [0, 1], [0, 1], "#bbbbbb", dash="1 4")
    x, y = Axis("stated probability", 0.0, 1.0), Axis("fraction of positives", 0.0, 1.0)
    return line_plot(title, [line, ideal], x, y)


def _scatter(entry: tuple[BoardRow, Predictions, str]) -> str:
    """Score against pK as mean of each tenth of the scores."""
    row, rows, colour = entry
    rows = for_truth(rows, "affinity")
    known = np.flatnonzero(np.isfinite(rows.affinity) & np.isfinite(rows.score))
    known = known[np.argsort(rows.score[known])]
    bins = [part for part in np.array_split(known, 10) if len(part)]
    x, y = ([float(column[part].mean()) for part in bins] for column in (rows.score, rows.affinity))
    line = Line(row.name, x, y, colour, dots=True)
    axes = Axis("mean score of each tenth", min(x), max(x)), Axis("mean pK", min(y) - 0.2, max(y) + 0.2)
    return line_plot("pK by score", [line], *axes)


def calibration_plot(board: Board) -> str:
    """Stated probability against the fraction of positives; empty without calibrated models.

    Args:
        board: The board.
    """
    lines = []
    for i, row in enumerate([r for r in board.rows if not r.baseline][:MOST_LINES]):
        found = (metric.details.get("calibration") for metric in row.metrics.values())
        bins = next((part for part in found if part), None)
        if bins:
            lines.append(
                Line(row.name, bins["probability"], bins["fraction"], COLOURS[i % len(COLOURS)], dots=True)
            )
    if not lines:
        return ""
    ideal = Line("calibrated", [0, 1], [0, 1], "#bbbbbb", dash="1 4")
    x, y = Axis("stated probability", 0.0, 1.0), Axis("fraction of positives", 0.0, 1.0)
    return line_plot("Calibration, tenths of the rows", [*lines, ideal], x, y)


def training_plots(board: Board) -> str:
    """Loss and validation scores by epoch, a figure for each model.

    Args:
        board: The board.
    """
    figures = []
    for row in [r for r in board.rows if not r.baseline][:MOST_LINES]:
        epochs = _history(row.results[0].path)
        if len(epochs) < 2:
            continue
        curves = [("training loss", "train", "loss"), ("validation loss", "validation", "loss"),
                  ("control: shuffled labels", "validation", "loss-shuffled-labels")]  # fmt: skip
        lines = []
        for i, (name, part, key) in enumerate(curves):
            points = [(e["epoch"], e[part][key]) for e in epochs if key in e.get(part, {})]
            if points:
                lines.append(Line(name, [p[0] for p in points], [p[1] for p in points], COLOURS[i]))
        values = [value for line in lines for value in line.y if math.isfinite(value)]
        if values:
            x, y = (
                Axis("epoch", epochs[0]["epoch"], epochs[-1]["epoch"]),
                Axis("loss", 0.0, max(values) * 1.05),
            )
            figures.append(line_plot(f"Training of {row.name}", lines, x, y))
    return f"<h3>Training</h3><div class='plots'>{''.join(figures)}</div>" if figures else ""


def _history(result: Path) -> list[dict[str, Any]]:
    """The epochs in ``history.json`` of the run that a result lies in; empty where there is none."""
    for folder in list(result.resolve().parents)[:4]:
        try:
            return list(json.loads((folder / "history.json").read_text(encoding="utf-8"))["epochs"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return []
