"""A featurizer in one file: `affinity-zoo --plugin-file polar_and_apolar.py train DATA -f polar-and-apolar ...`.

It needs no packaging, which is convenient for first tests. A model trained with it needs the same file again; to share
a model, make a package (`affinity-zoo plugins new`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from affinity_zoo.plugins import hookimpl
from affinity_zoo.plugins.contracts import Atoms, Encoding, Featurizer

POLAR = (7, 8)  # nitrogen and oxygen


@dataclass(frozen=True)
class PolarAndApolar(Featurizer):
    """Four channels: polar and apolar atoms of the receptor and of the ligand."""

    name = "polar-and-apolar"
    summary = "4 channels: polar and apolar atoms of the receptor and of the ligand."
    api_version = 1

    radius: float = field(default=1.8, metadata={"help": "radius of every atom, Å"})

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels."""
        return ("receptor-polar", "receptor-apolar", "ligand-polar", "ligand-apolar")

    def encode(self, atoms: Atoms) -> Encoding:
        """Put each atom into one channel by its element."""
        import numpy as np

        first = 0 if atoms.role == "receptor" else 2
        channel = np.where(np.isin(atoms.element, POLAR), first, first + 1).astype(np.int32)
        return Encoding(radius=np.full(len(atoms), self.radius, np.float32), channel=channel)


@hookimpl
def register_featurizers() -> list[type[Featurizer]]:
    """Offer ``polar-and-apolar``."""
    return [PolarAndApolar]
