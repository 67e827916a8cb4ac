"""Input and output of a split rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from affinity_zoo.zoo.data.splits.sequences import Alike
    from affinity_zoo.zoo.data.store.dataset import Dataset


@dataclass(frozen=True)
class SplitTask:
    """Input of a split rule: an index with the options of the command; sequences are aligned on first use."""

    data: Dataset
    identity: float = 0.3  #: smallest identity (0..1) of sequences that stay together
    column: str = "year"  #: column with the date of a row
    workers: int | None = None  #: processes for the alignments; None: one per core

    @cached_property
    def sequences(self) -> Mapping[int, Sequence[str]]:
        """Receptor structure -> sequences of its chains near the ligand."""
        from affinity_zoo.zoo.data.splits.sequences import receptor_sequences

        return receptor_sequences(self.data)

    @cached_property
    def names(self) -> Sequence[str]:
        """All different sequences, sorted."""
        return sorted({sequence for chains in self.sequences.values() for sequence in chains})

    @cached_property
    def pairs(self) -> Sequence[Alike]:
        """Pairs of `names` with an alignment beyond chance."""
        from affinity_zoo.zoo.data.splits.sequences import alike

        return list(alike(self.names, self.workers))


@dataclass(frozen=True)
class Grouping:
    """Result of a split rule: rows of one group stay in one set."""

    groups: Sequence[str]  #: name of the group of each row
    notes: tuple[str, ...] = ()  #: sentences for the user
    #: date of each row: the oldest groups train, the newest test; empty: random order
    dates: Sequence[str] = ()
    options: Mapping[str, Any] = field(default_factory=dict)  #: options of the rule, kept in ``splits.json``


#: a split rule: a function from the task to the groups
Rule: TypeAlias = "Callable[[SplitTask], Grouping]"
