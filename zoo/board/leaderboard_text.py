"""A leaderboard as text: for the terminal, as Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from affinity_zoo.zoo.board.conclusion import in_words
from affinity_zoo.zoo.board.figures import cell, coverage_text
from affinity_zoo.zoo.board.leaderboard import Board
from affinity_zoo.zoo.board.results import FORMAT
from affinity_zoo.zoo.board.rows import BoardRow
from affinity_zoo.zoo.judging.judge import plain


def headings(board: Board, most: int | None = None) -> list[str]:
    """Names of the columns of :func:`table_rows`.

    Args:
        board: Built from the results of one benchmark.
        most: Largest number of metric columns; None: all.
    """
    return [title_of(part) for part in parts_of(board)] + [c.heading for c in board.columns[:most]]


def table_rows(board: Board, most: int | None = None) -> list[list[str]]:
    """Return the board as text, best row first, without empty columns.

    Args:
        board: Built from the results of one benchmark.
        most: how many metrics; None: all.
    """
    return [
        [part_of(row, part) for part in parts_of(board)]
        + [cell(row.metrics.get(c.key)) for c in board.columns[:most]]
        for row in board.rows
    ]


_PARTS = {
    "name": "model", "featurizer": "featurizer", "architecture": "architecture",
    "coverage": "coverage", "overlap": "overlap with training", "unseen": "first figure without overlap",
    "notes": "notes",
}  # fmt: skip


def title_of(part: str) -> str:
    """The heading of a part of a row.

    Args:
        part: Name of the column.
    """
    return _PARTS[part]


def parts_of(board: Board) -> list[str]:
    """Return the columns with content; coverage only if a score is missing.

    Args:
        board: Built from the results of one benchmark.
    """
    said = [part for part in _PARTS if any(part_of(row, part) for row in board.rows)]
    whole = all(row.coverage == 1.0 for row in board.rows)
    return [part for part in said if part != "coverage" or not whole]


def part_of(row: BoardRow, part: str) -> str:
    """Return the text of a row in one of these columns.

    Args:
        row: Model or baseline, with its results.
        part: Name of the column.
    """
    if part == "name":
        return f"({row.name})" if row.baseline else row.name
    if part == "coverage":
        return coverage_text(row.coverage)
    if part == "unseen":
        return f"{cell(row.unseen)}, {row.unseen.counted}" if row.unseen is not None else ""
    return "; ".join(row.notes) if part == "notes" else str(getattr(row, part))


def as_markdown(boards: Sequence[Board], most: int | None = 6) -> str:
    """Return Markdown, one section per benchmark: conclusion, table, commands.

    Args:
        boards: as built.
        most: metrics a table; None: all.
    """
    lines = ["# Leaderboard", "", MARKDOWN_HEAD, ""]
    for board in boards:
        head = headings(board, most)
        about = f"{board.pairs:,} pairs, labels `{board.labels[:12]}`; best first by {board.sorted_by}; "
        lines += [
            f"## {board.benchmark}",
            "",
            about + f"intervals over {board.intervals}. {board.checked}",
            "",
        ]
        if words := in_words(board):
            lines += [words, ""]
        lines += [f"Refused: {reason}\n" for reason in board.refused]
        lines += ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
        lines += ["| " + " | ".join(_escaped(part) for part in row) + " |" for row in table_rows(board, most)]
        lines += ["", f"Computed over: {counted(board, most)}."]
        lines += ["", *(f"Without a figure: {line}.\n" for line in without_figure(board))]
        commands = dict.fromkeys(str(r.data.get("command") or "") for row in board.rows for r in row.results)
        commands.pop("", None)
        if commands:
            lines += ["", "Made by:", "", "```", *commands, "```"]
        lines.append("")
    return "\n".join(lines)


def counted(board: Board, most: int | None = None) -> str:
    """State the number of units behind each column: ``top-1: 314 of 388 complexes; ...``.

    Args:
        board: Built from the results of one benchmark.
        most: Largest number of metric columns; None: all.
    """
    by_number: dict[str, list[str]] = {}
    for column in board.columns[:most]:
        by_number.setdefault(column.counted or "not said", []).append(column.key)
    return "; ".join(f"{', '.join(keys)}: {number}" for number, keys in by_number.items())


def without_figure(board: Board) -> list[str]:
    """List metrics without a value in any row, by reason: ``enrichment: refused: ...``.

    Args:
        board: Built from the results of one benchmark.
    """
    by_reason: dict[str, list[str]] = {}
    for key, why in board.left_out.items():
        by_reason.setdefault(why, []).append(key)
    return [f"{', '.join(keys)} ({why})" for why, keys in by_reason.items()]


MARKDOWN_HEAD = (
    "Written by `affinity-zoo leaderboard --markdown`; no figure was typed. Best first; ↑ higher is better, ↓ lower is "
    "better; in brackets the 95 % bootstrap interval; (in parentheses): a baseline, no network. How the figures "
    "are made and how to read them: [judging.md](judging.md)."
)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def as_records(boards: Sequence[Board]) -> list[dict[str, Any]]:
    """Return one flat dict per metric, for CSV and JSON.

    Args:
        boards: Built from the results of one benchmark.
    """
    records: list[dict[str, Any]] = []
    for board in boards:
        for row in board.rows:
            for key, m in row.metrics.items():
                records.append({
                    "benchmark": board.benchmark, "benchmark_hash": board.content_hash, "model": row.name,
                    "featurizer": row.featurizer, "architecture": row.architecture,
                    "kind": row.kind, "metric": key, "value": m.value,
                    "low95": m.low, "high95": m.high, "unit": m.unit, "better": m.direction, "truth": m.truth,
                    "rows": m.rows, "n": m.n, "of": m.of, "what": m.what, "missing": m.missing,
                    "coverage": row.coverage, "note": m.note,
                    "overlap": row.overlap,
                    "command": row.results[0].data.get("command", ""), "result": str(row.results[0].path),
                })  # fmt: skip
    return [plain(record) for record in records]


def as_csv(boards: Sequence[Board]) -> str:
    """Return a CSV table with one line per metric.

    Args:
        boards: Built from the results of one benchmark.
    """
    records = as_records(boards)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(records[0]) if records else ["benchmark"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def as_json(boards: Sequence[Board]) -> dict[str, Any]:
    """Return all boards as JSON.

    Args:
        boards: Built from the results of one benchmark.
    """
    return {
        "format": f"{FORMAT} board",
        "boards": [
            {
                "benchmark": board.benchmark,
                "hash": board.content_hash,
                "columns": [vars(column) | {"heading": column.heading} for column in board.columns],
                "rows": [
                    {
                        "name": row.name, "featurizer": row.featurizer, "architecture": row.architecture,
                        "kind": row.kind,
                        "overlap": row.overlap, "coverage": row.coverage, "notes": row.notes,
                        "without_overlap": row.unseen.as_dict() if row.unseen is not None else None,
                        "metrics": {key: metric.as_dict() for key, metric in row.metrics.items()},
                        "results": [str(result.path) for result in row.results],
                    }
                    for row in board.rows
                ],
                "verified": board.verified,
                "left_out": board.left_out,
                "refused": board.refused,
            }
            for board in boards
        ],
    }  # fmt: skip
