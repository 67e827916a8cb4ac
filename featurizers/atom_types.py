"""gnina's featurizer: one density per atom type, receptor and ligand in separate channels."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, Literal

from affinity_zoo.featurizers.gnina_types import HYDROGEN_TYPES, SCHEMES, TYPE_RADII, Scheme
from affinity_zoo.plugins import hookimpl
from affinity_zoo.plugins.contracts import (
    UNTYPED,
    AtomFlag,
    Atoms,
    Box,
    Encoding,
    Featurizer,
    Role,
    Voxelization,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Parts = Literal["both", "ligand", "receptor"]
Typing = Literal["bonds", "openbabel"]

#: atoms of a residue that Open Babel types otherwise in a PDB file without hydrogens (measured with molgrid 0.5.5
#: on 150 receptors, docs/models.md): its rings are not aromatic there, and ND1 of a histidine has no hydrogen
OPENBABEL_TYPES: dict[bytes, dict[bytes, int]] = {
    b"TRP": {b"CD2": 2, b"CE3": 2, b"CZ2": 2, b"CZ3": 2, b"CH2": 2, b"CE2": 3},
    b"HIS": {b"CG": 3, b"CD2": 3, b"CE1": 3, b"ND1": 9},
}


@dataclass(frozen=True)
class AtomTypes(Featurizer):
    """gnina's atom types, radii and density: receptor channels first, then the ligand's.

    ``scheme="default"`` has 14 + 14 channels (libmolgrid's maps, gnina's networks of 2018 and later),
    ``default2017`` has 16 + 19. With ``parts="ligand"`` or ``"receptor"`` only that part's channels exist.
    An atom's radius is that of its own type. Atoms that could not be typed are not imaged, and counted.
    """

    name: ClassVar[str] = "atom-types"
    summary: ClassVar[str] = "28 channels: gnina's 14 receptor and 14 ligand atom types as smooth densities"
    reference: ClassVar[str] = "Sunseri and Koes, libmolgrid, J. Chem. Inf. Model. 2020, 60, 1079"
    voxelization: ClassVar[Voxelization] = "gaussian"
    default_box: ClassVar[Box] = Box(24, 1.0)
    few_kinds: ClassVar[bool] = True
    max_radius: ClassVar[float] = max(TYPE_RADII)  #: Å

    parts: Parts = field(
        default="both", metadata={"help": "which atoms are imaged: both, ligand or receptor"}
    )
    density: Literal["gaussian", "binary"] = field(
        default="gaussian", metadata={"help": "gaussian: smooth density; binary: 1 inside an atom's radius"}
    )
    scheme: Scheme = field(
        default="default",
        metadata={"help": "map from type to channel: default (14+14) or default2017 (16+19)"},
    )
    typing: Typing = field(
        default="bonds",
        metadata={
            "help": "openbabel: tryptophan and histidine as Open Babel types them in a PDB file without "
            "hydrogens, as gnina's networks know them"
        },
    )

    def __post_init__(self) -> None:
        # The contract's class attribute, shadowed where the option says otherwise.
        object.__setattr__(self, "voxelization", self.density)

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the image's channels: ``receptor-...`` first, then ``ligand-...``."""
        receptor, ligand = SCHEMES[self.scheme]
        names: tuple[str, ...] = ()
        if self.parts != "ligand":
            names += tuple(f"receptor-{name}" for name in receptor.names)
        if self.parts != "receptor":
            names += tuple(f"ligand-{name}" for name in ligand.names)
        return names

    def encode(self, atoms: Atoms) -> Encoding:
        """Look up channel and radius by the atoms' types.

        ``unknown`` counts atoms without a type and, with ``default2017``, those whose type has no channel.
        """
        import numpy as np

        types = atoms.atom_type if self.typing == "bonds" else _openbabel(atoms)
        channel, radius = _tables(self.scheme, self.parts, atoms.role)
        where = channel[types]
        placeable = _tables(self.scheme, "both", atoms.role)[0][types] >= 0
        hydrogen = np.isin(types, tuple(HYDROGEN_TYPES))
        return Encoding(
            radius=radius[types],
            channel=where,
            unknown=int(np.count_nonzero(~placeable & ~hydrogen)),
        )


def _openbabel(atoms: Atoms) -> NDArray[np.uint8]:
    """The atoms' types with :data:`OPENBABEL_TYPES` put in; typed input has no residue names and is not changed."""
    import numpy as np

    types = np.array(atoms.atom_type)
    if atoms.role == "receptor":
        by_rules = (atoms.flags & AtomFlag.OPENBABEL) == 0  # the others have Open Babel's own types
        for residue, names in OPENBABEL_TYPES.items():
            inside = np.flatnonzero((atoms.residue_name == residue) & by_rules)
            for name, kind in names.items():
                types[inside[atoms.name[inside] == name]] = kind
    return types


@lru_cache(maxsize=16)
def _tables(scheme: Scheme, parts: Parts, role: Role) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Channel (int32, -1 = not imaged) and radius (float32, Å) by ``Atoms.atom_type``: (256,) each."""
    import numpy as np

    receptor, ligand = SCHEMES[scheme]
    channel = np.full(256, -1, np.int32)
    radius = np.zeros(256, np.float32)
    radius[: len(TYPE_RADII)] = TYPE_RADII
    if parts in ("both", role):
        table = np.array((receptor if role == "receptor" else ligand).table(), np.int32)
        first = len(receptor) if role == "ligand" and parts == "both" else 0
        channel[: len(table)] = np.where(table >= 0, table + first, -1)
    assert channel[UNTYPED] == -1
    return channel, radius


@hookimpl
def register_featurizers() -> list[type[Featurizer]]:
    """Offer :class:`AtomTypes`."""
    return [AtomTypes]
