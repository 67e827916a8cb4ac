"""Split an index again by a rule of :data:`~affinity_zoo.zoo.data.splits.rules.RULES`, in three sets or in folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.data.splits.grouping import SplitTask
from affinity_zoo.zoo.data.splits.groups import (
    DEFAULT_FRACTIONS,
    NAMES,
    check_fractions,
    dated_groups,
    fold_groups,
    split_groups,
    write_index_splits,
)
from affinity_zoo.zoo.data.splits.leaks import leak_report
from affinity_zoo.zoo.data.splits.rules import RULES
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.runtime.files import write_csv


@dataclass(frozen=True)
class SplitSummary:
    """Summary of a split."""

    by: str
    groups: int
    rows: dict[str, int]  #: of each set
    leaks: dict[str, Any]  #: see :func:`leak_report`
    folds: int = 0
    notes: tuple[str, ...] = ()


def split(
    data: Dataset,
    by: str = "receptor",
    *,
    fractions: Sequence[float] = DEFAULT_FRACTIONS,
    seed: int = 0,
    identity: float = 0.3,
    column: str = "year",
    folds: int = 0,
    fold: int = 0,
    workers: int | None = None,
) -> SplitSummary:
    """Split an index and write the three sets (and ``folds.csv``), with a leak report in ``splits.json``.

    Args:
        data: the index.
        by: name of the rule, such as ``receptor`` or ``sequence``: which rows stay together.
        fractions: shares of the rows in train, validation and test.
        seed: seed of the random order.
        identity: sequences at least this identical (0..1) are one group, for the rule ``sequence``.
        column: column of the index with the year or date, for the rule ``time``.
        folds: number of folds instead of three sets; 0: three sets.
        fold: the fold that is the test set, from 0; the next one is the validation set.
        workers: processes for the alignments of sequences; None: one per core.

    Raises:
        UsageError: an unknown rule, or a number out of its range.
        AffinityZooError: the data lack what the rule needs.
    """
    if by not in RULES:
        raise UsageError(f"`by` is one of {', '.join(RULES)}, not {by!r}")
    if not 0 < identity <= 1:
        raise UsageError(f"`identity` is a share between 0 and 1, not {identity}")
    if folds and (folds < 2 or not 0 <= fold < folds):
        raise UsageError(f"`folds` is 2 or more and `fold` below it, not {folds} and {fold}")
    check_fractions(fractions)
    task = SplitTask(data, identity, column, workers)
    found = RULES[by](task)
    groups, notes = found.groups, list(found.notes)
    if folds and found.dates:
        raise UsageError(f"folds have no order in time: use `by='receptor'`, or leave out `folds` for {by}")
    number = fold_groups(groups, folds, seed) if folds else []
    if folds:
        places = [_of_fold(n, fold, folds) for n in number]
    elif found.dates:
        places = dated_groups(groups, found.dates, fractions)
    else:
        places = split_groups(groups, fractions, seed)
    leaks = leak_report(data, places, task.sequences, task.pairs, task.names)
    how = {"by": by, "fractions": list(fractions), "seed": seed, "groups": len(set(groups)), "leaks": leaks}
    how |= dict(found.options)
    how |= {"folds": folds, "fold": fold} if folds else {}
    if folds:
        ids = data.column("id")
        rows = ({"id": ids[i], "fold": f, "group": groups[i]} for i, f in enumerate(number))
        write_csv(data.path / "folds.csv", ["id", "fold", "group"], rows)
    count = write_index_splits(data.path, places, how)
    empty = [n for n, share in zip(NAMES, fractions, strict=True) if not folds and share > 0 and not count[n]]
    if empty:
        notes.append(f"too few groups ({len(set(groups))}): no rows for {' and '.join(empty)}")
    return SplitSummary(by, len(set(groups)), count, leaks, folds, tuple(notes))


def _of_fold(number: int, fold: int, folds: int) -> str:
    """Return the set of a fold: ``fold`` is the test set, and the next one the validation set."""
    return "test" if number == fold else "validation" if number == (fold + 1) % folds else "train"
