"""The guard: a move may make no new clash, with the receptor or within the ligand, nor deepen one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.zoo.data.geometry import CLASH_FRACTION, close_contacts, close_pairs_xyz, near_box, radii
from affinity_zoo.zoo.see.imaging import take

DEEPER = 0.02  #: Å by which a clash that was there may change
TOUCH = 0.15  #: Å above the distance at which two atoms clash: nearer ones are not pushed together
APART = 3  #: bonds; ligand atoms this near to each other have their distance from angles, not from contacts


class Guard:
    """Judges positions of one ligand against where it started.

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
        self._outside = self._clashes(start)

    def allows(self, xyz: NDArray[np.float64]) -> bool:
        """Whether the ligand (N, 3) has no clash here that it had not, or had less, at its start."""
        if (self._distances(xyz) < np.minimum(self._limit, self._inside)).any():
            return False
        return all(
            pair in self._outside and distance >= self._outside[pair] - DEEPER
            for pair, distance in self._clashes(xyz).items()
        )

    def sliding(self, xyz: NDArray[np.float64], slope: NDArray[np.float64]) -> NDArray[np.float64]:
        """A slope (N, 3) without what would push an atom further into one that it touches: it slides along."""
        slope = slope.copy()
        if not len(self._receptor):
            return slope
        i, j, distance = close_pairs_xyz(
            self._receptor.xyz, xyz.astype(np.float32), 2 * float(self._vdw.max())
        )
        limit = CLASH_FRACTION * (self._vdw[self._receptor.element[i]] + self._vdw[self._ligand.element[j]])
        touching = distance < limit + TOUCH
        order = np.argsort(distance[touching])
        for a, b in zip(i[touching][order].tolist(), j[touching][order].tolist(), strict=True):
            away = xyz[b] - self._receptor.xyz[a]
            away = away / max(float(np.linalg.norm(away)), 1e-6)
            into = float(slope[b] @ away)
            if into < 0:
                slope[b] -= into * away
        return slope

    def _distances(self, xyz: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.linalg.norm(xyz[self._pairs[:, 0]] - xyz[self._pairs[:, 1]], axis=1)

    def _clashes(self, xyz: NDArray[np.float64]) -> dict[tuple[int, int], float]:
        """Distance of each clashing pair of a receptor and a ligand atom."""
        if not len(self._receptor):
            return {}
        here: Any = replace(self._ligand, xyz=xyz.astype(np.float32))
        found = close_contacts(self._receptor, here).clash
        return {
            (int(i), int(j)): float(np.linalg.norm(self._receptor.xyz[i] - xyz[j])) for i, j in found.tolist()
        }


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
