"""What ``evaluate`` and ``predict`` print."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from affinity_zoo.zoo.prediction import PosePrediction
from affinity_zoo.zoo.results import Result
from affinity_zoo.zoo.terminal import print_json, say, table, warn


def print_result(result: Result, as_json: bool, scorers: Sequence[str] = ()) -> None:
    """Print the metrics of a result with interval, unit and direction: all, or those of the scorers named."""
    if as_json:
        print_json(result.data)
        return
    rows = [
        (key, _number(m.value), _interval(m.low, m.high), m.unit, m.direction, m.truth, m.rows, m.note)
        for key, m in result.metrics.items()
        if not scorers or m.name in scorers
    ]
    columns = ("scorer", "value", "95 % interval", "unit", "better", "truth", "rows", "note")
    table(f"{result.model['name']} on {result.benchmark['name']}", columns, rows)
    say(f"written: {result.path.parent}")


def print_predictions(rows: Sequence[PosePrediction], output: Path, top: int, as_json: bool) -> int:
    """Print the best rows and count the failed ones."""
    failed = [row for row in rows if row.status != "ok"]
    if as_json:
        print_json([row.as_dict() for row in rows])
        return len(failed)
    columns = (
        "rank",
        "score (logit, higher is better)",
        "probability",
        "affinity (pK)",
        "pose",
        "file",
        "record",
        "warnings",
    )
    best = [row for row in rows if row.status == "ok"][:top]
    shown = [
        (r.rank, r.score, r.probability, _number(r.affinity), r.name, Path(r.file).name, r.record, r.warnings)
        for r in best
    ]
    if shown:
        table(f"best {len(shown)} of {len(rows)} poses", columns, shown)
    for row in failed[:top]:
        warn(f"{row.file}, record {row.record}: no score ({row.reason})")
    if len(failed) > top:
        warn(f"{len(failed) - top} more poses without a score: see the column reason in {output}")
    say(f"{len(rows)} poses in, {len(rows)} rows out, {len(failed)} without a score: {output}")
    return len(failed)


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.4g}"


def _interval(low: float, high: float) -> str:
    return "" if math.isnan(low) else f"{low:.3g} to {high:.3g}"
