"""Layout of a board for a terminal: names are not broken, important columns come first."""

from __future__ import annotations

from dataclasses import dataclass, replace

from affinity_zoo.zoo.board.figures import cell
from affinity_zoo.zoo.board.leaderboard import ARROWS, Board, MetricColumn
from affinity_zoo.zoo.board.leaderboard_text import part_of, parts_of, title_of
from affinity_zoo.zoo.board.rows import BoardRow, rivals_of
from affinity_zoo.zoo.board.standing import is_chance

RIVALS = 2  #: number of best baselines shown by default
MOST = 4  #: number of metrics shown by default
FEWEST = 2  #: number of metrics shown before other columns
#: other columns than the name, in order of importance
ORDER = ("coverage", "overlap", "unseen", "featurizer", "architecture", "notes")
FRAME = 3  #: columns that a border and its spaces take


@dataclass(frozen=True)
class Shown:
    """A table that fits."""

    headings: list[str]
    rows: list[list[str]]
    metrics: int  #: how many are shown
    baselines: int  #: how many are left out


def fitting(board: Board, width: int, every_metric: bool = False, every_baseline: bool = False) -> Shown:
    """Choose the columns that fit.

    Args:
        board: all rows and columns.
        width: of the terminal, in characters.
        every_metric: show all metrics, however wide they are together.
        every_baseline: show all baselines, not only the best two and chance.
    """
    rows = board.rows if every_baseline else without_most_baselines(board)
    kept = replace(board, rows=rows)
    columns = board.columns if every_metric else board.columns[:MOST]
    names = [part_of(row, "name") for row in rows]
    left = width - 1 - _width(["model", *names])
    metrics: list[MetricColumn] = []
    parts: list[str] = []
    wanted = [part for part in ORDER if part in parts_of(kept)]
    queue: list[MetricColumn | str] = [*columns[:FEWEST], *wanted[:2], *columns[FEWEST:], *wanted[2:]]
    for item in queue:
        cost = _width(_cells(item, rows))
        if cost > left and not (isinstance(item, MetricColumn) and (every_metric or not metrics)):
            continue
        left -= cost
        if isinstance(item, MetricColumn):
            metrics.append(item)
        else:
            parts.append(item)
    shown: list[MetricColumn | str] = [*(part for part in parts_of(kept) if part in parts), *metrics]
    table = [names, *(_cells(item, rows)[1:] for item in shown)]
    heads = ["model", *(_cells(item, rows)[0] for item in shown)]
    return Shown(
        heads, [list(line) for line in zip(*table, strict=True)], len(metrics), len(board.rows) - len(rows)
    )


def without_most_baselines(board: Board) -> list[BoardRow]:
    """All models, the two best baselines and the row of chance, in the order of the board.

    Args:
        board: Built from the results of one benchmark.
    """
    rivals = [id(row) for row in rivals_of(board.rows)[:RIVALS]]
    return [row for row in board.rows if not row.baseline or id(row) in rivals or is_chance(row.results[0])]


def _cells(item: MetricColumn | str, rows: list[BoardRow]) -> list[str]:
    """Heading and cells of one column."""
    if isinstance(item, str):
        return [title_of(item), *(part_of(row, item) for row in rows)]
    unit = f"{item.unit} {ARROWS[item.direction]}".strip()
    return [f"{item.key}\n{unit}\n{item.counted}", *(cell(row.metrics.get(item.key)) for row in rows)]


def _width(cells: list[str]) -> int:
    return max(len(line) for text in cells for line in text.split("\n")) + FRAME
