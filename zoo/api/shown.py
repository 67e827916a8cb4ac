"""How results look in a notebook."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.api.html import beside, fragment, framed, table
from affinity_zoo.zoo.board.figures import cell

if TYPE_CHECKING:
    from affinity_zoo.zoo.board.leaderboard import Board
    from affinity_zoo.zoo.board.results import Result
    from affinity_zoo.zoo.data.index.run import IndexSummary
    from affinity_zoo.zoo.models.run_folder import RunFolder
    from affinity_zoo.zoo.see.explain import Explanation

SCENE_HEIGHT = 640  #: of the 3D page in a notebook, CSS pixels
MOST_COLUMNS = 6  #: metrics of a leaderboard in a notebook
MOST_REASONS = 10  #: reasons of failures that are listed


def index_html(summary: IndexSummary) -> str:
    """Counts of an index: its rows by label, its splits, its failures.

    Args:
        summary: The summary.
    """
    facts = [
        ("layout", summary.layout),
        ("pairs", f"{summary.rows:,}"),
        ("receptors", f"{summary.receptors:,}"),
        ("failed", f"{summary.failed:,}"),
        ("seconds", f"{summary.seconds:.1f}"),
    ]
    reasons = sorted(summary.reasons.items(), key=lambda one: -one[1])[:MOST_REASONS]
    parts = [
        table(f"index {summary.out}", (), facts),
        table("pairs by source and label", ("source", "pairs"), _counts(summary.by_label)),
        table("pairs by split", ("split", "pairs"), _counts(summary.splits)),
    ]
    if reasons:
        parts.append(table("failed inputs by reason", ("reason", "inputs"), _counts(dict(reasons))))
    return fragment(beside(*parts), *(_soft(note) for note in summary.notes))


def run_html(run: RunFolder) -> str:
    """A run: what it trained, its curves, and the figures of the epoch that became the model.

    Args:
        run: The run.
    """
    from affinity_zoo.zoo.models.recipe import read_recipe
    from affinity_zoo.zoo.reports.training_plots import training_figure

    history = _history(run)
    epochs, kept = list(history.get("epochs", ())), history.get("best_epoch")
    try:
        recipe = read_recipe(run.logs / "recipe.toml")
        made = f"{recipe.featurizer.name} + {recipe.architecture.name}"
        if recipe.training.keep == "last":
            kept = len(epochs)
    except AffinityZooError:
        made = "its recipe cannot be read"
    figure = training_figure("Loss", epochs)
    parts = [figure] if figure else []
    found = next((epoch for epoch in epochs if epoch.get("epoch") == kept), None)
    if found is not None:
        rows = [(name, f"{value:.4g}") for name, value in dict(found.get("validation") or {}).items()]
        parts.append(table(f"validation, epoch {kept} of {len(epochs)}, whose weights are kept", (), rows))
    return fragment(table(f"run {run.x}: {made}", (), [("model", run.model)]), beside(*parts))


def result_html(result: Result) -> str:
    """A result: every metric with its interval, and the plots of its scores.

    Args:
        result: The result.
    """
    benchmark = result.benchmark
    rows = [
        (name, cell(metric), metric.unit, {"higher": "↑", "lower": "↓"}.get(metric.direction, ""), metric.counted)
        for name, metric in result.metrics.items()
        if math.isfinite(metric.value)
    ]  # fmt: skip
    caption = f"{result.model['name']} on {benchmark['name']}: {int(benchmark.get('rows') or 0):,} pairs"
    head = ("metric", "value [95 % interval]", "unit", "better", "counted")
    return fragment(table(caption, head, rows), _plots(result))


def explanation_html(explanation: Explanation) -> str:
    """An explanation: its page, in a frame.

    Args:
        explanation: The explanation.
    """
    from affinity_zoo.zoo.see.explain_page import page_of

    return fragment(framed(page_of(explanation), SCENE_HEIGHT))


def boards_html(boards: Sequence[Board]) -> str:
    """Leaderboards: the first metrics of each row with their intervals as bars, the conclusion, the curves.

    Args:
        boards: The boards.
    """
    return fragment(*(part for board in boards for part in _board(board)))


def _board(board: Board) -> list[str]:
    from dataclasses import replace

    from affinity_zoo.zoo.board.conclusion import in_words
    from affinity_zoo.zoo.reports.drawn import drawn_board
    from affinity_zoo.zoo.reports.page import read_all
    from affinity_zoo.zoo.reports.plots import plots
    from affinity_zoo.zoo.reports.table import plain_table

    first = next(column for column in board.columns if column.heading == board.sorted_by)
    others = [column for column in board.columns if column is not first]
    shown = replace(board, columns=[first, *others][:MOST_COLUMNS])
    caption = f"{board.benchmark}: {board.pairs:,} pairs, best first by {board.sorted_by}"
    left = len(board.columns) - len(shown.columns)
    more = f"{left} more metrics: `.to_pandas()`, `.write('board.html')`." if left else ""
    return [
        plain_table(shown, caption),
        *(_soft(text) for text in (in_words(board), more, *board.refused) if text),
        plots(drawn_board(board, read_all(board)), "scores"),
    ]


def _plots(result: Result) -> str:
    """The plots of a result's scores; empty where its files are gone."""
    from affinity_zoo.zoo.board.leaderboard import build_boards
    from affinity_zoo.zoo.reports.drawn import drawn_board
    from affinity_zoo.zoo.reports.page import read_all
    from affinity_zoo.zoo.reports.plots import plots

    try:
        (board,) = build_boards([result.path])
        return plots(drawn_board(board, read_all(board)), "scores")
    except AffinityZooError:
        return ""


def _history(run: RunFolder) -> Mapping[str, Any]:
    try:
        return dict(json.loads((run.logs / "history.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _counts(counts: Mapping[str, int]) -> list[tuple[str, str]]:
    return [(name, f"{number:,}") for name, number in counts.items()]


def _soft(text: str) -> str:
    from html import escape

    return f"<p class='soft'>{escape(text)}</p>"
