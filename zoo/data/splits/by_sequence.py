"""Split rule ``sequence``: receptors with similar chains near their ligands are a group."""

from __future__ import annotations

from collections.abc import Sequence

from affinity_zoo.zoo.data.splits.grouping import Grouping, SplitTask


def by_sequence(task: SplitTask) -> Grouping:
    """Group rows by connected components of receptor groups and similar sequences.

    Args:
        task: the index, its sequences and their pairs, and in ``identity`` the smallest identity that joins two.
    """
    data = task.data
    receptor_group = [str(group) for group in data.column("group")]
    receptors = data.receptor_structure.tolist()
    joined = _Components()
    for receptor, group in zip(receptors, receptor_group, strict=True):
        joined.join(f"g{group}", f"r{receptor}")
    for receptor, chains in task.sequences.items():
        for chain in chains:
            joined.join(f"r{receptor}", f"s{chain}")
    for pair in task.pairs:
        if pair.identity >= task.identity:
            joined.join(f"s{task.names[pair.first]}", f"s{task.names[pair.second]}")
    blind = sum(not chains for chains in task.sequences.values())
    note = f"{blind} receptors have no sequence: grouped by receptor only, their relatives cannot be known"
    groups = _labels(joined, receptors, receptor_group)
    return Grouping(groups, (note,) if blind else (), options={"identity": task.identity})


def _labels(joined: _Components, receptors: Sequence[int], receptor_group: Sequence[str]) -> list[str]:
    """Name a component by the smallest name of its receptor groups."""
    name: dict[str, str] = {}
    for receptor, group in zip(receptors, receptor_group, strict=True):
        root = joined.root(f"r{receptor}")
        name[root] = min(name.get(root, group), group)
    return [name[joined.root(f"r{receptor}")] for receptor in receptors]


class _Components:
    """Connected components of names (union-find)."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def root(self, x: str) -> str:
        while self._parent.setdefault(x, x) != x:
            self._parent[x] = x = self._parent[self._parent[x]]
        return x

    def join(self, a: str, b: str) -> None:
        self._parent[self.root(a)] = self.root(b)
