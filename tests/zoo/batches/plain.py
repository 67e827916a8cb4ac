"""Batches as plain NumPy makes them, pose by pose: what the compiled ones are compared with."""

from __future__ import annotations

import numpy as np

from affinity_zoo.featurizers import kernels, views
from affinity_zoo.plugins.contracts import Box, Encoding
from affinity_zoo.zoo.batches.batches import Imaging
from affinity_zoo.zoo.batches.pairs import Pairs

_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


def philox(counter: np.ndarray, key: tuple[int, int]) -> np.ndarray:
    """Philox-4x32-10 of (4, n) counters; (4, n)."""
    c0, c1, c2, c3 = counter
    k0, k1 = np.uint64(key[0]), np.uint64(key[1])
    for _ in range(10):
        first, second = np.uint64(0xD2511F53) * c0, np.uint64(0xCD9E8D57) * c2
        c0, c1, c2, c3 = (second >> _HALF) ^ c1 ^ k0, second & _LOW, (first >> _HALF) ^ c3 ^ k1, first & _LOW
        k0, k1 = (k0 + np.uint64(0x9E3779B9)) & _LOW, (k1 + np.uint64(0xBB67AE85)) & _LOW
    return np.stack((c0, c1, c2, c3))


def uniforms(seed: int, stream: int, epoch: int, rows: np.ndarray, count: int) -> np.ndarray:
    """(n, count) in (0, 1)."""
    rows = np.asarray(rows, np.uint64)
    columns = []
    for block in range(-(-count // 4)):
        counter = np.empty((4, len(rows)), np.uint64)
        counter[0], counter[1] = rows & _LOW, rows >> _HALF
        counter[2], counter[3] = np.uint64(epoch & 0xFFFFFFFF), np.uint64((stream << 8) | block)
        columns.append(philox(counter, (seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF)))
    return (np.concatenate(columns)[:count].T.astype(np.float64) + 0.5) * 2.0**-32


def training_view(
    options: views.ViewOptions, box: Box, seed: int, epoch: int, row: int, ligand: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Rotation (3, 3) and shift (3,) of one row, float32; ``ligand`` (n, 3) relative to its centre."""
    numbers = uniforms(seed, 1, epoch, np.array([row]), 6)
    rotation = np.eye(3, dtype=np.float32)
    if options.rotate:
        rotation = views.rotation_matrices(numbers[:, :3])[0].astype(np.float32)
    low, high = np.full(3, -options.max_shift), np.full(3, options.max_shift)
    if options.keep_inside:
        p, r = ligand.astype(np.float64), rotation.astype(np.float64)
        turned = (p[:, None, 0] * r[:, 0] + p[:, None, 1] * r[:, 1]) + p[:, None, 2] * r[:, 2]
        wall = box.extent / 2 - views.MARGIN
        low = np.clip(-wall - turned.min(axis=0, initial=0.0), -options.max_shift, options.max_shift)
        high = np.clip(wall - turned.max(axis=0, initial=0.0), -options.max_shift, options.max_shift)
        middle = (low + high) / 2
        low, high = np.where(low > high, middle, low), np.where(low > high, middle, high)
    return rotation, (low + (high - low) * numbers[0, 3:]).astype(np.float32)


def imaged(pairs: Pairs, imaging: Imaging, row: int) -> list[tuple[np.ndarray, Encoding]]:
    """The imaged atoms of receptor and ligand, in the order of the store."""
    parts = []
    for structure in pairs.structures(row):
        atoms = pairs.atoms(structure)
        encoding = imaging.featurizer.encode(atoms)
        if encoding.values is not None:
            keep = encoding.values.any(axis=1)
            parts.append(
                (np.asarray(atoms.xyz)[keep], Encoding(encoding.radius[keep], values=encoding.values[keep]))
            )
            continue
        assert encoding.channel is not None
        keep = encoding.channel >= 0
        value = np.ones(len(keep), np.float32) if encoding.value is None else encoding.value
        kept = Encoding(encoding.radius[keep], encoding.channel[keep], value[keep])
        parts.append((np.asarray(atoms.xyz)[keep], kept))
    return parts


def image(
    pairs: Pairs, imaging: Imaging, seed: int, epoch: int, row: int, drawn: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The image of a row as one call a pose makes it, with its rotation and shift; ``drawn`` draws the view."""
    parts = imaged(pairs, imaging, row)
    ligand = pairs.atoms(pairs.structures(row)[1])
    centre = views.centre(np.asarray(ligand.xyz), imaging.featurizer.encode(ligand))
    rotation, shift = training_view(imaging.views, imaging.box, seed, epoch, drawn, parts[1][0] - centre)
    made = kernels.voxelize(
        imaging.featurizer.voxelization, imaging.box, imaging.image_shape[-1], parts, centre, rotation, shift
    )
    return made, rotation, shift
