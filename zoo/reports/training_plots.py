"""The loss curves of the training runs that a board's models come from."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from affinity_zoo.zoo.reports.drawn import DrawnBoard
from affinity_zoo.zoo.reports.svg import COLOURS, Axis, Line, line_plot

#: the lines of a figure: name, part of an epoch's record, key in that part
CURVES = (
    ("training loss", "train", "loss"),
    ("validation loss", "validation", "loss"),
    ("control: shuffled labels", "validation", "loss-shuffled-labels"),
)


def losses(drawn: DrawnBoard) -> list[str]:
    """Loss by epoch, a figure for each model with two or more recorded epochs.

    Args:
        drawn: Board and its drawn rows.
    """
    figures = []
    for row in drawn.models:
        epochs = _history(row.results[0].path)
        lines = _lines(epochs) if len(epochs) > 1 else []
        values = [value for line in lines for value in line.y if math.isfinite(value)]
        if values:
            x = Axis("epoch", epochs[0]["epoch"], epochs[-1]["epoch"])
            y = Axis("loss", 0.0, max(values) * 1.05)
            figures.append(line_plot(f"Training of {row.name}", lines, x, y))
    return figures


def _lines(epochs: list[dict[str, Any]]) -> list[Line]:
    lines = []
    for (name, part, key), colour in zip(CURVES, COLOURS, strict=False):
        points = [(e["epoch"], e[part][key]) for e in epochs if key in e.get(part, {})]
        if points:
            lines.append(Line(name, [p[0] for p in points], [p[1] for p in points], colour))
    return lines


def _history(result: Path) -> list[dict[str, Any]]:
    """The epochs in ``history.json`` of the run that a result lies in; empty where there is none."""
    for folder in list(result.resolve().parents)[:4]:
        try:
            return list(json.loads((folder / "history.json").read_text(encoding="utf-8"))["epochs"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return []
