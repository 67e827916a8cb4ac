"""Ranking by a column, of all poses or of the best pose of each molecule."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.prediction.rows import RANKINGS, PosePrediction

BEST_PER = ("molecule",)


def choose_ranking(wanted: str | None, cards: Sequence[Mapping[str, Any]]) -> str:
    """Choose the output to rank by: as requested, else the first of pose, activity, affinity, rmsd.

    Args:
        wanted: ``pose``, ``activity``, ``affinity``, ``rmsd`` or ``product`` (probability x affinity, gnina's
            CNN_VS); None: choose.
        cards: of the models.

    Raises:
        UsageError: an unknown name, or no model gives it.
    """
    given = {str(output["name"]) for card in cards for output in card["outputs"]}
    if wanted is None:
        return next((name for name in ("pose", "activity", "affinity", "rmsd") if name in given), "pose")
    check_rank_by(wanted)
    fine = wanted in given
    if wanted == "product":
        fine = "affinity" in given and bool(given & {"pose", "activity"})
    if not fine:
        needs = (
            "a pose (or activity) output and an affinity" if wanted == "product" else f"an output {wanted}"
        )
        raise UsageError(
            f"`rank_by={wanted!r}` needs a model with {needs}; the outputs here are {', '.join(sorted(given))}"
        )
    return wanted


def check_rank_by(wanted: str | None) -> None:
    """Refuse an unknown ranking.

    Args:
        wanted: Name from the user.

    Raises:
        UsageError: an unknown name.
    """
    if wanted is not None and wanted not in RANKINGS:
        raise UsageError(f"`rank_by` is one of {', '.join(RANKINGS)}, not {wanted!r}")


def check_best_per(wanted: str | None) -> None:
    """Refuse an unknown grouping of poses.

    Args:
        wanted: Name from the user.

    Raises:
        UsageError: an unknown name.
    """
    if wanted is not None and wanted not in BEST_PER:
        raise UsageError(f"`best_per` is {', '.join(BEST_PER)}, not {wanted!r}")


def ranked(
    rows: Sequence[PosePrediction], ranking: str, best_per: str | None = None
) -> list[tuple[int, PosePrediction]]:
    """Order the rows, best first, rows without a score last; equal rows keep the order of the input.

    Args:
        ranking: a key of :data:`RANKINGS`.
        best_per: ``molecule``: the best row of each molecule of each target, with the number of its poses;
            molecules of one name and different skeletons are different.

    Returns:
        Number of the row in ``rows``, and the row with its rank.
    """
    field, sign = RANKINGS[ranking]
    values = [sign * getattr(row, field) if row.status == "ok" else math.nan for row in rows]
    order = sorted(
        range(len(rows)),
        key=lambda i: (math.isnan(values[i]), 0.0 if math.isnan(values[i]) else -values[i], i),
    )
    poses = [1] * len(rows)
    if best_per:
        groups = _molecules(rows)
        counts = Counter(groups)
        best: dict[tuple[str, str, str], int] = {}
        for i in order:
            best.setdefault(groups[i], i)
        order = list(best.values())
        for group, i in best.items():
            poses[i] = counts[group]
    return [
        (i, replace(rows[i], rank=0 if math.isnan(values[i]) else rank, poses=poses[i]))
        for rank, i in enumerate(order, start=1)
    ]


def _molecules(rows: Sequence[PosePrediction]) -> list[tuple[str, str, str]]:
    """The molecule of each row: target, name and skeleton; a record without atoms belongs to the first of its name."""
    first: dict[tuple[str, str], str] = {}
    for row in rows:
        if row.skeleton:
            first.setdefault((row.target, row.molecule), row.skeleton)
    return [
        (row.target, row.molecule, row.skeleton or first.get((row.target, row.molecule), "")) for row in rows
    ]
