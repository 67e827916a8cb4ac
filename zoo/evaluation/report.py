"""Printed output of ``evaluate``."""

from __future__ import annotations

import math
from collections.abc import Sequence

from affinity_zoo.zoo.board.results import Result
from affinity_zoo.zoo.runtime.terminal import print_json, say, table


def print_result(result: Result, as_json: bool, scorers: Sequence[str] = ()) -> None:
    """Print the metrics of a result with interval, unit and direction: all, or those of the scorers named.

    Args:
        result: As :func:`~affinity_zoo.zoo.evaluation.run.evaluate` returns it.
        as_json: Print JSON on standard output, not tables.
        scorers: Names of the scorers to print; empty: all.
    """
    if as_json:
        print_json(result.data)
        return
    rows = [
        (key, _number(m.value), _interval(m.low, m.high), m.unit, m.direction, m.truth, m.counted, m.note)
        for key, m in result.metrics.items()
        if not scorers or m.name in scorers
    ]
    columns = ("scorer", "value", "95 % interval", "unit", "better", "true value", "computed over", "note")
    table(f"{result.model['name']} on {result.benchmark['name']}", columns, rows)
    say(f"written: {result.path.parent}")


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.4g}"


def _interval(low: float, high: float) -> str:
    return "" if math.isnan(low) else f"{low:.3g} to {high:.3g}"
