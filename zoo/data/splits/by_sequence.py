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
    edges = [(f"r{receptor}", f"g{group}") for receptor, group in zip(receptors, receptor_group, strict=True)]
    edges += [
        (f"r{receptor}", f"s{chain}") for receptor, chains in task.sequences.items() for chain in chains
    ]
    edges += [
        (f"s{task.names[pair.first]}", f"s{task.names[pair.second]}")
        for pair in task.pairs
        if pair.identity >= task.identity
    ]
    blind = sum(not chains for chains in task.sequences.values())
    note = f"{blind} receptors have no sequence: grouped by receptor only, their relatives cannot be known"
    groups = _smallest_names(components(edges), receptors, receptor_group)
    return Grouping(groups, (note,) if blind else (), options={"identity": task.identity})


def components(edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Number the connected components of a graph.

    Args:
        edges: Pairs of nodes.

    Returns:
        Node -> number of its component.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    nodes = {node: i for i, node in enumerate(dict.fromkeys(node for edge in edges for node in edge))}
    first, second = [nodes[a] for a, _ in edges], [nodes[b] for _, b in edges]
    graph = coo_array(([1] * len(edges), (first, second)), (len(nodes), len(nodes)))
    _, labels = connected_components(graph, directed=False)
    return dict(zip(nodes, labels.tolist(), strict=True))


def _smallest_names(
    component: dict[str, int], receptors: Sequence[int], receptor_group: Sequence[str]
) -> list[str]:
    """Name the component of each row by the smallest name of its receptor groups."""
    name: dict[int, str] = {}
    of_row = [component[f"r{receptor}"] for receptor in receptors]
    for number, group in zip(of_row, receptor_group, strict=True):
        name[number] = min(name.get(number, group), group)
    return [name[number] for number in of_row]
