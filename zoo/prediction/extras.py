"""Columns that a prediction has on request: validity of the pose, similarity to the training data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from affinity_zoo.zoo.prediction.reading import ComplexPose
from affinity_zoo.zoo.prediction.similarity import COLUMNS as SIMILARITY
from affinity_zoo.zoo.prediction.similarity import LIGAND, PROTEIN, KnownLigands, nearest_protein
from affinity_zoo.zoo.validity.check import check_file, check_molecule, method_of
from affinity_zoo.zoo.validity.columns import columns_of


@dataclass(frozen=True)
class Extras:
    """Which columns are asked for.

    Args:
        validity: method of checking poses, see :func:`affinity_zoo.zoo.validity.check.method_of`; empty: none.
        similarity: whether the similarity to the training data is asked for.
        models: folders of the models, for the similarity.
    """

    validity: str = ""
    similarity: bool = False
    models: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.validity) or self.similarity

    @classmethod
    def asked(cls, validity: bool | str, similarity: bool = False, models: Sequence[str] = ()) -> Extras:
        """The columns that a user asked for.

        Args:
            validity: True, or the name of a method.
            similarity: whether that to the training data is wanted.
            models: folders of the models.

        Raises:
            UsageError: an unknown method, or one that is not installed.
        """
        return cls(method_of(validity), similarity, tuple(models))

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return (*(SIMILARITY if self.similarity else ()), *columns_of(self.validity))

    def of(
        self, poses: Sequence[ComplexPose], ligands: KnownLigands, molecules: Sequence[Any] = ()
    ) -> list[dict[str, Any]]:
        """The columns of the poses of a chunk; None in all of them for a pose that could not be read.

        Args:
            poses: of the chunk.
            ligands: that the models were trained on.
            molecules: of each pose the RDKit molecule that it came from, or None; empty: they came from files.
        """
        given = molecules or [None] * len(poses)
        return [
            dict.fromkeys(self.columns) if pose.atoms is None else self._one(pose, molecule, ligands)
            for pose, molecule in zip(poses, given, strict=True)
        ]

    def _one(self, pose: ComplexPose, molecule: Any, ligands: KnownLigands) -> dict[str, Any]:
        assert pose.protein is not None and pose.atoms is not None
        receptor = pose.protein.atoms
        made: dict[str, Any] = {}
        if self.similarity:
            made[LIGAND] = ligands.nearest(pose.atoms)
            made[PROTEIN] = nearest_protein(receptor, pose.atoms, self.models)
        if not self.validity:
            return made
        if molecule is not None:
            found = check_molecule(molecule, receptor, self.validity)
        else:
            found = check_file(pose.path or pose.file, pose.record, receptor, self.validity, pose.text)
        return made | {name: value for name, value in found.as_dict().items() if name in self.columns}
