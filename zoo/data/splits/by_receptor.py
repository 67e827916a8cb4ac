"""Split rule ``receptor``: rows of one receptor file, or of one target, are a group."""

from __future__ import annotations

from affinity_zoo.zoo.data.splits.grouping import Grouping, SplitTask


def by_receptor(task: SplitTask) -> Grouping:
    """Group rows by the column ``group`` of the index.

    Args:
        task: the index; no option is used.
    """
    return Grouping([str(group) for group in task.data.column("group")])
