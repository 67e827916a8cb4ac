"""Columns on request that say how far a pose is from the training data: similarity of ligand and of protein."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.zoo.data.similarity import KnownSequences, fingerprint_of, nearest, skeleton_of
from affinity_zoo.zoo.data.splits.sequences import chains_near
from affinity_zoo.zoo.models.training_ligands import FILE as LIGANDS
from affinity_zoo.zoo.models.training_ligands import load_fingerprints
from affinity_zoo.zoo.models.training_sequences import FILE as SEQUENCES
from affinity_zoo.zoo.models.training_sequences import load_training_sequences

LIGAND: Final = "ligand_similarity"
PROTEIN: Final = "protein_identity"
COLUMNS: Final = (LIGAND, PROTEIN)


class KnownLigands:
    """The ligands that models were trained on; poses of one molecule are compared with them once.

    Args:
        models: model directories.
    """

    def __init__(self, models: Sequence[str]) -> None:
        known = [load_fingerprints(model) for model in models]
        self._known = [marks for marks in known if marks] if all(known) else []
        self._found: dict[tuple[bytes, bytes], float] = {}

    def nearest(self, ligand: Atoms) -> float | None:
        """The Tanimoto similarity to the most similar ligand that any of the models was trained on.

        Args:
            ligand: atoms of the pose.

        Returns:
            None unless every model says its training ligands.
        """
        if not self._known:
            return None
        skeleton = skeleton_of(ligand)
        if skeleton not in self._found:
            mark = fingerprint_of(*skeleton)
            self._found[skeleton] = max(nearest(mark, others)[1] for others in self._known)
        return self._found[skeleton]


def nearest_protein(receptor: Atoms, ligand: Atoms, models: Sequence[str]) -> float | None:
    """The largest identity of a chain near the pose with a chain that any of the models was trained on, 0 to 1.

    Args:
        receptor: atoms of the receptor.
        ligand: atoms of the pose.
        models: model directories.

    Returns:
        None unless every model says its training chains, or where no chain is near.
    """
    files = [Path(model) / SEQUENCES for model in models]
    if not files or not all(file.is_file() for file in files):
        return None
    stamps = tuple((str(file.parent), file.stat().st_mtime_ns) for file in files)
    return max((_nearest(chain, stamps) for chain in chains_near(receptor, ligand)), default=None)


@lru_cache(maxsize=1024)
def _nearest(chain: str, stamps: tuple[tuple[str, int], ...]) -> float:
    return max(_known(folder, changed).nearest(chain) for folder, changed in stamps)


@lru_cache(maxsize=16)
def _known(folder: str, changed: int) -> KnownSequences:
    return KnownSequences(load_training_sequences(Path(folder)) or ())


def note_of(asked: bool, models: Iterable[str]) -> str:
    """Say which similarities are not known; empty: all are, or they are not asked for.

    Args:
        asked: whether the columns are asked for.
        models: model directories.
    """
    for model in models if asked else ():
        files = {"ligands": LIGANDS, "proteins": SEQUENCES}
        lacking = " and ".join(word for word, file in files.items() if not (Path(model) / file).is_file())
        if lacking:
            return f"{Path(model).name} has no list of its training {lacking}: the similarity to them is not known"
    return ""
