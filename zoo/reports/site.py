"""A site of static pages: an index, a page for each benchmark and each model, and one that compares any two rows.

Nothing is fetched: every page holds its style, script and data. Links between pages are relative.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

from affinity_zoo import __version__
from affinity_zoo.zoo.board.conclusion import in_words
from affinity_zoo.zoo.board.figures import cell, coverage_text
from affinity_zoo.zoo.board.leaderboard import Board
from affinity_zoo.zoo.board.leaderboard_text import part_of
from affinity_zoo.zoo.board.pairs import PairFigure, all_pairs
from affinity_zoo.zoo.board.rows import BoardRow, rivals_of
from affinity_zoo.zoo.judging.judge import plain
from affinity_zoo.zoo.reports.compare_script import COMPARE
from affinity_zoo.zoo.reports.drawn import MOST_BASELINES, drawn_board
from affinity_zoo.zoo.reports.page import (
    UNKNOWABLE,
    commands,
    document,
    failures,
    now,
    read_all,
    section,
)
from affinity_zoo.zoo.reports.plots import plots
from affinity_zoo.zoo.runtime.files import whole, whole_folder

CARD_FIELDS = ("headline", "about", "limits", "licence", "cite")  #: of a model's card, shown on its page
LEVELS = 3  #: folders above a result in which a card is looked for


def write_site(folder: Path, boards: Sequence[Board], title: str = "affinity-zoo leaderboard") -> Path:
    """Write the pages; an existing site is replaced.

    Args:
        folder: of the site.
        boards: as built; one page each.
        title: of the index.

    Returns:
        The index page.
    """
    folder = Path(folder)
    models = _models(boards)
    pairs = [pair for board in boards for pair in all_pairs(board)]
    with whole_folder(folder) as place:
        _write(place / "index.html", document(title, _index(boards, models), _nav("")))
        for board in boards:
            body = section(board, lambda row: f"../{_model_page(row)}")
            page = document(board.benchmark, body, _nav("../"))
            _write(place / _benchmark_page(board), page)
        for name, rows in models.items():
            page = document(name, _model(rows), _nav("../"))
            _write(place / _model_page(rows[0][1]), page)
        _write(place / "compare.html", document("Compare two rows", _compare(pairs), _nav(""), COMPARE))
    return folder / "index.html"


def _write(path: Path, text: str) -> None:
    with whole(path) as file:
        file.write(text)


def _models(boards: Sequence[Board]) -> dict[str, list[tuple[Board, BoardRow]]]:
    """The rows of each model or baseline on all boards, models first."""
    found: dict[str, list[tuple[Board, BoardRow]]] = {}
    for baseline in (False, True):
        for board in boards:
            for row in board.rows:
                if row.baseline == baseline:
                    found.setdefault(row.name, []).append((board, row))
    return found


def _slug(name: str) -> str:
    """A file name for a name: its letters, and a hash, so that two names never share one."""
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name.lower())
    return f"{kept.strip('-')[:50] or 'x'}-{hashlib.sha256(name.encode()).hexdigest()[:6]}.html"


def _benchmark_page(board: Board) -> str:
    return f"benchmarks/{_slug(board.benchmark)}"


def _model_page(row: BoardRow) -> str:
    return f"models/{_slug(row.name)}"


def _nav(up: str) -> str:
    links = (("index.html", "All benchmarks"), ("compare.html", "Compare two rows"))
    return "<nav>" + "".join(f"<a href='{up}{page}'>{words}</a>" for page, words in links) + "</nav>"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A plain table of HTML cells."""
    top = "".join(f"<th scope='col'>{escape(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{part}</td>" for part in row) + "</tr>" for row in rows)
    return f"<div class='scroll'><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"


def _link(page: str, words: str) -> str:
    return f"<a href='{escape(page, quote=True)}'>{escape(words)}</a>"


def _index(boards: Sequence[Board], models: dict[str, list[tuple[Board, BoardRow]]]) -> str:
    listed = []
    for board in boards:
        column = next((c for c in board.columns if c.heading == board.sorted_by), None)
        best = next((row for row in board.rows if not row.baseline), None)
        baseline = next(iter(rivals_of(board.rows)), None)
        shown = [
            f"{_link(_model_page(row), row.name)}<br>{escape(cell(row.metrics.get(column.key)))}"
            if row and column
            else ""
            for row in (best, baseline)
        ]
        listed.append([_link(_benchmark_page(board), board.benchmark), f"{board.pairs:,}", escape(board.sorted_by),
                       *shown, escape(in_words(board))])  # fmt: skip
    names = [
        [
            _link(_model_page(rows[0][1]), name),
            escape(rows[0][1].kind),
            escape(" + ".join(part for part in (rows[0][1].featurizer, rows[0][1].architecture) if part)),
            ", ".join(_link(_benchmark_page(board), board.benchmark) for board, _ in rows),
        ]
        for name, rows in models.items()
    ]
    return (
        f"<p class='soft'>affinity-zoo {escape(__version__)}, {now()}. Built from result files; no figure was typed. "
        f"{UNKNOWABLE}</p><h2>Benchmarks</h2>"
        + _table(["benchmark", "pairs", "sorted by", "best model", "best baseline", "what it shows"], listed)
        + "<h2>Models and baselines</h2>"
        + _table(["name", "kind", "made of", "evaluated on"], names)
    )


