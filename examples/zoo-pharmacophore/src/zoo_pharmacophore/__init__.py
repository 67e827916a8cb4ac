"""Pharmacophore channels: what an atom can do, instead of what element it is.

Six features of the receptor and six of the ligand; an atom may have several, so each atom has a value in
every channel (``Encoding.values``). Metals count as positive.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from affinity_zoo.plugins import hookimpl
from affinity_zoo.plugins.contracts import AtomFlag, Atoms, Box, Encoding, Featurizer, Voxelization

#: feature -> the bits of ``Atoms.flags`` that give it, any of them
FEATURES: dict[str, AtomFlag] = {
    "hydrophobic": AtomFlag.HYDROPHOBIC,
    "aromatic": AtomFlag.AROMATIC,
    "donor": AtomFlag.DONOR,
    "acceptor": AtomFlag.ACCEPTOR,
    "positive": AtomFlag.POSITIVE | AtomFlag.METAL,
    "negative": AtomFlag.NEGATIVE,
}
ROLES = ("receptor", "ligand")


@dataclass(frozen=True)
class Pharmacophore(Featurizer):
    """Pharmacophore features as smooth densities, receptor channels first."""

    name: ClassVar[str] = "pharmacophore"
    summary: ClassVar[str] = "12 channels: six pharmacophore features of the receptor and of the ligand."
    api_version: ClassVar[int] = 1
    voxelization: ClassVar[Voxelization] = "gaussian"
    default_box: ClassVar[Box] = Box(24, 1.0)

    radius: float = field(default=1.6, metadata={"help": "width of a feature, Å, 0.5 to 3"})
    waters: bool = field(default=False, metadata={"help": "image waters as donors and acceptors too"})

    def __post_init__(self) -> None:
        if not 0.5 <= self.radius <= 3.0:
            raise ValueError(f"radius is 0.5 to 3 Å, not {self.radius}")

    @property
    def max_radius(self) -> float:
        """Å; the voxelizer looks no further."""
        return self.radius

    @property
    def channels(self) -> tuple[str, ...]:
        """``receptor-hydrophobic``, ..., ``ligand-negative``."""
        return tuple(f"{role}-{feature}" for role in ROLES for feature in FEATURES)

    def encode(self, atoms: Atoms) -> Encoding:
        """Look the features up in the atoms' flags."""
        import numpy as np

        bits = np.array([int(flag) for flag in FEATURES.values()], np.uint16)
        has = (atoms.flags[:, None] & bits) != 0
        if not self.waters:
            has &= (atoms.flags[:, None] & np.uint16(AtomFlag.WATER)) == 0
        values = np.zeros((len(atoms), len(self.channels)), np.float32)
        first = ROLES.index(atoms.role) * len(FEATURES)
        values[:, first : first + len(FEATURES)] = has
        radius = np.full(len(atoms), self.radius, np.float32)
        return Encoding(radius=radius, values=values, unknown=int((atoms.element == 0).sum()))


@hookimpl
def register_featurizers() -> list[type[Featurizer]]:
    """Offer ``pharmacophore``."""
    return [Pharmacophore]
