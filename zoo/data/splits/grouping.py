"""What a split rule is given and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from affinity_zoo.zoo.data.splits.sequences import Alike
    from affinity_zoo.zoo.data.store.dataset import Dataset


@dataclass(frozen=True)
class SplitTask:
    """Input of a split rule: an index, the sequences of its receptors, and the options of the command."""

    data: Dataset
    sequences: Mapping[int, Sequence[str]]  #: receptor structure -> sequences of its chains near the ligand
    names: Sequence[str]  #: all different sequences, sorted
    pairs: Sequence[Alike]  #: pairs of ``names`` with an alignment beyond chance
    identity: float = 0.3  #: smallest identity (0..1) of sequences that stay together
    column: str = "year"  #: column with the date of a row


@dataclass(frozen=True)
class Grouping:
    """Result of a split rule: rows of one group stay in one set."""

    groups: Sequence[str]  #: name of the group of each row
    notes: tuple[str, ...] = ()  #: sentences for the user
    dates: Sequence[
        str
    ] = ()  #: date of each row: the oldest groups train, the newest test; empty: random order
    options: Mapping[str, Any] = field(default_factory=dict)  #: options of the rule, kept in ``splits.json``


#: a split rule: a function from the task to the groups
Rule: TypeAlias = "Callable[[SplitTask], Grouping]"
