"""Ranking by a column, of all poses or of the best pose of each molecule."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.prediction.rows import CONSENSUS, RANKINGS, PosePrediction

BEST_PER = ("molecule",)
Molecule = tuple[str, str, str]  #: target, name, skeleton


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
        if wanted in CONSENSUS:
            raise UsageError(f"`rank_by={wanted!r}` needs `consensus`")
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
    rows: Sequence[PosePrediction], ranking: str, best_per: str | None = None, part: bool = False
) -> list[tuple[int, PosePrediction]]:
    """Order the rows, best first, rows without a score last; equal rows keep the order of the input.

    Args:
        ranking: a key of :data:`RANKINGS`.
        best_per: ``molecule``: the best row of each molecule of each target, with the number of its poses;
            molecules of one name and different skeletons are different.
        part: records without atoms stay apart, because a part does not know which molecule of their name is the first.

    Returns:
        Number of the row in ``rows``, and the row with its rank.
    """
    field, sign = RANKINGS[ranking]
    values = [sign * float(row.value(field)) if row.status == "ok" else math.nan for row in rows]
    order = sorted(
        range(len(rows)),
        key=lambda i: (math.isnan(values[i]), 0.0 if math.isnan(values[i]) else -values[i], i),
    )
    poses = [1] * len(rows)
    if best_per:
        groups = [molecule(row) for row in rows]
        if not part:
            first = first_skeletons(groups)
            groups = [resolved(group, first) for group in groups]
        counts = Counter(groups)
        best: dict[Molecule, int] = {}
        for i in order:
            best.setdefault(groups[i], i)
        order = list(best.values())
        for group, i in best.items():
            poses[i] = counts[group]
    return [
        (i, replace(rows[i], rank=0 if math.isnan(values[i]) else rank, poses=poses[i]))
        for rank, i in enumerate(order, start=1)
    ]


def molecule(row: PosePrediction) -> Molecule:
    """Return target, name and skeleton of a row's molecule; the skeleton of a record without atoms is empty.

    Args:
        row: Prediction of one pose.
    """
    return row.target, row.molecule, row.skeleton


def first_skeletons(molecules: Iterable[Molecule]) -> dict[tuple[str, str], str]:
    """Return the first skeleton of each target and name.

    Args:
        molecules: In the order of the input.
    """
    first: dict[tuple[str, str], str] = {}
    for target, name, skeleton in molecules:
        if skeleton:
            first.setdefault((target, name), skeleton)
    return first


def resolved(molecule: Molecule, first: Mapping[tuple[str, str], str]) -> Molecule:
    """Return the molecule that a row counts for: a record without atoms belongs to the first of its name.

    Args:
        molecule: Of the row.
        first: From :func:`first_skeletons`.
    """
    target, name, skeleton = molecule
    return target, name, skeleton or first.get((target, name), "")
