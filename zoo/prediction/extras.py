"""Columns that a prediction has on request: validity of the pose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from affinity_zoo.zoo.prediction.reading import ComplexPose
from affinity_zoo.zoo.validity.check import check_file, check_molecule, method_of
from affinity_zoo.zoo.validity.columns import columns_of


@dataclass(frozen=True)
class Extras:
    """Which columns are asked for.

    Args:
        validity: method of checking poses, see :func:`affinity_zoo.zoo.validity.check.method_of`; empty: none.
    """

    validity: str = ""

    def __bool__(self) -> bool:
        return bool(self.validity)

    @classmethod
    def asked(cls, validity: bool | str) -> Extras:
        """The columns that a user asked for.

        Args:
            validity: True, or the name of a method.

        Raises:
            UsageError: an unknown method, or one that is not installed.
        """
        return cls(method_of(validity))

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return columns_of(self.validity)

    def of(self, poses: Sequence[ComplexPose], molecules: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """The columns of the poses of a chunk; None in all of them for a pose that could not be read.

        Args:
            poses: of the chunk.
            molecules: of each pose the RDKit molecule that it came from, or None; empty: they came from files.
        """
        given = molecules or [None] * len(poses)
        return [
            dict.fromkeys(self.columns) if pose.atoms is None else self._one(pose, molecule)
            for pose, molecule in zip(poses, given, strict=True)
        ]

    def _one(self, pose: ComplexPose, molecule: Any) -> dict[str, Any]:
        assert pose.protein is not None
        receptor = pose.protein.atoms
        if molecule is not None:
            found = check_molecule(molecule, receptor, self.validity)
        else:
            found = check_file(pose.path or pose.file, pose.record, receptor, self.validity, pose.text)
        return {name: value for name, value in found.as_dict().items() if name in self.columns}
