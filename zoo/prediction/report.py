"""Printed output of ``predict``: best rows, failures, and remedies for warnings."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

from affinity_zoo.zoo.prediction.checks import REMEDIES, kind_of
from affinity_zoo.zoo.prediction.run import Ranking
from affinity_zoo.zoo.runtime.terminal import note, say, table, warn

_MOST_REASONS = 8
_COLUMNS = (
    "rank", "pose_logit", "pose_probability", "near_native_probability", "activity_probability", "rmsd_expected",
    "affinity_pk", "affinity_sd", "product", "docking_score", "consensus_z", "ligand_similarity", "pose_valid",
    "name", "target", "file", "record", "poses", "warnings",
)  # fmt: skip


def print_ranking(found: Ranking, where: str, top: int, best_per: str | None, quiet: bool = False) -> None:
    """Print a prediction.

    Args:
        where: what the rows were written to.
        top: rows to show.
        best_per: as it was asked for.
        quiet: nothing on stdout: it holds the rows.
    """
    best = [row for row in found.rows if row.rank][:top]
    hidden = {"target"} if len({row.target for row in found.rows}) < 2 else set()
    if best and not quiet:
        columns = [name for name in _COLUMNS if name in found.columns and name not in hidden]
        shown = [[_cell(name, row.value(name)) for name in columns] for row in best]
        what = "molecules" if best_per else "poses"
        table(
            f"best {len(best)} of {len(found.rows)} {what}, ranked by {found.ranked_by}",
            columns,
            shown,
        )
    _warnings(found)
    line = f"{found.poses} poses in, {len(found.rows)} rows out, {found.failed} without a score: {where}"
    (note if quiet else say)(line)


def _warnings(found: Ranking) -> None:
    for line in found.notes:
        warn(line)
    for reason, (count, first) in list(found.failures.items())[:_MOST_REASONS]:
        others = f" and {count - 1} more" if count > 1 else ""
        warn(f"{first}{others}: no score ({reason})")
    rest = list(found.failures.values())[_MOST_REASONS:]
    if rest:
        warn(f"{sum(n for n, _ in rest)} more poses without a score: see the column reason")
    kinds = Counter(
        kind for row in found.rows for kind in {kind_of(text) for text in row.warnings.split("; ") if text}
    )
    for kind in REMEDIES:
        if kinds[kind]:
            warn(f"{kinds[kind]} of {len(found.rows)} rows {kind}: {REMEDIES[kind]}")


def _cell(name: str, value: object) -> object:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.4g}"
    if name == "warnings":  # the kinds; the CSV has the whole text
        return ", ".join(dict.fromkeys(kind_of(text) for text in str(value).split("; ") if text))
    return Path(str(value)).name if name == "file" else value
