"""One self-contained HTML page from results: tables with interval bars, curves, misses, commands."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path

import numpy as np

from affinity_zoo import __version__
from affinity_zoo.plugins.contracts import Predictions, Truth
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.board.conclusion import in_words
from affinity_zoo.zoo.board.leaderboard import Board, build_boards
from affinity_zoo.zoo.board.leaderboard_text import without_figure
from affinity_zoo.zoo.board.rows import BoardRow
from affinity_zoo.zoo.reports.curves import binary_truth, hardest_misses, per_target
from affinity_zoo.zoo.reports.drawn import drawn_board
from affinity_zoo.zoo.reports.plots import plots
from affinity_zoo.zoo.reports.style import SCRIPT, STYLE
from affinity_zoo.zoo.reports.table import board_table
from affinity_zoo.zoo.runtime.files import whole

UNKNOWABLE = (
    "No check can find out whether the scores of a row were made from the labels, or whether its stated training "
    "set is complete."
)


def write_report(path: Path, boards: Sequence[Board], title: str = "affinity-zoo leaderboard") -> Path:
    """Write the page.

    Args:
        path: the HTML file.
        boards: one section each.
        title: of the page.
    """
    body = "\n".join(section(board) for board in boards)
    about = (
        f"<p class='soft'>affinity-zoo {__version__}, {now()}. Built from result files; no figure was typed. "
        "Bars are 95 % bootstrap intervals.</p>"
    )
    with whole(Path(path)) as file:
        file.write(document(title, about + body))
    return Path(path)


def document(title: str, body: str, before: str = "", script: str = SCRIPT) -> str:
    """A whole HTML document that needs no network.

    Args:
        title: of the page, also its heading.
        body: HTML below the heading.
        before: HTML above the heading, such as links.
        script: runs when the page is loaded.
    """
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>{before}"
        f"<h1>{escape(title)}</h1>{body}<script>{script}</script></body></html>\n"
    )


def now() -> str:
    """The time, for a page."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


def report_run(logs: Path, baselines: Path, path: Path, benchmark: str | None = None) -> Path:
    """Write the page of one run: its results, each with the baselines of that benchmark beside it.

    Args:
        logs: the run's ``x_logs``.
        baselines: folder of the baselines' results; may be missing.
        path: the HTML file.
        benchmark: this one only.
    """
    mine = build_boards([logs], benchmark=benchmark)
    wanted = {(board.benchmark, board.content_hash) for board in mine}
    boards = mine
    if baselines.is_dir():
        both = build_boards([logs, baselines], benchmark=benchmark)
        boards = [board for board in both if (board.benchmark, board.content_hash) in wanted]
    name = next(row.name for board in mine for row in board.rows)
    return write_report(path, boards, f"Report of {name}")


def section(board: Board, link: Callable[[BoardRow], str] | None = None) -> str:
    """Return the section of a board: conclusion, table, curves, misses, commands.

    Args:
        board: as built.
        link: from a row to the address of its page; None: names are no links.
    """
    predictions = read_all(board)
    best = next((row for row in board.rows if not row.baseline), board.rows[0])
    drawn = drawn_board(board, predictions)
    training = plots(drawn, "training")
    parts = [
        f"<section><h2>{escape(board.benchmark)}</h2>",
        f"<p class='soft'>{_about(board, predictions)}</p>",
        f"<p class='soft'>{escape(board.checked)} {UNKNOWABLE}</p>",
        *(f"<p class='warning'>Refused: {escape(reason)}</p>" for reason in board.refused),
        "<p>" + escape(in_words(board)) + "</p>",
        *(f"<p class='soft'>Without a figure: {escape(line)}.</p>" for line in without_figure(board)),
        "<div class='tools'><input type='search' placeholder='filter rows' aria-label='filter rows'>"
        "<label><input type='checkbox' name='baselines' checked> baselines</label>"
        "<span class='count soft'></span></div>",
        board_table(board, link),
        plots(drawn, "scores"),
        f"<h3>Training</h3>{training}" if training else "",
        failures(best, predictions.get(id(best))),
        commands(board.rows),
        "</section>",
    ]
    return "\n".join(part for part in parts if part)


