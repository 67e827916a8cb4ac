"""Sequences of receptors near their ligands, and their similarity.

Identity is taken from Smith-Waterman alignments (BLOSUM62, gap 11/1) by Biopython's ``PairwiseAligner``: it
is maintained, is a dependency of ProDy on every platform, is compiled and exact, and needs no other program
Python, as MMseqs2 or CD-HIT would.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np

from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.zoo.data.readers.templates import SAME_RESIDUE
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.runtime.parallel import Lost, ordered_map

NEAR: Final = 6.0  #: Å; chains with an atom within this distance of the ligand are compared
SHORTEST: Final = 20  #: residues; shorter chains are ignored
_SCORE: Final = 50.0  #: score below which an alignment counts as chance
_COVERAGE: Final = 0.5  #: of the shorter chain that must be aligned
_TEXT: Final = """
ALA A ARG R ASN N ASP D CYS C GLN Q GLU E GLY G HIS H ILE I LEU L LYS K MET M PHE F PRO P SER S THR T TRP W
TYR Y VAL V MSE M SEC C SEP S TPO T PTR Y
"""
_THREE: Final = _TEXT.split()
_LETTERS: Final = dict(zip(_THREE[::2], _THREE[1::2], strict=True))


@dataclass(frozen=True)
class Alike:
    """Two sequences and the identity of their aligned part."""

    first: int
    second: int
    identity: float  #: 0..1


def chains_near(receptor: Atoms, ligand: Atoms) -> list[str]:
    """One-letter sequences of the chains with an atom within 6 Å of the ligand; those too short are left out.

    Args:
        receptor: Atoms of the receptor.
        ligand: Atoms of the ligand.
    """
    from scipy.spatial import cKDTree

    if not len(receptor) or not len(ligand):
        return []
    near = cKDTree(ligand.xyz).query(receptor.xyz, distance_upper_bound=NEAR)[0] < NEAR
    found = []
    for chain in np.unique(receptor.chain[near]):
        mine = (receptor.chain == chain) & (receptor.name == b"CA")
        letters = [_LETTERS.get(_standard(r), "") for r in receptor.residue_name[mine]]
        sequence = "".join(letters)
        if len(sequence) >= SHORTEST:
            found.append(sequence)
    return found


def _standard(residue: bytes) -> str:
    name = residue.decode("ascii", "replace").upper()
    return SAME_RESIDUE.get(name, name)


def receptor_sequences(data: Dataset) -> dict[int, list[str]]:
    """Receptor structure -> sequences of its chains near the first ligand of each of its rows (at most three rows).

    Args:
        data: The index.
    """
    seen: dict[int, set[str]] = {}
    rows: dict[int, int] = {}
    for receptor, ligand in zip(
        data.receptor_structure.tolist(), data.ligand_structure.tolist(), strict=True
    ):
        rows[receptor] = rows.get(receptor, 0) + 1
        if rows[receptor] <= 3:
            found = chains_near(data.store.atoms(receptor), data.store.atoms(ligand))
            seen.setdefault(receptor, set()).update(found)
    return {receptor: sorted(sequences) for receptor, sequences in seen.items()}


@cache
def _aligner() -> Any:
    from Bio.Align import PairwiseAligner, substitution_matrices

    aligner = PairwiseAligner(mode="local")
    aligner.substitution_matrix = substitution_matrices.load("BLOSUM62")
    aligner.open_gap_score, aligner.extend_gap_score = -11, -1
    return aligner


def identity(a: str, b: str) -> float:
    """Share of identical residues in the best local alignment; 0 where it is chance or covers too little.

    Args:
        a: First sequence.
        b: Second sequence.
    """
    if a == b:
        return 1.0
    aligner = _aligner()
    if aligner.score(a, b) < _SCORE:
        return 0.0
    alignment = next(iter(aligner.align(a, b)))
    same = columns = 0
    for (a0, a1), (b0, _) in zip(*alignment.aligned, strict=True):
        columns += int(a1 - a0)
        same += sum(x == y for x, y in zip(a[a0:a1], b[b0 : b0 + a1 - a0], strict=True))
    if columns < _COVERAGE * min(len(a), len(b)):
        return 0.0
    return same / columns


def _row(task: tuple[int, Sequence[str]]) -> list[Alike]:
    number, sequences = task
    pairs = ((j, identity(sequences[0], other)) for j, other in enumerate(sequences[1:], number + 1))
    return [Alike(number, j, value) for j, value in pairs if value > 0]


def alike(sequences: Sequence[str], workers: int | None = 0) -> Iterator[Alike]:
    """All pairs of different sequences with an alignment beyond chance.

    Args:
        sequences: each once.
        workers: processes, as in :func:`ordered_map`.
    """
    tasks = ((i, sequences[i:]) for i in range(len(sequences) - 1))
    for done in ordered_map(_row, tasks, workers=workers if len(sequences) > 30 else 0, chunk=4):
        if isinstance(done.value, Lost):
            raise RuntimeError(f"aligning sequences failed: {done.value.reason}")
        yield from done.value
