"""Checks of the rows of an index; each pair is checked once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from affinity_zoo.plugins.contracts import UNTYPED, Atoms
from affinity_zoo.zoo.chem.geometry import close_contacts, shortest_distance
from affinity_zoo.zoo.data.store.dataset import Dataset

FAR: Final = 6.0  #: Å; a ligand whose nearest receptor atom is beyond is not bound
CUT: Final = 15.0  #: Å; a receptor with no atom beyond this from the ligand is a cut-out
#: part of a note of the readers -> what it shows
_NOTES: Final = {
    "typed from geometry": "typing fallback",
    "repaired:": "bonds repaired",
    "the ligand is in": "disconnected ligand",
    "amino acids in the ligand": "amino acids in the ligand",
    "a drawing, not a 3D structure": "flat ligand",
    "are the side chains missing": "receptor without side chains",
    "cannot have: are the elements right": "impossible bond lengths",
    "closer than 0.8": "atoms on top of each other",
    "is in no residue template": "receptor in no template",
    "atoms of lipids": "frame of a simulation",
    "waters: a frame of a simulation": "frame of a simulation",
    "where the pose lies": "ligand in the receptor",
    "elements taken from": "elements guessed",
    "pseudo-atoms left out": "pseudo-atoms left out",
    "flexible residues left out": "flexible residues left out",
    "other residues could be the ligand": "other candidates for the ligand",
    "left out: ": "label or affinity left out",
}


@dataclass(frozen=True)
class Finding:
    """One finding about one complex."""

    id: str
    what: str
    detail: str = ""


@dataclass(frozen=True)
class RowRange:
    """Rows that one worker looks at."""

    data: str
    mark: str  #: hash of the manifest
    first: int
    last: int


def look(piece: RowRange) -> tuple[list[Finding], list[bytes]]:
    """Return the findings of some rows, and a digest of each row's coordinates.

    Args:
        piece: Range of rows.
    """
    data, known = _opened(piece.data, piece.mark)
    findings: list[Finding] = []
    digests: list[bytes] = []
    for i in range(piece.first, piece.last):
        findings += _of_row(data, i)
        digests.append(
            b"".join(
                _digest(data, int(number), known)
                for number in (data.receptor_structure[i], data.ligand_structure[i])
            )
        )
    return findings, digests


@lru_cache(maxsize=1)
def _opened(folder: str, mark: str) -> tuple[Dataset, dict[int, bytes]]:
    return Dataset.open(folder), {}


def _of_row(data: Dataset, i: int) -> Iterator[Finding]:
    name, note = str(data.column("id")[i]), str(data.column("notes")[i])
    receptor = data.store.atoms(int(data.receptor_structure[i]))
    ligand = data.store.atoms(int(data.ligand_structure[i]))
    for what, detail in _geometry(receptor, ligand):
        yield Finding(name, what, detail)
    for role, atoms in (("receptor", receptor), ("ligand", ligand)):
        untyped = int((atoms.atom_type == UNTYPED).sum())
        if untyped == len(atoms):
            yield Finding(name, f"nothing typed in the {role}")
        elif untyped:
            yield Finding(name, f"untyped atoms in the {role}", str(untyped))
    if all(np.isnan(data.column(truth)[i]) for truth in ("pose_label", "active", "affinity", "rmsd")):
        yield Finding(name, "no label or affinity")
    for part in note.split("; "):
        if (shown := next((w for mark, w in _NOTES.items() if mark in part), None)) is not None:
            yield Finding(name, shown, part)


def _geometry(receptor: Atoms, ligand: Atoms) -> Iterator[tuple[str, str]]:
    distance = shortest_distance(receptor, ligand)
    if not distance <= FAR:
        yield "ligand far away", f"{distance:.1f} Å"
        return
    close = close_contacts(receptor, ligand)
    if len(close.clash):
        yield "clash", f"{len(close.clash)} pairs, nearest {distance:.2f} Å"
    if len(close.covalent):
        atom = int(close.covalent[0, 0])
        names = (receptor.residue_name[atom], receptor.chain[atom], receptor.insertion[atom])
        name, chain, code = (bytes(n).decode("utf-8", "replace") for n in names)
        residue = f"{name} {chain}{receptor.residue_number[atom]}{code}"
        yield "covalent link", f"to {residue}"
    reach = float(np.sqrt(((receptor.xyz - ligand.xyz.mean(0)) ** 2).sum(1).max()))
    if reach < CUT:
        yield "cut pocket", f"the receptor ends {reach:.1f} Å from the ligand's centre"


def _digest(data: Dataset, number: int, known: dict[int, bytes]) -> bytes:
    """Return a hash of elements and positions, to 0.01 Å, independent of the order of the atoms."""
    if number not in known:
        atoms = data.store.atoms(number)
        table = np.column_stack([np.round(atoms.xyz * 100).astype(np.int64), atoms.element.astype(np.int64)])
        table = table[np.lexsort(table.T)]
        value = hashlib.blake2b(table.tobytes(), digest_size=16).digest()
        if number >= data.store.receptors:
            return value  # read each ligand once
        known[number] = value
    return known[number]
