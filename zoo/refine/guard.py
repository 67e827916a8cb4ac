"""Clash check: a move must neither create nor deepen a clash with the receptor or within the ligand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.zoo.chem.geometry import CLASH_FRACTION, close_contacts, close_pairs_xyz, near_box, radii
from affinity_zoo.zoo.see.imaging import take

DEEPER = 0.02  #: Å by which an existing clash may deepen
TOUCH = 0.15  #: Å above the clash distance; atoms closer than this are not pushed together
STRETCH = 0.1  #: Å by which a covalent link to the receptor may change
FULL_PUSH = 0.5  #: Å of overlap at which the repulsion of an atom equals the mean gradient
APART = 3  #: number of bonds; distances of ligand atoms this close in the graph are set by angles, not by contacts

Pair = tuple[int, int]


class Guard:
    """Checks positions of a ligand against its start.

    Args:
        receptor, ligand: as read.
        bonds: (K, 2) bonded heavy atoms of the ligand.
        reach: Å; the ligand never comes further from its start than this.
    """

    def __init__(self, receptor: Atoms, ligand: Atoms, bonds: NDArray[np.int64], reach: float) -> None:
        near = near_box(receptor.xyz, ligand.xyz, reach + 6.0)
        self._receptor, self._ligand = take(receptor, near), ligand
        self._vdw, _ = radii()
        vdw = self._vdw
        sums = vdw[ligand.element][:, None] + vdw[ligand.element][None]
        far = np.triu(_apart(len(ligand), bonds) > APART, 1)
        self._pairs = np.argwhere(far)
        self._limit = CLASH_FRACTION * sums[far]
        start = np.asarray(ligand.xyz, np.float64)
        self._inside = np.minimum(self._limit, self._distances(start)) - DEEPER
        self._outside, self._links = self._close(start)

    def allows(self, xyz: NDArray[np.float64]) -> bool:
        """Return whether the ligand has no new and no deeper clash than at its start.

        Args:
            xyz: (N, 3) Å.
        """
        if (self._distances(xyz) < np.minimum(self._limit, self._inside)).any():
            return False
        return all(
            pair in self._outside and distance >= self._outside[pair] - DEEPER
            for pair, distance in self._close(xyz)[0].items()
        ) and all(
            abs(float(np.linalg.norm(self._receptor.xyz[i] - xyz[j])) - length) <= STRETCH
            for (i, j), length in self._links.items()
        )

    def sliding(self, xyz: NDArray[np.float64], slope: NDArray[np.float64]) -> NDArray[np.float64]:
        """Project a gradient (N, 3) so that atoms slide along atoms they touch and leave atoms they overlap.

        Args:
            xyz: (N, 3) Å.
            slope: (N, 3) gradient of the score per Å.
        """
        slope = slope.copy()
        if not len(self._receptor):
            return slope
        i, j, distance = close_pairs_xyz(
            self._receptor.xyz, xyz.astype(np.float32), 2 * float(self._vdw.max())
        )
        limit = CLASH_FRACTION * (self._vdw[self._receptor.element[i]] + self._vdw[self._ligand.element[j]])
        touching = distance < limit + TOUCH
        push = np.zeros(slope.shape)
        pairs = zip(i[touching], j[touching], (limit + TOUCH - distance)[touching], strict=True)
        for a, b, overlap in sorted(pairs, key=lambda pair: -pair[2]):
            away = xyz[b] - self._receptor.xyz[a]
            away = away / max(float(np.linalg.norm(away)), 1e-6)
            into = float(slope[b] @ away)
            if into < 0:
                slope[b] -= into * away
            push[b] += min(1.0, overlap / FULL_PUSH) * away
        return slope + float(np.sqrt(np.mean(np.sum(slope**2, axis=1)))) * push

    def _distances(self, xyz: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.linalg.norm(xyz[self._pairs[:, 0]] - xyz[self._pairs[:, 1]], axis=1)

    def _close(self, xyz: NDArray[np.float64]) -> tuple[dict[Pair, float], dict[Pair, float]]:
        """Return pairs of a receptor and a ligand atom that are too close, and covalent links, with distances.

        A link counts as too close as well: one that was not there at the start is a clash.
        """
        if not len(self._receptor):
            return {}, {}
        here: Any = replace(self._ligand, xyz=xyz.astype(np.float32))
        found = close_contacts(self._receptor, here)

        def distances(pairs: NDArray[np.int64]) -> dict[Pair, float]:
            return {
                (int(i), int(j)): float(np.linalg.norm(self._receptor.xyz[i] - xyz[j]))
                for i, j in pairs.tolist()
            }

        close = {**distances(found.clash), **distances(found.covalent), **distances(found.beside_covalent)}
        return close, distances(found.covalent)


def _apart(n: int, bonds: NDArray[np.int64]) -> NDArray[np.int64]:
    """(N, N) bonds between two atoms, APART + 1 where there are more."""
    joined = np.eye(n, dtype=bool)
    step = np.eye(n, dtype=bool)
    step[bonds[:, 0], bonds[:, 1]] = step[bonds[:, 1], bonds[:, 0]] = True
    apart = np.full((n, n), APART + 1)
    apart[joined] = 0
    for k in range(1, APART + 1):
        further = (joined.astype(np.int32) @ step.astype(np.int32)) > 0
        apart[further & ~joined] = k
        joined = further
    return apart
