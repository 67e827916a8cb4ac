"""Gradient ascent of one pose: the search behind ``affinity-zoo refine``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.featurizers.views import fixed_views, rotations_of
from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.inference.choices import ScoringChoices
from affinity_zoo.zoo.models.loading import Model
from affinity_zoo.zoo.refine.field import Field
from affinity_zoo.zoo.refine.guard import Guard
from affinity_zoo.zoo.refine.moves import Torsion, moved, torsions, uphill
from affinity_zoo.zoo.see.molecules import bonded, heavy_bonds

FIRST_STEP: Final = 0.2  #: Å, root mean square move of the heavy atoms
LONGEST_STEP: Final = 0.5
SHORTEST_STEP: Final = 0.02
DECIMALS: Final = 4  #: of a coordinate in an SDF file
SEARCH_STREAM: Final = 1_000_003  #: the views of the search differ from those that score the result


@dataclass(frozen=True)
class Options:
    """Options of a refinement.

    Args:
        steps: largest number of gradients, half of them with a rigid pose if torsions may turn.
        torsions: rotate rotatable bonds too.
        views: number of rotations by which a pose is scored and judged, those of ``predict``; None: the card's.
        search_views: number of views averaged for the search direction, so that no grid axis is preferred.
        max_move: Å, largest RMSD from the start.
        seed: of the views.
    """

    steps: int = 40
    torsions: bool = True
    views: int | None = None
    search_views: int = 8
    max_move: float = 2.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("steps", "views", "search_views"):
            number = getattr(self, name)
            if number is not None and number < 1:
                raise UsageError(f"`{name}` must be at least 1, not {number}")
        if not self.max_move > 0:
            raise UsageError(f"`max_move` must be above 0 Å, not {self.max_move}")


@dataclass(frozen=True, eq=False)
class Refined:
    """Result of the refinement of one pose."""

    xyz: NDArray[np.float64]  #: (M, 3) Å of all atoms of the molecule, hydrogens included
    before: float
    after: float  #: never below ``before``
    moved: float  #: Å, root mean square move of the heavy atoms
    steps: int  #: accepted steps

    @property
    def improved(self) -> bool:
        """Whether the pose was moved."""
        return self.steps > 0


def refine_pose(
    model: Model,
    column: int,
    receptor: Atoms,
    ligand: Atoms,
    molecule: Any,
    place: NDArray[np.int64],
    options: Options,
) -> Refined:
    """Move a pose along the gradient of one of a model's outputs.

    Args:
        column: column of the output; larger is better.
        ligand: as read.
        molecule, place: RDKit molecule of the pose, and the number in it of each atom of ``ligand``.

    Returns:
        The pose with the best score, or the original if none was better.
    """
    field = Field(model, column, receptor, ligand)
    start = np.asarray(molecule.GetConformer().GetPositions(), np.float64)
    choices = ScoringChoices(options.views, options.seed).resolved([model.card])
    judged_by = rotations_of(choices.fixed_views())
    guard = Guard(receptor, ligand, heavy_bonds(bonded(molecule), place), options.max_move)
    search = _Search(field, guard, place, start, _search_rotations(options), options.max_move)
    bonds = torsions(molecule) if options.torsions else []
    rigid = options.steps if not bonds else options.steps // 2
    search.climb([], rigid)
    search.climb(bonds, options.steps - rigid)

    def judge(xyz: NDArray[np.float64]) -> float:
        return float(field.scores(xyz[place], judged_by).mean())

    before = judge(start)
    path = [np.round(xyz, DECIMALS) for xyz in search.path]  # rounded as in the output file
    chosen, after = _best(path, judge, before)
    xyz = start if chosen == 0 else path[chosen]
    return Refined(xyz, before, after, _rms(xyz[place] - start[place]), chosen)


def _best(path: list[NDArray[np.float64]], judge: Any, before: float) -> tuple[int, float]:
    """Return the best position on the path by the scoring views (last three, middle), else the start."""
    last = len(path) - 1
    tried = sorted({k for k in (last, last - 1, last - 2, (3 * last) // 4, last // 2, last // 4) if k > 0})
    scores = {k: judge(path[k]) for k in tried}
    best = max(scores, key=lambda k: scores[k], default=0)
    if not best or not scores[best] > before:
        return 0, before
    return best, scores[best]


def _search_rotations(options: Options) -> NDArray[np.float32]:
    """Return random rotations (V, 3, 3), different from those of the scoring views."""
    views = fixed_views(options.seed + SEARCH_STREAM, options.search_views + 1)
    return rotations_of(views[1:])  # view 0 is not rotated


class _Search:
    """Steepest ascent with a step that grows on success and halves on failure."""

    def __init__(
        self,
        field: Field,
        guard: Guard,
        place: NDArray[np.int64],
        start: NDArray[np.float64],
        rotations: NDArray[np.float32],
        max_move: float,
    ) -> None:
        self._field, self._guard, self._place, self._rotations = field, guard, place, rotations
        self._max_move = max_move
        self.path = [start]
        self._score, self._slope = field.slope(start[place], rotations)

    def climb(self, bonds: list[Torsion], steps: int) -> None:
        """Ascend by at most ``steps`` gradients; every accepted position is added to the path."""
        step = FIRST_STEP
        for _ in range(steps):
            here = self.path[-1]
            slope = np.zeros(here.shape)
            slope[self._place] = self._guard.sliding(here[self._place], self._slope)
            way = uphill(here, slope, bonds, self._place)
            trial = moved(here, way.scaled(step), bonds, self._place)
            while not self._allowed(trial):  # needs no gradient
                step /= 2
                if step < SHORTEST_STEP:
                    return
                trial = moved(here, way.scaled(step), bonds, self._place)
            score, new_slope = self._field.slope(trial[self._place], self._rotations)
            if score > self._score:
                self.path.append(trial)
                self._score, self._slope = score, new_slope
                step = min(1.4 * step, LONGEST_STEP)
            else:
                step /= 2
                if step < SHORTEST_STEP:
                    return

    def _allowed(self, xyz: NDArray[np.float64]) -> bool:
        heavy = xyz[self._place]
        return _rms(heavy - self.path[0][self._place]) <= self._max_move and self._guard.allows(heavy)


def _rms(difference: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(np.sum(difference**2, axis=1))))


def at(ligand: Atoms, xyz: NDArray[np.float64]) -> Atoms:
    """Return the ligand at other positions.

    Args:
        ligand: Heavy atoms of the ligand.
        xyz: (N, 3) Å.
    """
    return replace(ligand, xyz=np.asarray(xyz, np.float32))
