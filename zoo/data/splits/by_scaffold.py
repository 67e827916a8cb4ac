"""Split rule ``scaffold``: ligands with the same Murcko scaffold are a group."""

from __future__ import annotations

from affinity_zoo.zoo.data.splits.grouping import Grouping, SplitTask


def by_scaffold(task: SplitTask) -> Grouping:
    """Group rows by the Murcko scaffold of the ligand, from elements and connectivity.

    Args:
        task: the index; no option is used.
    """
    from affinity_zoo.zoo.data.readers.graphs import graph, scaffold

    data = task.data
    found = [scaffold(graph(data.store.atoms(structure))) for structure in data.ligand_structure.tolist()]
    return Grouping(found, ("scaffold: one receptor may be in several sets",))
