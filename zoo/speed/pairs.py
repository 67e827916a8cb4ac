"""Pairs without files: atoms of realistic counts."""

from __future__ import annotations

from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.zoo.speed.inputs import synthetic_atoms

_POOL = 64  # structures of each role that are made; rows beyond them are copies with numbers of their own


class SyntheticPairs:
    """``rows`` pairs, ``poses`` of them on each receptor, without files: atoms of realistic counts.

    Every row has structure numbers of its own, as in a real index, but their atoms come from a small pool, so
    that what grows with the rows is what the pipeline keeps, not the test.
    """

    def __init__(self, rows: int, poses: int = 11, seed: int = 0) -> None:
        self._rows, self._poses = rows, poses
        self._pool = [
            [synthetic_atoms(role, seed, number) for number in range(_POOL)]
            for role in ("receptor", "ligand")
        ]

    def __len__(self) -> int:
        return self._rows

    def structures(self, row: int) -> tuple[int, int]:
        """Numbers of receptor (even) and ligand (odd).

        Args:
            row: Row of the index, from 0.
        """
        return 2 * (row // self._poses), 2 * row + 1

    def atoms(self, structure: int) -> Atoms:
        """Atoms of a structure.

        Args:
            structure: Number of a structure in the store, from 0.
        """
        number, role = divmod(structure, 2)
        return self._pool[role][number % _POOL]
