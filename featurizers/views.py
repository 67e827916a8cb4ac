"""Views: rotation and shift of a complex before it is imaged.

A point p of the complex goes to ``R @ (p - centre) + shift``; the box is centred at 0; the centre is the
mean of the ligand atoms that the featurizer images. Training views are functions of (seed, epoch, row), the fixed
views of scoring are functions of (seed, number of the view). Neither depends on threads, workers, the order of rows
or restarts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.featurizers.random_numbers import uniforms
from affinity_zoo.plugins.contracts import Box, Encoding
from affinity_zoo.plugins.errors import UsageError

#: Å kept between a ligand atom and the wall, so that rounding to float32 does not put it outside
MARGIN: Final = 1e-3
_TRAINING, _EVALUATION = 1, 2  # streams of random numbers


@dataclass(frozen=True)
class ViewOptions:
    """Options for drawing training views.

    Args:
        max_shift: the shift is uniform in ± this on each axis, Å; ``inf`` with ``keep_inside``: any shift
            that keeps the ligand inside.
        keep_inside: limit the shift so that every ligand atom stays inside the box.
        rotate: draw a uniform random rotation; False: as given.
    """

    max_shift: float = 2.0
    keep_inside: bool = True
    rotate: bool = True

    def __post_init__(self) -> None:
        if not self.max_shift >= 0:
            raise UsageError(f"max_shift must be 0 Å or more, not {self.max_shift}")
        if np.isinf(self.max_shift) and not self.keep_inside:
            raise UsageError(
                "an unlimited max_shift needs keep_inside: give a limit in Å or keep the ligand inside"
            )

    def as_dict(self) -> dict[str, Any]:
        """The fields, for a recipe."""
        return asdict(self)


#: The default; the ancestor's any shift that keeps the ligand inside; gnina's ±6 Å, which may leave the box.
PRESETS: Final[dict[str, ViewOptions]] = {
    "default": ViewOptions(),
    "ancestor": ViewOptions(max_shift=float("inf")),
    "gnina": ViewOptions(max_shift=6.0, keep_inside=False),
}


def centre(xyz: NDArray[np.float32], encoding: Encoding) -> NDArray[np.float32]:
    """Centre of a ligand: mean of its imaged atoms, or of all where none is imaged (receptor-only images).

    Args:
        xyz: (n, 3) Å, n >= 1.
        encoding: of the same atoms.

    Returns:
        (3,) float32 Å, the float64 mean rounded once.
    """
    if encoding.values is not None:
        used = np.any(encoding.values != 0, axis=1)
    elif encoding.channel is not None:
        used = encoding.channel >= 0
    else:
        raise ValueError("an Encoding needs either channel or values")
    atoms = xyz[used] if used.any() else xyz
    if not len(atoms):
        raise ValueError("a ligand without atoms has no centre")
    return np.asarray(np.mean(atoms, axis=0, dtype=np.float64), np.float32)


def fits(ligand: NDArray[np.float32], box: Box) -> bool:
    """Whether a ligand fits the box in every rotation, judged by its radius.

    Args:
        ligand: (n, 3) Å relative to its centre.
        box: Voxels along a side, and their spacing in Å.

    Returns:
        True if no atom is further from the centre than half the box.
    """
    if not len(ligand):
        return True
    radius = np.sqrt(np.max(np.sum(np.square(ligand, dtype=np.float64), axis=1)))
    return bool(radius <= box.extent / 2 - MARGIN)


def rotation_matrices(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Uniform random rotations from uniform numbers (Shoemake's unit quaternions).

    Args:
        numbers: (B, 3) in [0, 1].

    Returns:
        (B, 3, 3) proper rotation matrices, float64.
    """
    w, x, y, z = _quaternions(numbers)
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def _quaternions(numbers: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """w, x, y and z, (B,) each, of the first three numbers of each row."""
    first, second = np.sqrt(1.0 - numbers[:, 0]), np.sqrt(numbers[:, 0])
    alpha, beta = 2 * np.pi * numbers[:, 1], 2 * np.pi * numbers[:, 2]
    return second * np.cos(beta), first * np.sin(alpha), first * np.cos(alpha), second * np.sin(beta)


def training_views(
    options: ViewOptions,
    box: Box,
    seed: int,
    epoch: int,
    rows: Sequence[int] | NDArray[np.int64],
    ligands: Sequence[NDArray[np.float32]] | NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Draw one view for each row.

    Args:
        options: how views are drawn.
        box: the box that the ligand is to stay in.
        seed, epoch: of the training.
        rows: (B,) row numbers; a row's view does not depend on the other rows.
        ligands: the imaged ligand atoms of each row relative to the centre, Å: B arrays (n, 3), or one
            array (B, n, 3) padded with zeros (zero is the centre, so padding does not change the bounds).

    Returns:
        rotations (B, 3, 3) and shifts (B, 3) in Å, float32. Where a ligand does not fit the box even in
        this rotation, its bounds are centred on that axis.
    """
    from affinity_zoo.featurizers import assembly

    if len(ligands) != len(rows):
        raise ValueError(f"{len(rows)} rows need as many ligands, not {len(ligands)}")
    arrays = [np.ascontiguousarray(np.asarray(one, np.float32).T) for one in ligands]
    return draw(options, box, seed, epoch, rows, assembly.table_of_ligands(arrays))


def draw(
    options: ViewOptions,
    box: Box,
    seed: int,
    epoch: int,
    rows: Sequence[int] | NDArray[np.int64],
    table: NDArray[np.int64],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """As :func:`training_views`, for ligands that a table describes (:mod:`affinity_zoo.featurizers.assembly`).

    Args:
        options: Options of the views.
        box: Voxels along a side, and their spacing in Å.
        seed: Seed of the training.
        epoch: Epoch of the training, from 0 (the log counts from 1).
        rows: (B,) row numbers.
        table: Table of the ligands.
    """
    from affinity_zoo.featurizers import _assembly

    numbers = uniforms(seed, _TRAINING, epoch, np.asarray(rows, np.int64), 6)
    rotations = _rotations(numbers, options.rotate)
    shifts = np.empty((len(rotations), 3), np.float32)
    wall, most = box.extent / 2 - MARGIN, float(options.max_shift)
    _assembly.shift(table, rotations, wall, most, options.keep_inside, numbers, shifts)
    return rotations, shifts


@dataclass(frozen=True, eq=False)
class View:
    """Rotation and shift of one image: a point p goes to ``rotation @ (p - centre) + shift``."""

    rotation: NDArray[np.float32]  #: (3, 3)
    shift: NDArray[np.float32]  #: (3,) Å

    def of(self, n: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Repeat the view for n rows.

        Args:
            n: number of rows.

        Returns:
            rotations (n, 3, 3) and shifts (n, 3), float32.
        """
        return np.repeat(self.rotation[None], n, axis=0), np.repeat(self.shift[None], n, axis=0)


def fixed_view(seed: int, number: int) -> View:
    """The view of a number, by which poses are scored.

    It depends on the seed and the number alone, so equal poses have equal images at any position of the input.

    Args:
        seed: of the list of rotations.
        number: position in the list, from 0; view 0 is the complex as given, without rotation.

    Returns:
        A rotation without a shift.
    """
    rotation = _rotations(uniforms(seed, _EVALUATION, number, np.zeros(1, np.int64), 3), number > 0)[0]
    return View(rotation, np.zeros(3, np.float32))


def fixed_views(seed: int, count: int) -> tuple[View, ...]:
    """The first views of a seed's list; see :func:`fixed_view`.

    Args:
        seed: of the list of rotations.
        count: number of views.

    Returns:
        The views of numbers 0 to ``count - 1``.
    """
    return tuple(fixed_view(seed, number) for number in range(count))


def rotations_of(views: Sequence[View]) -> NDArray[np.float32]:
    """The rotations of views, without their shifts.

    Args:
        views: V of them.

    Returns:
        (V, 3, 3) float32.
    """
    return np.stack([view.rotation for view in views])


#: The complex as given, without rotation.
AS_GIVEN: Final = View(np.eye(3, dtype=np.float32), np.zeros(3, np.float32))


def _rotations(numbers: NDArray[np.float64], rotate: bool) -> NDArray[np.float32]:
    from affinity_zoo.featurizers import _assembly

    rotations = np.empty((len(numbers), 3, 3), np.float32)
    if rotate:
        _assembly.rotate(np.stack(_quaternions(numbers)), rotations)
    else:
        rotations[:] = np.eye(3)
    return rotations
