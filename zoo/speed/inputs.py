"""Inputs of speed measurements: typed complexes from a file, or synthetic ones with realistic atom counts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.featurizers.atom_types import AtomTypes
from affinity_zoo.featurizers.gnina_types import LIGAND_CHANNELS, RECEPTOR_CHANNELS, TYPE_NAMES
from affinity_zoo.featurizers.kernels import Part
from affinity_zoo.featurizers.views import centre
from affinity_zoo.plugins.contracts import Atoms, Encoding, Role
from affinity_zoo.plugins.errors import AffinityZooError

#: heavy atoms per Å³ of a protein, so that about 950 are near a 24 Å box with a pocket in it
_DENSITY = 0.042
_POCKET = 4.5  #: Å around the centre without receptor atoms
#: gnina types and how common they are among heavy atoms of proteins and of drug-like ligands
_Weighted = tuple[tuple[int, ...], tuple[float, ...]]
_RECEPTOR_TYPES: _Weighted = (
    (2, 3, 4, 5, 7, 8, 12, 13, 14, 23),
    (0.28, 0.26, 0.07, 0.03, 0.14, 0.03, 0.04, 0.13, 0.01, 0.01),
)
_LIGAND_TYPES: _Weighted = (
    (2, 3, 4, 5, 7, 9, 12, 13, 14, 17, 18),
    (0.18, 0.2, 0.22, 0.12, 0.06, 0.06, 0.03, 0.08, 0.02, 0.02, 0.01),
)
_ELEMENTS = {
    "Carbon": 6,
    "Nitrogen": 7,
    "Oxygen": 8,
    "Sulfur": 16,
    "Phosphorus": 15,
    "Fluorine": 9,
    "Chlorine": 17,
}


@dataclass(frozen=True, eq=False)
class TypedComplex:
    """A complex as the kernels take it, with gnina's 14 + 14 channels."""

    id: str
    receptor: Part
    ligand: Part

    @property
    def parts(self) -> tuple[Part, Part]:
        """Receptor and ligand."""
        return self.receptor, self.ligand

    @property
    def centre(self) -> NDArray[np.float32]:
        """(3,) Å: mean of the ligand."""
        return centre(*self.ligand)

    def tagged(self) -> tuple[Part, Part]:
        """The parts as ``element-tag`` would encode them: one channel, a tag for each atom."""
        return _tagged(self.receptor, 0, RECEPTOR_CHANNELS.names, 20), _tagged(
            self.ligand, len(RECEPTOR_CHANNELS), LIGAND_CHANNELS.names, 0
        )


def load_inputs(path: Path) -> list[TypedComplex]:
    """Read an .npz with ``ID_rec_xyz``, ``ID_rec_type``, ``ID_rec_r`` and the same with ``lig`` for each complex.

    Args:
        path: The file.

    Raises:
        AffinityZooError: the file has another format.
    """
    try:
        archive = np.load(path, allow_pickle=False)
        ids = sorted({name.rsplit("_rec_", 1)[0] for name in archive.files if "_rec_" in name})
        complexes = [
            TypedComplex(
                one, _read(archive, one, "rec", 0), _read(archive, one, "lig", len(RECEPTOR_CHANNELS))
            )
            for one in ids
        ]
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise AffinityZooError(
            f"{path}: not a file of typed complexes ({error}); leave out `inputs`"
        ) from error
    if not complexes:
        raise AffinityZooError(f"{path}: no complexes in it (no ID_rec_xyz); leave out `inputs`")
    return complexes


