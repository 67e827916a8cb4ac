"""Consensus of a prediction: mean z-score and mean rank of its own score, the docking score and other models' scores.

The mathematics is that of :mod:`affinity_zoo.zoo.judging.consensus`, so that a prediction has the consensus that a
leaderboard judges.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Truth
from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.judging.consensus import mean_rank, mean_z
from affinity_zoo.zoo.judging.missing import filled
from affinity_zoo.zoo.prediction.ranking import choose_ranking, first_skeletons, molecule, resolved
from affinity_zoo.zoo.prediction.rows import CONSENSUS, OF_OUTPUTS, RANKINGS, PosePrediction
from affinity_zoo.zoo.scorers.units import Units, factorize

Array = NDArray[np.float64]

DOCKING: Final = "docking-score"
COLUMNS: Final = tuple(RANKINGS[name].field for name in CONSENSUS)
#: what a ranking is judged by on a board
_TRUTHS: Final[dict[str, Truth]] = {
    "pose": "pose_label", "rmsd": "rmsd", "activity": "active", "product": "active", "affinity": "affinity",
}  # fmt: skip
_WITHIN_OF: Final[dict[Truth, str]] = {
    "pose_label": "molecule", "rmsd": "molecule", "active": "target", "affinity": "all",
}  # fmt: skip
#: what may be compared -> how much of (target, name, skeleton) of a molecule tells what is compared apart
WITHIN: Final = {"molecule": 3, "target": 1, "all": 0}


@dataclass(frozen=True)
class Member:
    """A score that takes part.

    Args:
        name: ``docking-score``, an output of the prediction's own models, or the name of another model.
        models: folders of the other model; empty: the score is a column of the prediction.
    """

    name: str
    models: tuple[Path, ...] = ()

    @property
    def words(self) -> str:
        """Name of the score in a sentence."""
        if self.models:
            return f"score of {self.name}"
        return "docking score" if self.name == DOCKING else f"{self.name} score"


def members_of(wanted: str | Sequence[str], find: Callable[[str], Sequence[Path]]) -> tuple[Member, ...]:
    """Read the members that a user names.

    Args:
        wanted: ``docking-score``, outputs (pose, activity, affinity, rmsd, product) and models; a text has them
            separated by commas.
        find: returns the folders of a model.

    Raises:
        UsageError: no member is named.
        AffinityZooError: there is no such model.
    """
    names = wanted.split(",") if isinstance(wanted, str) else wanted
    names = list(dict.fromkeys(name for name in map(str.strip, names) if name))
    if not names:
        raise UsageError("`consensus` is empty: give docking-score, an output or a model")
    return tuple(
        Member(name, () if name == DOCKING or name in OF_OUTPUTS else tuple(find(name))) for name in names
    )


def plan(
    wanted: Sequence[Member], rank_by: str | None, cards: Sequence[Mapping[str, Any]], models: Sequence[str]
) -> tuple[str, tuple[Member, ...]]:
    """Ranking of a consensus and all members; an output of the prediction's own models comes first.

    Args:
        wanted: members that the user named; empty: no consensus.
        rank_by: as asked for.
        cards: of the prediction's own models.
        models: resolved folders of these models; a member that is the same model is the own score.

    Raises:
        UsageError: there are fewer than two members, or no model gives an output that is named.
    """
    if not wanted:
        return choose_ranking(rank_by, cards), ()
    outputs = [choose_ranking(member.name, cards) for member in wanted if member.name in OF_OUTPUTS]
    if not outputs:
        outputs = [choose_ranking(rank_by if rank_by in OF_OUTPUTS else None, cards)]
    own = {Path(name) for name in models}
    others = [
        one
        for one in wanted
        if one.name not in OF_OUTPUTS and not (one.models and {path.resolve() for path in one.models} == own)
    ]
    if len(outputs) + len(others) < 2:
        raise UsageError(
            f"a consensus needs more than {outputs[0]}: add docking-score, another output or another model"
        )
    return rank_by or CONSENSUS[0], (*map(Member, outputs), *others)


#: a row of a prediction, whatever model scored it: ids of a table may occur twice
RowKey = tuple[str, str, int, str]


def key_of(row: PosePrediction) -> RowKey:
    """Return id, file, record and receptor of a row.

    Args:
        row: Prediction of one pose.
    """
    return row.id, row.file, row.record, row.receptor


def with_consensus(
    rows: Sequence[PosePrediction],
    by: str,
    members: Sequence[Member],
    scores: Mapping[str, Mapping[RowKey, float]],
    within: str | None = None,
) -> tuple[list[PosePrediction], list[str]]:
    """Add the columns of the consensus to rows.

    A missing score counts as on a leaderboard: as the lowest, or, of an affinity, as the mean. Rows that failed count
    likewise for the others, and have no consensus themselves.

    Args:
        rows: all rows of the prediction.
        by: what they are ranked by.
        members: from :func:`plan`.
        scores: of each member that is another model: :func:`key_of` a row -> score, larger is better.
        within: what is compared, one of :data:`WITHIN`; None: the poses of a molecule for poses and RMSD, the
            molecules of a target for activity and product, all rows for affinity.

    Returns:
        The rows, and notes for the user.

    Raises:
        AffinityZooError: a member has no score of any row.
    """
    if all(row.status == "failed" for row in rows):
        return [replace(row, extras={**row.extras, **dict.fromkeys(COLUMNS)}) for row in rows], []
    truth = _TRUTHS[members[0].name]
    within = within or _WITHIN_OF[truth]
    where, columns, notes = _units(rows, within), [], []
    for member in members:
        column = _column(rows, member, scores)
        _check_some(member, column)
        if lacking := sum(
            row.status == "ok" and bool(np.isnan(score)) for row, score in zip(rows, column, strict=True)
        ):
            how = "the mean" if truth == "affinity" else "the lowest"
            notes.append(
                f"{lacking} of {len(rows)} poses have no {member.words}: in the consensus it counts as {how}"
            )
        columns.append(filled(column, truth))
    values = zip(mean_z(columns, where).tolist(), mean_rank(columns, where).tolist(), strict=True)
    made = []
    for row, both in zip(rows, values, strict=True):
        failed = row.status == "failed"
        named = dict.fromkeys(COLUMNS) if failed else dict(zip(COLUMNS, both, strict=True))
        made.append(replace(row, extras={**row.extras, **named}))
    if by in CONSENSUS and within == "molecule" and _several_molecules(rows):
        notes.append(
            "the consensus compares the poses of each molecule with each other, not molecules: `consensus_within` "
            "'target' compares all poses of a target"
        )
    return made, notes


def _several_molecules(rows: Sequence[PosePrediction]) -> bool:
    """Whether a target has poses of more than one molecule."""
    molecules = {molecule(row) for row in rows if row.skeleton}
    return len(molecules) > len({target for target, _, _ in molecules})


def _check_some(member: Member, column: Array) -> None:
    if np.isfinite(column).any():
        return
    where = ": docs/formats.md lists where pose files have it" if member.name == DOCKING else ""
    raise AffinityZooError(
        f"no pose has a {member.words}{where}; the consensus needs one. Leave out `consensus` to rank by the model "
        "alone"
    )


def _units(rows: Sequence[PosePrediction], within: str) -> Units:
    molecules = [molecule(row) for row in rows]
    first = first_skeletons(molecules)
    keys = ["\0".join(resolved(one, first)[: WITHIN[within]]) for one in molecules]
    return factorize(np.array(keys, np.str_))


def _column(
    rows: Sequence[PosePrediction], member: Member, scores: Mapping[str, Mapping[RowKey, float]]
) -> Array:
    """Scores of a member, (N,), larger is better; NaN where it has none."""
    if member.models:
        found = [scores[member.name].get(key_of(row), np.nan) for row in rows]
    elif member.name == DOCKING:
        found = [-row.docking_score for row in rows]
    else:
        field, sign = RANKINGS[member.name]
        found = [sign * float(row.value(field)) for row in rows]
    return np.array(found, np.float64)
