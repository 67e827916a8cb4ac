"""Encoded structures in a cache of bounded size."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.featurizers import assembly, views
from affinity_zoo.plugins.contracts import Encoding, Featurizer
from affinity_zoo.zoo.batches.kinds import Kinds
from affinity_zoo.zoo.batches.pairs import Pairs

#: bytes of the Python objects of a structure and its cache entry; larger than the atoms of a small ligand
_AROUND: Final = 1792


@dataclass(frozen=True, eq=False)
class EncodedStructure:
    """The atoms of one structure that are imaged: n of them, none with channel -1."""

    columns: NDArray[np.float32]  #: (3, n) x, y and z, Å: what compiled code reads fastest
    encoding: Encoding
    centre: NDArray[np.float32]  #: (3,) mean position, Å (of all atoms where none is imaged)
    kind: NDArray[np.uint8] | None  #: (n,) of each atom, where the kinds are numbered
    record: bytes  #: what compiled code knows it by; its addresses are those of the arrays above

    @property
    def xyz(self) -> NDArray[np.float32]:
        """(n, 3) Å, a view."""
        return self.columns.T

    @property
    def nbytes(self) -> int:
        """Memory use in bytes: arrays and Python objects."""
        arrays = (
            self.columns,
            self.encoding.radius,
            self.encoding.channel,
            self.encoding.value,
            self.encoding.values,
            self.kind,
        )
        return _AROUND + sum(a.nbytes for a in arrays if a is not None)


class EncodedStructures:
    """Encodes each structure of ``pairs`` once and keeps the most recently used; thread-safe.

    Args:
        pairs: where the atoms come from.
        featurizer: what encodes them.
        max_bytes: bound on the size of the cache.
        kinds: numbers the kinds of atoms; None: they are not numbered.
    """

    def __init__(
        self, pairs: Pairs, featurizer: Featurizer, max_bytes: int = 256 * 2**20, kinds: Kinds | None = None
    ) -> None:
        self._pairs = pairs
        self._featurizer = featurizer
        self._max_bytes = max_bytes
        self._kinds = kinds
        self._kept: OrderedDict[int, EncodedStructure] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def __getitem__(self, structure: int) -> EncodedStructure:
        return self.many([structure])[0]

    def many(self, structures: Sequence[int]) -> list[EncodedStructure]:
        """Return the structures of these numbers, in their order.

        Args:
            structures: Numbers of structures in the store, from 0.
        """
        kept = self._kept
        with self._lock:
            found = [kept.get(structure) for structure in structures]
            for structure, known in zip(structures, found, strict=True):
                if known is not None:
                    kept.move_to_end(structure)
        # encode outside the lock: two threads may encode the same structure once, but none waits
        made: dict[int, EncodedStructure] = {}
        for structure, known in zip(structures, found, strict=True):
            if known is None and structure not in made:
                made[structure] = self._keep(structure)
        return [
            made[structure] if known is None else known
            for structure, known in zip(structures, found, strict=True)
        ]

    def _keep(self, structure: int) -> EncodedStructure:
        made = self._encode(structure)
        with self._lock:
            if structure not in self._kept:
                self._kept[structure] = made
                self._bytes += made.nbytes
            while self._bytes > self._max_bytes and len(self._kept) > 1:
                self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return made

    def _encode(self, structure: int) -> EncodedStructure:
        atoms = self._pairs.atoms(structure)
        return imaged(np.asarray(atoms.xyz), self._featurizer.encode(atoms), self._kinds)


def imaged(xyz: NDArray[np.float32], encoding: Encoding, kinds: Kinds | None = None) -> EncodedStructure:
    """Keep the atoms that are imaged, as contiguous arrays of the kernels' types.

    Args:
        xyz: (n, 3) Å.
        encoding: Encoding of the same atoms.
        kinds: Numbers the kinds of atoms, where each has one channel.
    """
    if encoding.values is not None:
        keep = np.flatnonzero(np.any(encoding.values != 0, axis=1))
        channel = value = None
        values = np.ascontiguousarray(encoding.values[keep], dtype=np.float32)
    else:
        if encoding.channel is None:
            raise ValueError("an Encoding needs `channel` or `values`")
        keep = np.flatnonzero(encoding.channel >= 0)
        channel = np.ascontiguousarray(encoding.channel[keep], dtype=np.int32)
        given = np.ones(len(encoding.channel), np.float32) if encoding.value is None else encoding.value
        value = np.ascontiguousarray(given[keep], dtype=np.float32)
        values = None
    columns = np.ascontiguousarray(xyz[keep].T, dtype=np.float32)
    centre = views.centre(xyz, encoding) if len(xyz) else np.zeros(3, np.float32)
    radius = np.ascontiguousarray(encoding.radius[keep], dtype=np.float32)
    kept = Encoding(radius=radius, channel=channel, value=value, values=values, unknown=encoding.unknown)
    kind = kinds.numbers(kept) if kinds is not None and values is None else None
    return EncodedStructure(columns, kept, centre, kind, assembly.record(columns, kept, centre, kind))