def save_inputs(path: Path, complexes: list[TypedComplex]) -> None:
    """Write a file for :func:`load_inputs`.

    Args:
        path: The file.
        complexes: Typed complexes.
    """
    arrays: dict[str, NDArray[Any]] = {}
    for one in complexes:
        for part, (xyz, encoding), first in (
            ("rec", one.receptor, 0),
            ("lig", one.ligand, len(RECEPTOR_CHANNELS)),
        ):
            assert encoding.channel is not None
            arrays[f"{one.id}_{part}_xyz"] = xyz
            arrays[f"{one.id}_{part}_type"] = encoding.channel - np.int32(first)
            arrays[f"{one.id}_{part}_r"] = encoding.radius
    with path.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def synthetic_complexes(count: int = 32, seed: int = 0) -> list[TypedComplex]:
    """Typed complexes of realistic counts: a pocket of protein density around a ligand of 25 atoms.

    Args:
        count: Number of complexes.
        seed: Seed of the random numbers.
    """
    featurizer = AtomTypes()
    made = []
    for number in range(count):
        receptor, ligand = (synthetic_atoms(role, seed, number) for role in ("receptor", "ligand"))
        parts = [(part.xyz, featurizer.encode(part)) for part in (receptor, ligand)]
        made.append(TypedComplex(f"synthetic{number:03d}", *parts))
    return made


def synthetic_atoms(role: Role, seed: int, number: int, count: int | None = None) -> Atoms:
    """Make one structure, a function of the arguments alone.

    Args:
        count: atoms; None: 3,000 for a receptor, 25 for a ligand.
    """
    rng = np.random.default_rng([seed, number, role == "ligand"])
    count = count or (3000 if role == "receptor" else 25)
    if role == "receptor":
        outer = (count / _DENSITY * 3 / (4 * np.pi) + _POCKET**3) ** (1 / 3)
        distance = rng.uniform(_POCKET**3, outer**3, count) ** (1 / 3)
        types, weights = _RECEPTOR_TYPES
    else:
        distance = 3.8 * rng.random(count) ** (1 / 3)
        types, weights = _LIGAND_TYPES
    direction = rng.normal(size=(count, 3))
    xyz = direction / np.linalg.norm(direction, axis=1, keepdims=True) * distance[:, None]
    atom_type = rng.choice(types, count, p=np.array(weights) / sum(weights)).astype(np.uint8)
    return Atoms(
        role=role,
        xyz=xyz.astype(np.float32),
        element=_element_table()[atom_type],
        atom_type=atom_type,
        flags=np.zeros(count, np.uint16),
        charge=np.zeros(count, np.int8),
        name=np.full(count, b"X", "S4"),
        residue_name=np.full(count, b"SYN", "S4"),
        residue_number=np.ones(count, np.int32),
        chain=np.full(count, b"A", "S4"),
    )


def _element_table() -> NDArray[np.uint8]:
    """Atomic number of each gnina type, 30 where its name says none."""
    found = [next((z for word, z in _ELEMENTS.items() if word in name), 30) for name in TYPE_NAMES]
    return np.array(found, np.uint8)


def _read(archive: np.lib.npyio.NpzFile, one: str, part: str, first: int) -> Part:
    channel = np.ascontiguousarray(archive[f"{one}_{part}_type"], np.int32)
    radius = np.ascontiguousarray(archive[f"{one}_{part}_r"], np.float32)
    xyz = np.ascontiguousarray(archive[f"{one}_{part}_xyz"], np.float32)
    return xyz, Encoding(radius, channel=np.where(channel >= 0, channel + np.int32(first), np.int32(-1)))


def _tagged(part: Part, first: int, names: tuple[str, ...], offset: int) -> Part:
    xyz, encoding = part
    assert encoding.channel is not None
    words = {"carbon": 6, "nitrogen": 7, "phosphorus": 7, "oxygen": 8, "sulfur": 8}
    halogens = ("halogen", "chlorine", "fluorine", "bromine")
    tags = [
        9
        if name.startswith(halogens)
        else next((tag for word, tag in words.items() if name.startswith(word)), 12)
        for name in names
    ]
    value = np.array(tags, np.float32)[encoding.channel - first] + np.float32(offset)
    channel = np.minimum(encoding.channel, np.int32(0))
    return xyz, Encoding(encoding.radius, channel=channel, value=value)
