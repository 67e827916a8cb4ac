"""Pairwise comparison of all rows of a board from one set of bootstrap replicates per row."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Predictions, Scorer
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.board.common_rows import common_rows
from affinity_zoo.zoo.board.leaderboard import Board
from affinity_zoo.zoo.board.rows import BoardRow, rivals_of
from affinity_zoo.zoo.judging import bootstrap
from affinity_zoo.zoo.judging.judge import truth_of
from affinity_zoo.zoo.judging.missing import complete

MOST_ROWS = 16  #: rows that are compared: models first, then the best baselines
MOST_METRICS = 4
MOST_PAIRS = 200_000  #: of a benchmark; the comparison of larger ones is left to ``compare``


@dataclass(frozen=True)
class PairFigure:
    """One metric of two rows."""

    benchmark: str
    metric: str
    unit: str
    direction: str
    a: str
    b: str
    value_a: float
    value_b: float
    low: float  #: 95 % interval of a - b
    high: float

    @property
    def verdict(self) -> str:
        """State the conclusion from the interval."""
        difference = self.value_a - self.value_b
        if not (self.low > 0.0 or self.high < 0.0):
            return "no difference is shown"
        better = (difference > 0.0) == (self.direction == "higher")
        return f"{self.a if better else self.b} is better"


def compared_rows(board: Board) -> list[BoardRow]:
    """The rows that are compared with each other: models, then the best baselines.

    Args:
        board: Built from the results of one benchmark.
    """
    models = [row for row in board.rows if not row.baseline][: MOST_ROWS - 2]
    return [*models, *rivals_of(board.rows)[: max(2, MOST_ROWS - len(models))]][:MOST_ROWS]


def all_pairs(board: Board, replicates: int = bootstrap.REPLICATES) -> list[PairFigure]:
    """Compare every two rows of a board in its first columns, with the same bootstrap draws.

    Of several trainings of one recipe the mean figure is compared; how much they differ is in ``compare``.

    Args:
        board: as built.
        replicates: of the bootstrap.

    Returns:
        One entry for each two rows and metric; none for a benchmark with very many pairs.
    """
    rows = compared_rows(board)
    if board.pairs > MOST_PAIRS or len(rows) < 2:
        return []
    try:
        members = [(row, result) for row in rows for result in row.results]
        tables = common_rows([m.predictions() for _, m in members], [str(m.path) for _, m in members])
    except AffinityZooError:
        return []
    found: list[PairFigure] = []
    for column in board.columns[:MOST_METRICS]:
        drawn: dict[str, tuple[float, NDArray[np.float64]]] = {}
        for row in rows:
            mine = [(m, t) for (owner, m), t in zip(members, tables, strict=True) if owner is row]
            values = [_replicates(row, column.key, table, m.training_mean, replicates) for m, table in mine]
            known = [value for value in values if value is not None]
            if known and len(known) == len(values):
                drawn[row.name] = (
                    float(np.mean([v for v, _ in known])),
                    np.mean([d for _, d in known], axis=0),
                )
        for i, (a, (value_a, drawn_a)) in enumerate(drawn.items()):
            for b, (value_b, drawn_b) in list(drawn.items())[i + 1 :]:
                difference = drawn_a - drawn_b
                difference = difference[np.isfinite(difference)]
                low, high = (
                    np.percentile(difference, [2.5, 97.5]) if len(difference) else (math.nan, math.nan)
                )
                found.append(
                    PairFigure(board.benchmark, column.key, column.unit, column.direction, a, b, value_a, value_b,
                               float(low), float(high))
                )  # fmt: skip
    return found


def _replicates(
    row: BoardRow, key: str, table: Predictions, mean: float | None, replicates: int
) -> tuple[float, NDArray[np.float64]] | None:
    """Return a metric of one training and its replicates; None if undefined."""
    from affinity_zoo.zoo.catalog.registry import catalog

    metric = row.metrics.get(key)
    if metric is None:
        return None
    scorer: Scorer = catalog().create("scorer", metric.name, metric.options)
    truth = truth_of(scorer, table)
    if truth is None:
        return None
    judged, missing = complete(table, truth, mean)
    value = scorer.score(judged, truth).value if missing < len(judged) else math.nan
    if not math.isfinite(value):
        return None
    return value, bootstrap.replicate_values(scorer, judged, truth, bootstrap.resampling(judged, replicates))
