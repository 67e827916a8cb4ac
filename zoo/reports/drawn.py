"""The rows of a board that are drawn in its plots, each with a colour and a dash pattern."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import cycle

from affinity_zoo.plugins.contracts import Predictions, Truth
from affinity_zoo.zoo.board.leaderboard import Board
from affinity_zoo.zoo.board.rows import BoardRow, rivals_of
from affinity_zoo.zoo.reports.curves import RankingCurves, binary_truth, ranking_curves
from affinity_zoo.zoo.reports.svg import COLOURS, GREY

MOST_MODELS = 6  #: models whose curves are drawn, best first
MOST_BASELINES = 2  #: baselines whose curves are drawn, best first
DASHES = ("8 3", "3 3", "8 3 2 3", "2 5")  #: SVG dash patterns of baselines, in the order of the board


@dataclass(frozen=True)
class DrawnRow:
    """One row of a board, with colour and dash pattern of its line."""

    row: BoardRow
    predictions: Predictions
    colour: str  #: an SVG colour; every baseline is grey
    dash: str  #: an SVG dash pattern; empty for models, whose lines are solid


@dataclass(frozen=True)
class DrawnBoard:
    """Input of a plot: a board, and those of its rows that have readable predictions."""

    board: Board
    rows: list[DrawnRow]  #: the best models, then the best baselines

    @property
    def models(self) -> list[BoardRow]:
        """The best models of the board, also those without readable predictions."""
        return [row for row in self.board.rows if not row.baseline][:MOST_MODELS]

    @cached_property
    def truth(self) -> Truth | None:
        """The truth with two classes that rankings are drawn against; None: no row has one."""
        found = (binary_truth(drawn.predictions) for drawn in self.rows)
        return next((truth for truth in found if truth is not None), None)

    @cached_property
    def curves(self) -> list[tuple[DrawnRow, RankingCurves]]:
        """The ranking curves of each row; empty without a truth of two classes."""
        if self.truth is None:
            return []
        return [(drawn, ranking_curves(drawn.predictions, self.truth)) for drawn in self.rows]


def drawn_board(board: Board, predictions: Mapping[int, Predictions]) -> DrawnBoard:
    """Choose the rows that are drawn, and how.

    Args:
        board: Built from the results of one benchmark.
        predictions: Predictions by the ``id()`` of their row; rows without predictions are not drawn.
    """
    models = [row for row in board.rows if not row.baseline and id(row) in predictions][:MOST_MODELS]
    baselines = [row for row in rivals_of(board.rows) if id(row) in predictions][:MOST_BASELINES]
    dashes = cycle(DASHES)
    looks = [(row, COLOURS[i % len(COLOURS)], "") for i, row in enumerate(models)]
    looks += [(row, GREY, next(dashes)) for row in baselines]
    return DrawnBoard(board, [DrawnRow(row, predictions[id(row)], *look) for row, *look in looks])
