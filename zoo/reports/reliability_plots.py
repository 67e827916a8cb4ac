"""Plots of stated probabilities against the fraction of positives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from affinity_zoo.zoo.reports.drawn import DrawnBoard
from affinity_zoo.zoo.reports.svg import CHANCE, COLOURS, Axis, Line, line_plot


def reliability_plot(found: Mapping[str, Any], title: str) -> str:
    """Stated probability against the fraction of positives in bins of equal size, as an HTML figure.

    Args:
        found: Lists of equal length under ``probability`` (mean of each bin) and ``fraction`` (of positives).
        title: Text above the plot.
    """
    line = Line("bins of equal size", found["probability"], found["fraction"], COLOURS[0], dots=True)
    return _reliability(title, [line])


def calibration(drawn: DrawnBoard) -> list[str]:
    """Stated probability against the fraction of positives, in tenths of the rows; empty without calibration.

    Args:
        drawn: Board and its drawn rows.
    """
    lines = []
    for i, row in enumerate(drawn.models):
        found = (metric.details.get("calibration") for metric in row.metrics.values())
        bins = next((part for part in found if part), None)
        if bins:
            colour = COLOURS[i % len(COLOURS)]
            lines.append(Line(row.name, bins["probability"], bins["fraction"], colour, dots=True))
    return [_reliability("Calibration, tenths of the rows", lines)] if lines else []


def _reliability(title: str, lines: list[Line]) -> str:
    ideal = Line("calibrated", [0, 1], [0, 1], CHANCE, dash="1 4")
    x, y = Axis("stated probability", 0.0, 1.0), Axis("fraction of positives", 0.0, 1.0)
    return line_plot(title, [*lines, ideal], x, y)
