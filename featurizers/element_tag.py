"""The ancestor's featurizer: the voxel that holds an atom gets the tag of the atom's element."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from affinity_zoo.plugins import hookimpl
from affinity_zoo.plugins.contracts import Atoms, Box, Encoding, Featurizer, Voxelization

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: atomic number -> tag of a ligand atom. Hydrogens are not imaged (0).
TAGS: Final[dict[int, int]] = {
    1: 0,  # hydrogen
    5: 5,  # boron
    6: 6,  # carbon
    7: 7,  # nitrogen
    15: 7,  # phosphorus
    8: 8,  # oxygen
    16: 8,  # sulfur
    9: 9,  # fluorine
    17: 9,  # chlorine
    35: 9,  # bromine
    53: 9,  # iodine
    85: 9,  # astatine
}
OTHER_TAG: Final = 12  #: metals and all other elements
RECEPTOR_OFFSET: Final = 20  #: a receptor atom has the ligand's tag plus this
_LAST_ELEMENT = 118


@lru_cache(maxsize=1)
def _tag_table() -> NDArray[np.float32]:
    """Tag of each possible value of ``Atoms.element``, for a ligand: (256,) float32."""
    import numpy as np

    table = np.full(256, OTHER_TAG, np.float32)
    for element, tag in TAGS.items():
        table[element] = tag
    return table


@dataclass(frozen=True)
class ElementTag(Featurizer):
    """One channel: the tag of the element of the atom in each voxel, the larger tag where atoms share one.

    The tags are the ancestor's (Affinity core): ligand B 5, C 6, N and P 7, O and S 8, halogens 9, others
    12; receptor the same plus 20; hydrogens are not imaged. The ancestor keyed some tags by atom name, which
    made oxygens of carbons called CD1: here the element decides. Atoms of unknown element get 12 and are
    counted.
    """

    name: ClassVar[str] = "element-tag"
    summary: ClassVar[str] = "1 channel: the voxel that holds an atom gets the tag number of its element"
    reference: ClassVar[str] = "Affinity core, av3: hashtable of element tags"
    voxelization: ClassVar[Voxelization] = "nearest"
    default_box: ClassVar[Box] = Box(40, 0.5)
    few_kinds: ClassVar[bool] = True
    max_radius: ClassVar[float] = 0.0  #: Å; the nearest voxelizer ignores radii

    parts: Literal["both", "ligand", "receptor"] = field(
        default="both", metadata={"help": "which atoms are imaged: both, ligand or receptor"}
    )

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the image's channels."""
        return ("element-tag",)

    def encode(self, atoms: Atoms) -> Encoding:
        """Look up each atom's tag; atoms of the part that is not imaged get channel -1."""
        import numpy as np

        value = _tag_table()[atoms.element]
        if atoms.role == "receptor":
            value = np.where(value > 0, value + np.float32(RECEPTOR_OFFSET), value)
        imaged = (value > 0) & (self.parts in ("both", atoms.role))
        known = (atoms.element > 0) & (atoms.element <= _LAST_ELEMENT)
        return Encoding(
            radius=np.zeros(len(atoms), np.float32),
            channel=np.where(imaged, np.int32(0), np.int32(-1)),
            value=value,
            unknown=int(np.count_nonzero(~known)),
        )


@hookimpl
def register_featurizers() -> list[type[Featurizer]]:
    """Offer :class:`ElementTag`."""
    return [ElementTag]
