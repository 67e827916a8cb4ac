"""Similarity of proteins and of ligands, from their stored atoms alone.

The store holds atoms, no bonds and no sequences: chains are read off the residue names, ligand graphs
off the distances. Bond orders are not known, so a ligand's fingerprint is that of its bare skeleton
with elements.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.zoo.chem.geometry import radii
from affinity_zoo.zoo.data.splits.sequences import chains_near, identity
from affinity_zoo.zoo.data.store.dataset import Dataset

Array: TypeAlias = NDArray[Any]

WORD = 4  #: residues in a row that two sequences must share to be aligned at all


def similar_sequences(ours: Iterable[str], theirs: Iterable[str], cutoff: float) -> dict[str, str]:
    """Find which of our sequences have an identity of at least ``cutoff`` with one of theirs.

    Identity is that of the split (:func:`~affinity_zoo.zoo.data.splits.sequences.identity`); see
    :class:`KnownSequences` for what is aligned.

    Args:
        ours: Sequences of one-letter codes to compare.
        theirs: Sequences of one-letter codes that they are compared with.
        cutoff: Smallest identity, 0 to 1.

    Returns:
        Our sequence to the first similar one of theirs.
    """
    known = KnownSequences(theirs)
    found: dict[str, str] = {}
    for sequence in set(ours):
        for other in known.candidates(sequence):
            if identity(sequence, other) >= cutoff:
                found[sequence] = other
                break
    return found


class KnownSequences:
    """Sequences that others are compared with.

    Only sequences that share words of four residues are aligned: at half the residues identical a chain of 100 shares
    six of them, by chance none.

    Args:
        sequences: one-letter sequences.
    """

    def __init__(self, sequences: Iterable[str]) -> None:
        self._all = frozenset(sequences)
        self._by_word: dict[str, set[str]] = {}
        for sequence in self._all:
            for word in _words(sequence):
                self._by_word.setdefault(word, set()).add(sequence)

    def candidates(self, sequence: str) -> list[str]:
        """The 20 sequences that share most words with a sequence, the most alike first.

        Args:
            sequence: a one-letter sequence.
        """
        shared: dict[str, int] = {}
        for word in _words(sequence):
            for other in self._by_word.get(word, ()):
                shared[other] = shared.get(other, 0) + 1
        return [other for other, _ in sorted(shared.items(), key=lambda item: (-item[1], item[0]))[:20]]

    def nearest(self, sequence: str) -> float:
        """The largest identity with one of the candidates, 0 to 1; 0: no alignment beyond chance.

        Args:
            sequence: a one-letter sequence.
        """
        if sequence in self._all:
            return 1.0
        return max((identity(sequence, other) for other in self.candidates(sequence)), default=0.0)


def sequences_by_receptor(dataset: Dataset, rows: Array) -> dict[int, list[str]]:
    """Sequences of the chains of each receptor near the first ligand that it occurs with.

    Args:
        dataset: an index.
        rows: (N,) its rows.
    """
    found: dict[int, list[str]] = {}
    receptors, ligands = dataset.receptor_structure, dataset.ligand_structure
    for row in rows.tolist():
        number = int(receptors[row])
        if number not in found:
            atoms = dataset.store.atoms
            found[number] = chains_near(atoms(number), atoms(int(ligands[row])))
    return found


def _words(sequence: str) -> set[str]:
    return {sequence[i : i + WORD] for i in range(len(sequence) - WORD + 1)}


def fingerprint(ligand: Atoms) -> Any:
    """Morgan fingerprint (radius 2, 2,048 bits) of the ligand's skeleton: elements and bonds by distance.

    Two atoms are bonded at most 1.25 times the sum of RDKit's covalent radii apart.

    Args:
        ligand: Atoms of the ligand.
    """
    return fingerprint_of(*skeleton_of(ligand))


def skeleton_of(ligand: Atoms) -> tuple[bytes, bytes]:
    """The elements (int64) and the bonded pairs (int64, two a bond) of a ligand: equal for its poses.

    Args:
        ligand: Atoms of the ligand.
    """
    _, covalent = radii()
    xyz = np.asarray(ligand.xyz, np.float64)
    element = ligand.element.astype(np.int64)
    gap = np.linalg.norm(xyz[:, None] - xyz[None], axis=-1)
    limit = 1.25 * (covalent[element][:, None] + covalent[element][None])
    return element.tobytes(), np.argwhere(np.triu(gap < limit, 1)).astype(np.int64).tobytes()


@lru_cache(maxsize=4096)
def fingerprint_of(elements: bytes, bonds: bytes) -> Any:
    """The fingerprint of a skeleton.

    Args:
        elements: As :func:`skeleton_of` gives them.
        bonds: Likewise.
    """
    from rdkit import Chem
    from rdkit.Chem import rdFingerprintGenerator

    skeleton = Chem.RWMol()
    for z in np.frombuffer(elements, np.int64).tolist():
        atom = Chem.Atom(z)
        atom.SetNoImplicit(True)
        skeleton.AddAtom(atom)
    for i, j in np.frombuffer(bonds, np.int64).reshape(-1, 2).tolist():
        skeleton.AddBond(i, j, Chem.BondType.SINGLE)
    skeleton.UpdatePropertyCache(strict=False)
    Chem.FastFindRings(skeleton)
    return rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048).GetFingerprint(skeleton)


def nearest(one: Any, others: Sequence[Any]) -> tuple[int, float]:
    """The most similar fingerprint (Tanimoto): its number and the similarity; -1 and 0 where there are none.

    Args:
        one: A fingerprint.
        others: Fingerprints.
    """
    from rdkit.DataStructs import BulkTanimotoSimilarity

    if not others:
        return -1, 0.0
    similarity = BulkTanimotoSimilarity(one, list(others))
    best = int(np.argmax(similarity))
    return best, float(similarity[best])


def molecule_keys(dataset: Dataset, rows: Array) -> list[tuple[str, str]]:
    """(target, molecule) of each row; the row's id is used for a molecule without a name.

    Args:
        dataset: The index.
        rows: (N,) row numbers.
    """
    columns = [dataset.column(name)[rows].tolist() for name in ("target", "molecule", "id")]
    return [(target, molecule or name) for target, molecule, name in zip(*columns, strict=True)]


def fingerprints(dataset: Dataset, rows: Array) -> dict[tuple[str, str], Any]:
    """A fingerprint of each molecule, from its first pose.

    Args:
        dataset: The index.
        rows: (N,) row numbers.
    """
    found: dict[tuple[str, str], Any] = {}
    structures = dataset.ligand_structure
    for key, row in zip(molecule_keys(dataset, rows), rows.tolist(), strict=True):
        if key not in found:
            found[key] = fingerprint(dataset.store.atoms(int(structures[row])))
    return found
