"""Split rule ``time``: receptors are groups, and the newest of them are the test set."""

from __future__ import annotations

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.data.splits.by_receptor import by_receptor
from affinity_zoo.zoo.data.splits.dates import sortable
from affinity_zoo.zoo.data.splits.grouping import Grouping, SplitTask


def by_time(task: SplitTask) -> Grouping:
    """Group rows by receptor, and give each row its date.

    Args:
        task: the index, and in ``column`` the name of its column with the year or date.

    Raises:
        AffinityZooError: the index has no such column, a row has no date, or dates do not begin with the year.
    """
    data, column = task.data, task.column
    if column not in data.columns:
        raise AffinityZooError(
            f"{data.path} has no column {column!r} to split by time: add one to the table that was "
            "indexed, or give its name with "
            f"`column` (it has {', '.join(data.columns)})"
        )
    given = [str(date) for date in data.column(column)]
    if missing := sum(not date.strip() for date in given):
        raise AffinityZooError(
            f"{missing} rows of {data.path} have no {column}: a split by time needs all of them"
        )
    dates, note = sortable(given, column)
    return Grouping(by_receptor(task).groups, (note,) if note else (), dates, {"column": column})
