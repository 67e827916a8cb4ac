"""Ligands for cross-docking: which ligands of the same target go into the receptor of a complex."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.zoo.chem import symmetry
from affinity_zoo.zoo.data.splits.by_sequence import by_sequence
from affinity_zoo.zoo.data.splits.grouping import SplitTask
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.decoys.copies import ligand_fingerprint

SAME_TARGET = 0.9  #: sequence identity (0..1) from which two receptors are the same target


def choose_guests(
    dataset: Dataset, names: Mapping[int, str], count: int, seed: int, workers: int | None = 0
) -> dict[int, list[int]]:
    """Draw ligands of other complexes of the same target for every receptor.

    Args:
        dataset: The index.
        names: Row of each crystal pose -> name of its complex.
        count: Largest number of ligands for one receptor.
        seed: Seed of the choice; each complex combines it with its own name, independently of the other complexes.
        workers: Processes for the alignments of the sequences.

    Returns:
        Row of a crystal pose -> rows of the ligands that are docked into its receptor: no ligand with the same atoms
        and bonds as the receptor's own, and none twice.
    """
    groups = by_sequence(SplitTask(dataset, identity=SAME_TARGET, workers=workers)).groups
    members: dict[str, list[int]] = {}
    for row in names:
        members.setdefault(groups[row], []).append(row)

    @cache
    def fingerprint(row: int) -> Any:
        return ligand_fingerprint(dataset.store.atoms(int(dataset.ligand_structure[row])))

    for rows in members.values():
        rows.sort(key=names.__getitem__)
    chosen: dict[int, list[int]] = {}
    for row, name in names.items():
        found: list[int] = []
        order = np.random.default_rng(zlib.crc32(f"{seed}:{name}:cross".encode()))
        for other in order.permutation(members[groups[row]]).tolist():
            known = [fingerprint(row), *(fingerprint(each) for each in found)]
            if len(found) < count and all(symmetry.similarity(fingerprint(other), k) < 1.0 for k in known):
                found.append(other)
        chosen[row] = found
    return chosen


def moved_to(ligand: Atoms, site: NDArray[Any]) -> tuple[Atoms, NDArray[np.float64]]:
    """Move a ligand into a binding site of another receptor.

    Args:
        ligand: In the coordinates of its own complex.
        site: (n, 3) Å, the ligand that the receptor was solved with.

    Returns:
        The ligand with its centre at the site's centre, and the move, (3,) Å.
    """
    move = np.asarray(site, np.float64).mean(axis=0) - np.asarray(ligand.xyz, np.float64).mean(axis=0)
    xyz = (np.asarray(ligand.xyz, np.float64) + move).astype(np.float32)
    return Atoms(**{**vars(ligand), "xyz": xyz}), move


def cross_name(host: str, guest: str) -> str:
    """Name the result of docking the ligand of one complex into the receptor of another one.

    Args:
        host: Name of the complex of the receptor.
        guest: Name of the complex of the ligand.
    """
    return f"{host}__{guest}"
