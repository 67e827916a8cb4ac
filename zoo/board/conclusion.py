"""Conclusion of a board in one sentence, no stronger than its intervals."""

from __future__ import annotations

import math

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.board.comparison import MetricDifference, compare
from affinity_zoo.zoo.board.figures import cell
from affinity_zoo.zoo.board.leaderboard import Board, MetricColumn
from affinity_zoo.zoo.board.rows import BoardRow, rivals_of


def in_words(board: Board) -> str:
    """State whether the best model is better than the best baseline; empty if they cannot be compared.

    Both are compared on the same rows by a paired bootstrap; of several trainings the mean.

    Args:
        board: Built from the results of one benchmark.
    """
    models = [row for row in board.rows if not row.baseline]
    baselines = rivals_of(board.rows)
    if not board.columns or not baselines:
        return ""
    if not models:
        return f"No trained model is on this board yet; the best baseline is {baselines[0].name}."
    column = next(c for c in board.columns if c.heading == board.sorted_by)
    best, baseline = models[0], baselines[0]
    values = [
        row.metrics[column.key].value if column.key in row.metrics else math.nan for row in (best, baseline)
    ]
    if not all(math.isfinite(value) for value in values):
        return ""
    figures = f"{column.key} {cell(best.metrics[column.key])} against {cell(baseline.metrics[column.key])}"
    found = _paired(best, baseline, column)
    if found is None:
        return f"The best model is {best.name}, the best baseline {baseline.name}: {figures}."
    figures += f"; paired difference {found.difference:.3g}, 95 % [{found.low:.3g}, {found.high:.3g}]"
    seen = f" Its overlap with training: {best.overlap}." if best.overlap not in ("", "none") else ""
    if found.winner == "a":
        return f"{best.name} is better than the best baseline, {baseline.name}: {figures}.{seen}"
    if found.winner == "b":
        return f"The baseline {baseline.name} beats the best model, {best.name}: {figures}."
    return f"{best.name} is not shown to differ from the best baseline, {baseline.name}: {figures}.{seen}"


def _paired(best: BoardRow, baseline: BoardRow, column: MetricColumn) -> MetricDifference | None:
    """Return the paired difference in a board's column; None if it cannot be computed."""
    from affinity_zoo.zoo.catalog.registry import catalog

    metric = best.metrics[column.key]
    try:
        scorer = catalog().create("scorer", metric.name, metric.options)
        found = compare(best.results, baseline.results, scorers=[scorer]).differences
    except AffinityZooError:
        return None
    return found[0] if found else None
