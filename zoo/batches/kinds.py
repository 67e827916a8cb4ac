"""Kinds of atoms: the radius, channel and value of an atom as one byte, with a table that the device looks up."""

from __future__ import annotations

import threading
from typing import Final

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Encoding
from affinity_zoo.plugins.errors import AffinityZooError

MOST: Final = 256  #: number of kinds that a byte can distinguish, padding included


class Kinds:
    """Numbers the kinds of atoms in the order in which they are met; thread-safe.

    Args:
        featurizer: Name of the featurizer, for the message where there are too many.
    """

    def __init__(self, featurizer: str) -> None:
        self._featurizer = featurizer
        self._numbers: dict[bytes, int] = {}
        self._lock = threading.Lock()
        table = np.zeros((MOST, 3), np.float32)
        table[:, 0], table[:, 1] = 1, -1
        #: (256, 3) float32: radius (Å), channel and value of each kind; 0 is padding. Never changed: a new kind gives
        #: a new table, so that batches may hold this one
        self.table = table

    def numbers(self, encoding: Encoding) -> NDArray[np.uint8]:
        """Return the kind of each atom, (n,).

        Args:
            encoding: float32 ``radius`` and ``value``, int32 ``channel``.

        Raises:
            AffinityZooError: there are more kinds than a byte can distinguish.
        """
        assert encoding.channel is not None and encoding.value is not None
        atoms = np.stack([encoding.radius, encoding.channel.astype(np.float32), encoding.value], axis=1)
        # compared by their bits: the device gets exactly the same numbers
        bits = np.ascontiguousarray(atoms).view(np.dtype((np.void, atoms.itemsize * 3)))[:, 0]
        found, inverse = np.unique(bits, return_inverse=True)
        with self._lock:
            known = [self._number(row.tobytes()) for row in found]
        return np.array(known, np.uint8)[inverse] if known else np.zeros(0, np.uint8)

    def _number(self, row: bytes) -> int:
        if row not in self._numbers:
            number = len(self._numbers) + 1
            if number >= MOST:
                raise AffinityZooError(
                    f"featurizer {self._featurizer!r} says `few_kinds`, but its atoms have more than {MOST - 1} "
                    "different radii, channels and values: ask its author"
                )
            table = self.table.copy()
            table[number] = np.frombuffer(row, np.float32)
            self.table = table
            self._numbers[row] = number
        return self._numbers[row]
