"""Split rule ``random``: every row is a group of its own."""

from __future__ import annotations

from affinity_zoo.zoo.data.splits.grouping import Grouping, SplitTask


def by_row(task: SplitTask) -> Grouping:
    """Make each row a group, with a note that this is not a safe split.

    Args:
        task: the index; no option is used.
    """
    rows = [str(name) for name in task.data.column("id")]
    return Grouping(rows, ("random: poses of one receptor may be in several sets",))