def failures(row: BoardRow, rows: Predictions | None) -> str:
    """Return the failures of a row: its worst complexes and hardest misses.

    Args:
        row: Model or baseline, with its results.
        rows: Predictions of the row; None: unreadable.
    """
    return _targets(row, rows) + _misses(row, rows)


def read_all(board: Board) -> dict[int, Predictions]:
    """The predictions of each row (the first training's) by the row's identity; unreadable ones are left out.

    Args:
        board: Built from the results of one benchmark.
    """
    found: dict[int, Predictions] = {}
    for row in board.rows:
        try:
            found[id(row)] = row.results[0].predictions()
        except AffinityZooError:
            continue
    return found


def _about(board: Board, predictions: dict[int, Predictions]) -> str:
    words = [f"{board.pairs:,} pairs"]
    for rows in list(predictions.values())[:1]:
        words.append(f"{len(np.unique(rows.group)):,} groups")
        for truth, names in (("pose_label", ("near-native", "wrong")), ("active", ("active", "inactive"))):
            values = getattr(rows, truth)
            if np.isfinite(values).any():
                words.append(
                    f"{int((values > 0.5).sum()):,} {names[0]}, {int((values < 0.5).sum()):,} {names[1]}"
                )
        if np.isfinite(rows.affinity).any():
            words.append(f"{int(np.isfinite(rows.affinity).sum()):,} with pK")
    if board.intervals:
        words.append(f"intervals over {board.intervals}")
    return escape("; ".join(words)) + f"; labels <code>{escape(board.labels[:12])}</code>"


def _targets(row: BoardRow, rows: Predictions | None) -> str:
    truth: Truth | None = binary_truth(rows) if rows is not None else None
    if rows is None or truth is None:
        return ""
    figures = per_target(rows, truth)
    what = "complexes" if truth == "pose_label" else "targets"
    if not figures:
        return ""
    shown = figures[:25]
    body = "".join(
        f"<tr><td>{escape(f.name)}</td><td>{f.auc:.3f}</td><td>{f.positives}</td><td>{f.negatives}</td></tr>"
        for f in shown
    )
    perfect = sum(f.auc == 1.0 for f in figures)
    below = sum(f.auc < 0.5 for f in figures)
    return (
        f"<details><summary>{what.capitalize()} of {escape(row.name)}, worst first</summary>"
        f"<p>{len(figures)} {what} of two classes: {perfect} perfect, {below} worse than chance.</p>"
        "<table><thead><tr><th>name</th><th>AUC</th><th>positives</th><th>negatives</th></tr></thead>"
        f"<tbody>{body}</tbody></table></details>"
    )


def _misses(row: BoardRow, rows: Predictions | None) -> str:
    truth = binary_truth(rows) if rows is not None else None
    if rows is None or truth is None:
        return ""
    high, low = hardest_misses(rows, truth)
    parts = []
    for words, misses in (("Negatives ranked highest", high), ("Positives ranked lowest", low)):
        body = "".join(
            f"<tr><td>{m.rank}</td><td>{m.score:.3f}</td><td>{escape(m.id)}</td><td>{escape(m.source)}</td>"
            f"<td>{'' if math.isnan(m.rmsd) else f'{m.rmsd:.2f}'}</td></tr>"
            for m in misses
        )
        head = "<tr><th>rank</th><th>score</th><th>pair</th><th>source</th><th>RMSD, Å</th></tr>"
        parts.append(f"<h3>{words}</h3><table><thead>{head}</thead><tbody>{body}</tbody></table>")
    return f"<details><summary>Hardest misses of {escape(row.name)}</summary>{''.join(parts)}</details>"


def commands(rows: Sequence[BoardRow]) -> str:
    """Return the commands that reproduce rows.

    Args:
        rows: Models and baselines, with their results.
    """
    items = []
    for row in rows:
        for result in row.results:
            command = result.data.get("command") or ""
            if command:
                path = escape(str(result.path))
                items.append(
                    f"<p>{escape(row.name)} <span class='soft'>({path})</span></p><pre>{escape(command)}</pre>"
                )
    return f"<details><summary>Make these rows again</summary>{''.join(items)}</details>" if items else ""