def _model(rows: Sequence[tuple[Board, BoardRow]]) -> str:
    """Return the page of a model: card, metrics on all benchmarks, curves, failures, commands."""
    first = rows[0][1]
    parts = [_card(first)]
    figures = []
    for board, row in rows:
        for column in board.columns:
            metric = row.metrics.get(column.key)
            if metric is not None:
                where = _link(f"../{_benchmark_page(board)}", board.benchmark)
                figures.append(
                    [
                        where,
                        escape(column.heading),
                        escape(cell(metric)),
                        escape(metric.counted),
                        escape(metric.note),
                    ]
                )
    parts.append(
        "<h2>Figures</h2>"
        + _table(["benchmark", "figure", "value [95 % interval]", "computed over", "note"], figures)
    )
    for board, row in rows:
        alone = read_all(board)
        drawn = plots(drawn_board(_only(board, row), alone), "scores")
        told = [
            f"coverage {coverage_text(row.coverage)}",
            *([f"overlap with training: {row.overlap}"] if row.overlap else []),
            *([f"first figure without overlap: {part_of(row, 'unseen')}"] if row.unseen else []),
            *row.notes,
        ]
        fails = failures(row, alone.get(id(row)))
        parts.append(
            f"<section><h2>{escape(board.benchmark)}</h2><p>{escape('; '.join(told))}</p>{drawn}{fails}</section>"
        )
    parts.append(_how_to_run(first) + commands([row for _, row in rows]))
    return "".join(parts)


def _only(board: Board, row: BoardRow) -> Board:
    """A board with one row and the baselines that it is drawn with."""
    rivals = rivals_of(board.rows)[:MOST_BASELINES]
    return replace(board, rows=[row, *(rival for rival in rivals if rival is not row)])


def _card(row: BoardRow) -> str:
    """Return the text of the model's card, if available."""
    card = _read_card(row)
    lines = []
    for key in CARD_FIELDS:
        value = card.get(key)
        texts = [str(part) for part in value] if isinstance(value, list) else [str(value)] if value else []
        if texts:
            items = "".join(f"<li>{escape(text)}</li>" for text in texts)
            lines.append(
                f"<h3>{escape(key)}</h3><ul>{items}</ul>"
                if len(texts) > 1
                else f"<p>{escape(key)}: {escape(texts[0])}</p>"
            )
    made = " + ".join(part for part in (row.featurizer, row.architecture) if part) or row.kind
    return f"<p class='soft'>{escape(row.kind)}: {escape(made)}</p>{''.join(lines)}"


def _read_card(row: BoardRow) -> dict[str, Any]:
    result = row.results[0].path.resolve()
    places = [folder / "card.json" for folder in list(result.parents)[: LEVELS + 1]]
    for folder in list(result.parents)[:LEVELS]:
        if folder.name.endswith("_logs"):
            places.append(folder.with_name(folder.name.replace("_logs", "_netstate")) / "model" / "card.json")
    for place in places:
        try:
            data = json.loads(place.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(data, dict):
            return data
    return {}


def _how_to_run(row: BoardRow) -> str:
    if row.kind != "model":
        return ""
    run = str(row.results[0].model.get("run") or row.name)
    command = f"affinity-zoo predict {run} receptor.pdb poses.sdf"
    return f"<h2>How to run it</h2><pre>{escape(command)}</pre>"


def _compare(pairs: Sequence[PairFigure]) -> str:
    """Two lists to choose from; without a script, all comparisons as a table."""
    records = [
        plain([p.benchmark, p.metric, p.unit, p.direction, p.a, p.b, p.value_a, p.value_b, p.low, p.high])
        for p in pairs
    ]
    # "<" would end the script element inside a name
    data = json.dumps(records).replace("<", "\\u003c")
    rows = [
        [escape(p.benchmark), escape(p.metric), escape(p.a), escape(p.b), f"{p.value_a - p.value_b:.3g}",
         f"[{p.low:.3g}, {p.high:.3g}]", escape(p.verdict)]
        for p in pairs
    ]  # fmt: skip
    head = ["benchmark", "figure", "A", "B", "A - B", "95 % interval", "in words"]
    return (
        "<p class='soft'>Paired bootstrap: the same groups are drawn for both rows. Models and the best baselines "
        "of each benchmark are compared.</p>"
        "<div class='choose'><label>Benchmark<select id='benchmark'></select></label>"
        "<label>A<select id='a'></select></label><label>B<select id='b'></select></label></div>"
        "<div id='found' aria-live='polite'></div>"
        f"<script type='application/json' id='pairs'>{data}</script>"
        f"<details><summary>All comparisons</summary>{_table(head, rows)}</details>"
    )
