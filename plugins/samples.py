"""Synthetic structures and predictions for conformance checks and for tests of plugin authors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from affinity_zoo.plugins.contracts import UNTYPED, Atoms, Predictions, Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

#: atomic numbers that occur in structures, common ones often; 0 is an unknown element
ELEMENTS = (6,) * 24 + (7,) * 8 + (8,) * 10 + (16, 16, 15, 9, 17, 35, 53, 5, 14, 34, 12, 20, 30, 26, 1, 0)


def sample_atoms(role: Role, n: int = 60, seed: int = 0, radius: float = 6.0) -> Atoms:
    """Return n synthetic atoms with every element, type and flag; the arrays are read-only.

    Args:
        role: ``receptor`` or ``ligand``.
        n: number of atoms.
        seed: of the random numbers.
        radius: atoms lie within this of the origin, Å.
    """
    import numpy as np

    random = np.random.default_rng([seed, role == "ligand"])
    direction = random.normal(size=(n, 3))
    direction /= np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-9)
    xyz = direction * radius * random.random((n, 1)) ** (1 / 3)
    types = np.append(np.arange(28), UNTYPED)
    letters = np.array([b"CA", b"N", b"O", b"OXT", b"ZN", b"C1"], "S4")
    residues = np.array([b"ALA", b"LYS", b"HOH", b"ZN", b"LIG"], "S4")
    arrays = {
        "xyz": xyz.astype(np.float32),
        "element": random.choice(np.array(ELEMENTS, np.uint8), n),
        "atom_type": random.choice(types, n).astype(np.uint8),
        "flags": random.integers(0, 4096, n).astype(np.uint16),
        "charge": random.integers(-1, 2, n).astype(np.int8),
        "name": random.choice(letters, n),
        "residue_name": random.choice(residues, n),
        "residue_number": random.integers(-3, 400, n).astype(np.int32),
        "chain": random.choice(np.array([b"A", b"B", b""], "S4"), n),
    }
    for array in arrays.values():
        array.setflags(write=False)
    return Atoms(role=role, **arrays)


def moved(atoms: Atoms, rotation: NDArray[np.float64], shift: NDArray[np.float64]) -> Atoms:
    """Return the same atoms at ``R @ p + shift`` (Å).

    Args:
        atoms: Atoms to move.
        rotation: (3, 3) rotation matrix; None: no rotation.
        shift: (3,) Å.
    """
    import dataclasses

    import numpy as np

    xyz = (atoms.xyz.astype(np.float64) @ np.asarray(rotation).T + shift).astype(np.float32)
    xyz.setflags(write=False)
    return dataclasses.replace(atoms, xyz=xyz)


def sample_predictions(
    groups: int = 6,
    poses: int = 8,
    seed: int = 0,
    decimals: int = 1,
    quality: float = 1.0,
    columns: Sequence[str] = (),
) -> Predictions:
    """Return synthetic predictions with every truth and tied scores; the arrays are read-only.

    Args:
        groups: complexes; each has positives and negatives.
        poses: rows of each complex.
        seed: of the random numbers.
        decimals: of the scores; few decimals make ties.
        quality: agreement of score and truth; negative: reversed.
        columns: names of further columns, 1 in two of three rows and else 0.
    """
    import numpy as np

    random = np.random.default_rng(seed)
    n = groups * poses
    group = np.repeat(np.array([f"complex-{i}" for i in range(groups)]), poses)
    positive = np.tile(np.arange(poses) < max(1, poses // 3), groups)
    score = np.round(quality * (positive * 2.0 - 1.0) + random.normal(size=n), decimals)
    arrays: dict[str, NDArray[Any]] = {
        "id": np.array([f"pair-{i}" for i in range(n)]),
        "score": score,
        "group": group,
        "target": group.copy(),
        "molecule": np.array([f"molecule-{i % 2}" for i in range(n)]),
        "pose_label": positive.astype(np.float64),
        "active": positive.astype(np.float64),
        "affinity": np.round(6.0 + 2.0 * positive + random.normal(size=n) * 0.5, 2),
        "rmsd": np.where(positive, random.uniform(0.1, 2.0, n), random.uniform(4.0, 12.0, n)),
        "docking_score": np.round(random.normal(-8.0, 1.0, n), 1),
        "source": np.where(positive, "near_native", "docked"),
    }
    extra = {name: (np.arange(n) % 3 > 0).astype(np.float64) for name in columns}
    for array in (*arrays.values(), *extra.values()):
        array.setflags(write=False)
    return with_score(Predictions(**arrays, extra=extra), score)  # type: ignore[arg-type]


def with_score(predictions: Predictions, score: NDArray[np.float64]) -> Predictions:
    """Return the same rows with another score, and with the probability that belongs to it.

    Args:
        predictions: Predictions of N rows.
        score: (N,) new scores.
    """
    import dataclasses

    import numpy as np

    probability = 1.0 / (1.0 + np.exp(-np.clip(score, -30.0, 30.0)))
    for array in (score, probability):
        array.setflags(write=False)
    return dataclasses.replace(
        predictions, score=score, extra={**predictions.extra, "probability": probability}
    )


def rows_of(predictions: Predictions, rows: NDArray[np.int64]) -> Predictions:
    """Return the given rows, in the given order.

    Args:
        predictions: Predictions of N rows.
        rows: Row numbers, from 0.
    """
    names = ("id", "score", "group", "target", "molecule", "pose_label", "active", "affinity", "rmsd")
    columns = {name: getattr(predictions, name)[rows] for name in (*names, "docking_score", "source")}
    for array in columns.values():
        array.setflags(write=False)
    return Predictions(**columns, extra={key: value[rows] for key, value in predictions.extra.items()})
