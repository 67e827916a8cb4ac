"""Reading of the displayed complex, and names of its atoms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.data.readers import PoseRecord, ReadOptions, read_poses, read_receptor
from affinity_zoo.zoo.data.readers.base import ReadError
from affinity_zoo.zoo.data.readers.bound import foreign_residues, lying_on
from affinity_zoo.zoo.data.readers.elements import SYMBOLS
from affinity_zoo.zoo.data.readers.records import receptor_file


@dataclass(frozen=True, eq=False)
class Complex:
    """One receptor and one pose, as read."""

    receptor: Atoms
    ligand: Atoms
    pose: PoseRecord
    receptor_file: Path
    pose_file: Path
    notes: tuple[str, ...] = ()  #: notes of the readers

    @property
    def name(self) -> str:
        """The pose's name, or its file and record."""
        return self.pose.name or f"{self.pose_file.name}, record {self.pose.record}"


def read_complex(
    receptor: str | Path, pose: str | Path, record: int = 0, options: ReadOptions | None = None
) -> Complex:
    """Read a receptor and one record of a pose file.

    Args:
        record: number of the record, from 0.
        options: as the model's training data was read.

    Raises:
        AffinityZooError: a file is missing or cannot be read, or has no such record.
    """
    options = options or ReadOptions()
    protein = receptor_file(receptor)
    poses = Path(pose)
    if not poses.is_file():
        raise AffinityZooError(f"{poses}: no such file; give `pose` a file")
    if record < 0:
        raise UsageError(f"`record` counts from 0, not {record}")
    found = next(iter(read_poses(poses, options, record, record + 1)), None)
    if found is None or found.record != record:
        raise AffinityZooError(f"{poses} has no record {record}: records are counted from 0")
    if found.atoms is None:
        reason = found.failure.reason if found.failure else "no atoms"
        raise AffinityZooError(f"{poses}, record {record}: {reason}; give a pose that can be read")
    try:
        read = read_receptor(protein, options)
    except ReadError as error:
        raise AffinityZooError(
            f"the receptor cannot be read ({error}); give `receptor` a PDB or mmCIF file"
        ) from error
    bound = [str(near) for near in lying_on(foreign_residues(read.atoms), found.atoms)]
    notes = (*read.notes, *read.findings, *found.notes, *bound)
    return Complex(read.atoms, found.atoms, found, protein, poses, notes)


@dataclass(frozen=True, eq=False)
class Residue:
    """A residue and its atoms."""

    chain: str
    name: str
    number: int
    atoms: NDArray[np.int64]  #: indices into the receptor
    insertion: str = ""  #: its insertion code

    @property
    def place(self) -> str:
        """Number and insertion code: ``60B``."""
        return f"{self.number}{self.insertion}"

    @property
    def label(self) -> str:
        """Label of the residue: ``ASP 189 A``."""
        return " ".join(part for part in (self.name, self.place, self.chain) if part)


def residues(receptor: Atoms) -> list[Residue]:
    """The residues of a receptor in the order of their first atoms.

    Residues of the same chain, number, insertion code and name are one.

    Args:
        receptor: its atoms.
    """
    found: dict[tuple[bytes, int, bytes, bytes], list[int]] = {}
    keys = zip(
        receptor.chain, receptor.residue_number, receptor.insertion, receptor.residue_name, strict=True
    )
    for i, (chain, number, code, name) in enumerate(keys):
        found.setdefault((bytes(chain), int(number), bytes(code), bytes(name)), []).append(i)
    return [
        Residue(text(chain), text(name), number, np.array(atoms, np.int64), text(code))
        for (chain, number, code, name), atoms in found.items()
    ]


def text(name: bytes) -> str:
    """A name as stored, as text.

    Args:
        name: Name in the file.
    """
    return bytes(name).decode("ascii", "replace").strip()


def symbols(atoms: Atoms) -> list[str]:
    """Element symbols; X for an unknown element.

    Args:
        atoms: N heavy atoms, positions in Å.
    """
    return [SYMBOLS[z] if 0 < z < len(SYMBOLS) else "X" for z in atoms.element.tolist()]


def labels(atoms: Atoms) -> list[str]:
    """Label of each atom: ``ASP 189 A OD1``; ligand atoms without names get element and number from 1.

    Args:
        atoms: N heavy atoms, positions in Å.
    """
    names = [text(name) for name in atoms.name]
    if atoms.role == "ligand":
        return unique_names(names)
    parts = zip(names, atoms.residue_name, atoms.residue_number, atoms.insertion, atoms.chain, strict=True)
    return [
        " ".join(p for p in (text(r), f"{int(n)}{text(code)}", text(c), name) if p)
        for name, r, n, code, c in parts
    ]


def unique_names(names: Sequence[str]) -> list[str]:
    """Names that are not unique (SDF files have elements only) get their number in the file, from 1.

    Args:
        names: Names, possibly repeated.
    """
    if len(set(names)) == len(names):
        return list(names)
    return [f"{name}{i}" for i, name in enumerate(names, start=1)]
