"""Hashes that identify encodings, sets of ids and poses."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from affinity_zoo.plugins.contracts import UNTYPED, Atoms, Featurizer, Role


def ids_hash(ids: Iterable[str]) -> str:
    """Return the SHA-256 of a set of ids, independent of their order.

    Args:
        ids: Ids of the rows, in order.
    """
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()


def coordinates_hash(xyz: np.ndarray) -> str:
    """Return a short hash of a pose's heavy-atom positions, rounded to 0.01 Å, independent of the order.

    Args:
        xyz: (N, 3) Å.
    """
    rounded = np.round(np.asarray(xyz, np.float64) * 100.0).astype(np.int64)
    ordered = rounded[np.lexsort(rounded.T[::-1])]
    return hashlib.sha256(ordered.tobytes()).hexdigest()[:16]


def encoding_hash(featurizer: Featurizer) -> str:
    """Return the SHA-256 of a featurizer's encodings of all elements, atom types and flags, in both roles.

    Encoding is code and stays in its package; the hash shows whether the code at prediction is that of training.

    Args:
        featurizer: An instance with its options.
    """
    digest = hashlib.sha256(",".join(featurizer.channels).encode())
    roles: tuple[Role, Role] = ("receptor", "ligand")
    for role in roles:
        encoding = featurizer.encode(_specimen(role))
        for array in (encoding.radius, encoding.channel, encoding.value, encoding.values):
            if array is not None:
                digest.update(np.ascontiguousarray(array).astype("<f4").tobytes())
    return digest.hexdigest()


def _specimen(role: Role) -> Atoms:
    """One atom of each element, then of each atom type with each flag."""
    types = np.repeat(np.array([*range(28), UNTYPED], np.uint8), 13)
    flags = np.tile(np.concatenate([[0], 1 << np.arange(12)]).astype(np.uint16), 29)
    n = 119 + len(types)
    element = np.concatenate([np.arange(119), np.full(len(types), 6)]).astype(np.uint8)
    return Atoms(
        role=role,
        xyz=np.zeros((n, 3), np.float32),
        element=element,
        atom_type=np.concatenate([np.full(119, UNTYPED, np.uint8), types]),
        flags=np.concatenate([np.zeros(119, np.uint16), flags]),
        charge=np.zeros(n, np.int8),
        name=np.full(n, b"X", "S4"),
        residue_name=np.full(n, b"UNK", "S4"),
        residue_number=np.zeros(n, np.int32),
        chain=np.full(n, b"A", "S4"),
    )
