"""Split an index again: by receptor, sequence, scaffold, time or at random, in three sets or in folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.data.readers.graphs import graph, scaffold
from affinity_zoo.zoo.data.splits.groups import (
    DEFAULT_FRACTIONS,
    NAMES,
    check_fractions,
    fold_groups,
    split_groups,
    write_index_splits,
)
from affinity_zoo.zoo.data.splits.leaks import leak_report
from affinity_zoo.zoo.data.splits.sequences import Alike, alike, receptor_sequences
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.runtime.files import write_csv

RULES: Final = ("receptor", "sequence", "scaffold", "time", "random")


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
        by: ``receptor`` (the column group), ``sequence`` (connected components of chains near the ligand),
            ``scaffold`` (Murcko, of the ligand), ``time`` (``column``; the newest groups test) or ``random``.
        fractions: of train, validation and test.
        seed: seed of the random order.
        identity: sequences at least this identical are one group (0..1).
        column: of the index, with the year or date.
        folds: make this many folds instead: ``fold`` is the test set, the next one the validation set.
        fold: see ``folds``.
        workers: processes for the alignments.

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
    sequences = receptor_sequences(data)
    names = sorted({s for found in sequences.values() for s in found})
    pairs = list(alike(names, workers))
    groups, notes = _groups(data, by, sequences, names, pairs, identity)
    if folds:
        number = fold_groups(groups, folds, seed)
        places = [
            "test" if f == fold else "validation" if f == (fold + 1) % folds else "train" for f in number
        ]
    elif by == "time":
        places = _by_time(data, column, groups, fractions)
    else:
        places = split_groups(groups, fractions, seed)
    leaks = leak_report(data, places, sequences, pairs, names)
    how = {"by": by, "fractions": list(fractions), "seed": seed, "groups": len(set(groups)), "leaks": leaks}
    how |= {"identity": identity} if by == "sequence" else {}
    how |= {"column": column} if by == "time" else {}
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


def _groups(
    data: Dataset,
    by: str,
    sequences: dict[int, list[str]],
    names: list[str],
    pairs: list[Alike],
    identity: float,
) -> tuple[list[str], list[str]]:
    """Return the group of each row, and notes for the user."""
    receptor_group = [str(g) for g in data.column("group")]
    if by in ("receptor", "time"):
        return receptor_group, []
    if by == "random":
        return [str(i) for i in data.column("id")], ["random: poses of one receptor may be in several sets"]
    if by == "scaffold":
        found = [scaffold(graph(data.store.atoms(s))) for s in data.ligand_structure.tolist()]
        return found, ["scaffold: one receptor may be in several sets"]
    receptors = data.receptor_structure.tolist()
    joined = _Components()
    for receptor, group in zip(receptors, receptor_group, strict=True):
        joined.join(f"g{group}", f"r{receptor}")
    for receptor, chains in sequences.items():
        for chain in chains:
            joined.join(f"r{receptor}", f"s{chain}")
    for pair in pairs:
        if pair.identity >= identity:
            joined.join(f"s{names[pair.first]}", f"s{names[pair.second]}")
    blind = sum(not chains for chains in sequences.values())
    notes = [f"{blind} receptors have no sequence: grouped by receptor only, their relatives cannot be known"]
    label = _labels(joined, receptors, receptor_group)
    return label, notes if blind else []


def _labels(joined: _Components, receptors: list[int], receptor_group: list[str]) -> list[str]:
    """Name a component by the smallest name of its receptor groups."""
    name: dict[str, str] = {}
    for receptor, group in zip(receptors, receptor_group, strict=True):
        root = joined.root(f"r{receptor}")
        name[root] = min(name.get(root, group), group)
    return [name[joined.root(f"r{r}")] for r in receptors]


class _Components:
    """Connected components of names."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def root(self, x: str) -> str:
        while self._parent.setdefault(x, x) != x:
            self._parent[x] = x = self._parent[self._parent[x]]
        return x

    def join(self, a: str, b: str) -> None:
        self._parent[self.root(a)] = self.root(b)


def _by_time(data: Dataset, column: str, groups: list[str], fractions: Sequence[float]) -> list[str]:
    """Order groups by date: the oldest (by first row) train, the newest test."""
    if column not in data.columns:
        raise AffinityZooError(
            f"{data.path} has no column {column!r} to split by time: add one to the source's table, or name it with "
            f"`column` (it has {', '.join(data.columns)})"
        )
    times = [str(t) for t in data.column(column)]
    if missing := sum(not t for t in times):
        raise AffinityZooError(
            f"{missing} rows of {data.path} have no {column}: a split by time needs all of them"
        )
    first: dict[str, str] = {}
    for group, time in zip(groups, times, strict=True):
        first[group] = min(first.get(group, time), time)
    size = {group: groups.count(group) for group in first}
    place: dict[str, str] = {}
    filled = 0
    for group in sorted(first, key=lambda g: (first[g], g)):
        middle = (filled + size[group] / 2) / len(groups)
        filled += size[group]
        train, validation = fractions[0], fractions[0] + fractions[1]
        place[group] = "train" if middle < train else "validation" if middle < validation else "test"
    return [place[g] for g in groups]
