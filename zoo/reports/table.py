"""The table of a report page: sortable, with an interval bar in each cell."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from html import escape

from affinity_zoo.zoo.board.figures import cell, coverage_text
from affinity_zoo.zoo.board.leaderboard import ARROWS, Board, MetricColumn
from affinity_zoo.zoo.board.leaderboard_text import part_of
from affinity_zoo.zoo.board.rows import BoardRow
from affinity_zoo.zoo.reports.svg import Axis, interval_bar


def board_table(board: Board, link: Callable[[BoardRow], str] | None = None) -> str:
    """The board as a table that can be sorted and filtered.

    Args:
        board: Built from the results of one benchmark.
        link: Function from a row to the address of its page; None: no links.
    """
    told = [
        part
        for part in ("coverage", "overlap with training", "without overlap", "notes")
        if any(_told(row, part) for row in board.rows)
    ]
    head = _head("model") + _head("made of") + "".join(_head(part) for part in told)
    head += "".join(_metric_head(column, column.heading == board.sorted_by) for column in board.columns)
    axes = {column.key: _range(board.rows, column.key) for column in board.columns}
    best = {column.key: _best(board.rows, column) for column in board.columns}
    body = "".join(_row(row, told, board.columns, axes, best, link) for row in board.rows)
    return f"<div class='scroll'><table class='board'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def plain_table(board: Board, caption: str) -> str:
    """The board as a table without a script: model, then a value with its interval as a bar for each metric.

    Args:
        board: The board.
        caption: Above the table.
    """
    heads = "".join(f"<th>{escape(column.heading)}</th>" for column in board.columns)
    axes = {column.key: _range(board.rows, column.key) for column in board.columns}
    rows = []
    for row in board.rows:
        cells = [f"<td>{escape(f'({row.name})' if row.baseline else row.name)}</td>"]
        for column in board.columns:
            metric = row.metrics.get(column.key)
            bar = (
                interval_bar(metric.value, metric.low, metric.high, axes[column.key], row.baseline)
                if metric
                else ""
            )
            cells.append(f"<td>{escape(cell(metric))}<br>{bar}</td>")
        rows.append(f"<tr class='{'baseline' if row.baseline else 'model'}'>{''.join(cells)}</tr>")
    return (
        f"<table><caption>{escape(caption)}</caption><thead><tr><th>model</th>{heads}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _head(text: str) -> str:
    return f"<th><button type='button'>{escape(text)}<small>&nbsp;</small></button></th>"


def _metric_head(column: MetricColumn, is_sorted: bool) -> str:
    first = "ascending" if column.direction == "lower" else "descending"
    sort = f" aria-sort='{first}'" if is_sorted else ""
    small = f"{escape(column.unit)} {ARROWS[column.direction]}<br>{escape(column.counted)}"
    button = f"<button type='button'>{escape(column.key)}<small>{small}</small></button>"
    return f"<th data-first='{first}'{sort}>{button}</th>"


def _told(row: BoardRow, part: str) -> str:
    if part == "coverage":
        return coverage_text(row.coverage)
    if part == "without overlap":
        return part_of(row, "unseen")
    return "; ".join(row.notes) if part == "notes" else row.overlap


def _row(
    row: BoardRow,
    told: list[str],
    columns: Sequence[MetricColumn],
    axes: dict[str, Axis],
    best: dict[str, BoardRow | None],
    link: Callable[[BoardRow], str] | None = None,
) -> str:
    kind = "baseline" if row.baseline else "model"
    made = " + ".join(part for part in (row.featurizer, row.architecture) if part)
    made = "baseline" if row.baseline else made
    name = escape(row.name)
    if link is not None:
        name = f"<a href='{escape(link(row), quote=True)}'>{name}</a>"
    cells = [f"<td>{name}</td>", f"<td>{escape(made)}</td>"]
    cells += [f"<td>{escape(_told(row, part))}</td>" for part in told]
    for column in columns:
        metric = row.metrics.get(column.key)
        if metric is None or not math.isfinite(metric.value):
            why = escape(metric.note, quote=True) if metric is not None else ""
            cells.append(
                f"<td class='figure' data-value='' title='{why}'>{'undefined' if metric else ''}</td>"
            )
            continue
        value, _, spread = cell(metric).partition(" [")
        bar = interval_bar(metric.value, metric.low, metric.high, axes[column.key], row.baseline)
        mark = " best" if best[column.key] is row else ""
        cells.append(
            f"<td class='figure{mark}' data-value='{metric.value!r}'>"
            f"<b>{value}</b> <small>{escape('[' + spread if spread else '')}</small>{bar}</td>"
        )
    return f"<tr class='{kind}'>{''.join(cells)}</tr>"


def _range(rows: Iterable[BoardRow], key: str) -> Axis:
    metrics = [row.metrics[key] for row in rows if key in row.metrics]
    ends = [v for m in metrics for v in (m.value, m.low, m.high) if math.isfinite(v)] or [0.0, 1.0]
    return Axis(key, min(ends), max(ends))


def _best(rows: Iterable[BoardRow], column: MetricColumn) -> BoardRow | None:
    models = [r for r in rows if not r.baseline and column.key in r.metrics]
    models = [r for r in models if math.isfinite(r.metrics[column.key].value)]
    if not models:
        return None
    sign = -1.0 if column.direction == "lower" else 1.0
    return max(models, key=lambda row: sign * row.metrics[column.key].value)
