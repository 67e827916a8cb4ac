"""The loss curves of the training runs that a board's models come from."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
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
        figures.append(training_figure(f"Training of {row.name}", _history(row.results[0].path)))
    return [figure for figure in figures if figure]


def training_figure(title: str, epochs: Sequence[Mapping[str, Any]]) -> str:
    """Loss by epoch as a figure; empty with fewer than two epochs.

    Args:
        title: Title of the figure.
        epochs: Records of ``history.json``.
    """
    lines = _lines(epochs) if len(epochs) > 1 else []
    values = [value for line in lines for value in line.y if math.isfinite(value)]
    if not values:
        return ""
    x = Axis("epoch", epochs[0]["epoch"], epochs[-1]["epoch"])
    return line_plot(title, lines, x, Axis("loss", 0.0, max(values) * 1.05))


def _lines(epochs: Sequence[Mapping[str, Any]]) -> list[Line]:
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
