"""What a board shows, in a sentence that is as modest as its figures."""

from __future__ import annotations

import math

from affinity_zoo.zoo.leaderboard import Board
from affinity_zoo.zoo.leaderboard_text import cell


def in_words(board: Board) -> str:
    """Whether the best model stands above the best one-number baseline; empty where nothing can be said."""
    column = board.columns[0] if board.columns else None
    models = [row for row in board.rows if not row.baseline]
    others = [row for row in board.rows if row.baseline and row.name != "best-possible"]
    if column is None or not others:
        return ""
    if not models:
        return f"No trained model stands on this board yet; the best one-number baseline is {others[0].name}."
    name = others[0].name
    theirs, ours = others[0].metrics.get(column.key), models[0].metrics.get(column.key)
    if ours is None or theirs is None or not (math.isfinite(ours.value) and math.isfinite(theirs.value)):
        return ""
    higher = column.direction == "higher"
    if ours.value == theirs.value or (ours.value > theirs.value) != higher:
        return (
            f"The one-number baseline {name} beats every trained model here: {column.key} {cell(theirs)} against "
            f"{cell(ours)} for the best model, {models[0].name}."
        )
    figures = f"{column.key} {cell(ours)} against {cell(theirs)}"
    seen = (
        f" Its overlap with training: {models[0].overlap}." if models[0].overlap not in ("", "none") else ""
    )
    if ours.low > theirs.high if higher else ours.high < theirs.low:
        return f"{models[0].name} stands above the best one-number baseline, {name}: {figures}.{seen}"
    return (
        f"{models[0].name} stands above the best one-number baseline, {name}, but the intervals overlap: {figures}. "
        f"`affinity-zoo compare` answers on the same rows.{seen}"
    )
