"""The complexes of an index for which decoys are made: one task for each crystal pose."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.data.readers.formats import stem
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.decoys.copies import without_copies
from affinity_zoo.zoo.decoys.cross import cross_name, moved_to
from affinity_zoo.zoo.decoys.work import DecoyTask, Method, safe_name


def crystal_rows(dataset: Dataset) -> NDArray[np.int64]:
    """Rows that are crystal poses.

    Args:
        dataset: The index.

    Returns:
        (K,) row numbers, ascending.

    Raises:
        AffinityZooError: there is none, or receptors are pockets.
    """
    source, label = dataset.column("source"), dataset.column("pose_label")
    rows = np.flatnonzero((source == "crystal") | ((source == "") & (label == 1)))
    if not len(rows):
        raise AffinityZooError(
            f"{dataset.path} has no crystal pose (source crystal, or pose_label 1 without a source): index a folder "
            "with crystal_ligands, or a table with a column pose_label"
        )
    receptors = dataset.column("receptor")[rows]
    pockets = [str(r) for r in receptors if re.search(r"pocket", Path(str(r)).name, re.IGNORECASE)]
    if pockets:
        raise AffinityZooError(
            f"{len(pockets)} receptors are cut pockets (the first is {pockets[0]}): decoys would be "
            "placed in the removed part: "
            "index whole proteins"
        )
    return rows


def complex_names(dataset: Dataset, rows: NDArray[np.int64]) -> dict[int, str]:
    """Name the complexes; no name is used twice.

    Args:
        dataset: The index.
        rows: (K,) rows of the crystal poses.

    Returns:
        Name of the complex by its row.
    """
    found: dict[int, str] = {}
    taken: Counter[str] = Counter()
    ligand, target = dataset.column("ligand"), dataset.column("target")
    for row in rows.tolist():
        name, own = (
            safe_name(stem(Path(str(ligand[row])))).removesuffix("_crystal"),
            safe_name(str(target[row])),
        )
        name = name if name.startswith(own) else f"{own}_{name}"
        taken[name] += 1
        found[row] = name if taken[name] == 1 else f"{name}-{taken[name]}"
    return found


def result_names(names: dict[int, str], guests: dict[int, list[int]]) -> list[str]:
    """Return the names of all results: each complex, followed by the ligands that are docked into its receptor.

    Args:
        names: Name of each complex by the row of its crystal pose.
        guests: Rows of the ligands that are docked into the receptor of a row as well.
    """
    found = []
    for row, name in names.items():
        found.append(name)
        found += [cross_name(name, names[guest]) for guest in guests.get(row, ())]
    return found


def make_tasks(
    dataset: Dataset,
    names: dict[int, str],
    guests: dict[int, list[int]],
    *,
    folder: Path,
    method: Method,
    count: int,
    min_rmsd: float,
    seed: int,
) -> Iterator[DecoyTask]:
    """Yield the task of each complex, in the order of the rows, followed by those of its guests.

    Args:
        dataset: The index.
        names: Name of each complex by the row of its crystal pose.
        guests: Rows of the ligands that are docked into the receptor of a row as well; see
            :func:`~affinity_zoo.zoo.decoys.cross.choose_guests`.
        folder: Folder to write to.
        method: How poses are made.
        count: Number of decoys wanted for each complex.
        min_rmsd: Å; every decoy is farther from the crystal pose.
        seed: Seed that the seed of each complex is made from.
    """
    rows = list(names)
    place = [_structure_key(dataset, row) for row in rows]
    text = {c: dataset.column(c) for c in ("target", "group", "molecule")}
    files, records = dataset.column("ligand"), dataset.column("record")
    root = Path(str(dataset.manifest["source"]))
    for number, row in enumerate(rows):
        ligand = dataset.store.atoms(int(dataset.ligand_structure[row]))
        receptor = dataset.store.atoms(int(dataset.receptor_structure[row]))
        same = [rows[k] for k in range(len(rows)) if place[k] == place[number] and k != number]
        mates = [dataset.store.atoms(int(dataset.ligand_structure[k])) for k in same]
        receptor, others = without_copies(receptor, ligand, mates)
        columns = {c: str(values[row]) for c, values in text.items()}
        source = (str(root / str(files[row])), int(records[row]))
        task = DecoyTask(
            names[row], folder, receptor, ligand, others, method, count, min_rmsd, seed, columns, source
        )
        yield task
        for guest in guests.get(row, ()):
            crystal = dataset.store.atoms(int(dataset.ligand_structure[guest]))
            placed, move = moved_to(crystal, ligand.xyz)
            yield replace(
                task, id=cross_name(names[row], names[guest]), ligand=placed, others=[], host=names[row],
                columns={**columns, "molecule": str(text["molecule"][guest])},
                source=(str(root / str(files[guest])), int(records[guest])), move=tuple(move.tolist()),
            )  # fmt: skip


def _structure_key(dataset: Dataset, row: int) -> str:
    """Rows with the same key lie in one crystal structure: a receptor file, or receptors named by one PDB id."""
    name = Path(str(dataset.column("receptor")[row])).name
    match = re.match(r"[1-9][a-z0-9]{3}(?=[_.-])", name, re.IGNORECASE)
    return match[0].lower() if match else f"#{dataset.receptor_structure[row]}"
