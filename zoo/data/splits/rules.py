"""Table of split rules. A new rule is a function in a module of its own and a line in :data:`RULES`."""

from __future__ import annotations

from typing import Final

from affinity_zoo.zoo.data.splits.by_receptor import by_receptor
from affinity_zoo.zoo.data.splits.by_row import by_row
from affinity_zoo.zoo.data.splits.by_scaffold import by_scaffold
from affinity_zoo.zoo.data.splits.by_sequence import by_sequence
from affinity_zoo.zoo.data.splits.by_time import by_time
from affinity_zoo.zoo.data.splits.grouping import Rule

#: name, as in ``split --split-by`` -> rule. The command's help lists the names, so nothing heavy is imported here.
RULES: Final[dict[str, Rule]] = {
    "receptor": by_receptor,
    "sequence": by_sequence,
    "scaffold": by_scaffold,
    "time": by_time,
    "random": by_row,
}
