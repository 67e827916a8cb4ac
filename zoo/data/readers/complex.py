"""A whole complex in one file, split into receptor and ligand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.zoo.data.readers import templates
from affinity_zoo.zoo.data.readers.base import Failure, PoseRecord, RawAtoms, ReadError, ReadOptions, Receptor
from affinity_zoo.zoo.data.readers.elements import COVALENT_RADIUS, IS_METAL
from affinity_zoo.zoo.data.readers.formats import format_of, read_bytes
from affinity_zoo.zoo.data.readers.identity import place, residue_numbers
from affinity_zoo.zoo.data.readers.residues import ADDITIVES, COFACTORS, DUMMIES, WATERS, are
from affinity_zoo.zoo.data.readers.select import (
    chosen_model,
    guesses,
    heavy,
    pick_altloc,
    pose_from_raw,
    receptor_from_raw,
)

LARGEST: Final = "largest"
_SMALLEST: Final = 6  #: heavy atoms that the largest residue must have to be taken for a ligand
_LINK: Final = 0.25  #: Å beyond the covalent radii that is still a bond to the receptor


@dataclass(frozen=True, eq=False)
class Split:
    """A complex, split into receptor and ligands."""

    receptor: RawAtoms
    ligands: list[RawAtoms]  #: every copy of the ligand's residue, in the order of the file
    name: str  #: residue name of the ligand
    covalent: list[str]  #: for each copy the receptor atom it is bonded to, or ""
    others: tuple[str, ...] = ()  #: residues that could be the ligand too, each with its number of atoms
    notes: tuple[str, ...] = ()  #: guesses of the reader


def split_complex(path: Path, options: ReadOptions, ligand: str = LARGEST) -> Split:
    """Split a PDB or mmCIF file.

    Args:
        path: the file.
        options: which model and alternate locations.
        ligand: residue name, or ``largest``: the largest residue that is no polymer, water, ion or additive; a
            cofactor only where there is nothing else.

    Raises:
        ReadError: no such residue.
    """
    models = format_of(path).models
    if models is None:
        raise ReadError("this format cannot contain whole complexes")
    raw = chosen_model(models(read_bytes(path)), options)
    split = split_atoms(heavy(pick_altloc(raw, options.altloc)), ligand)
    return replace(split, notes=tuple(guesses(raw)))


def split_atoms(raw: RawAtoms, ligand: str = LARGEST) -> Split:
    """Split the heavy atoms of a complex.

    Args:
        raw: the atoms.
        ligand: see :func:`split_complex`.

    Raises:
        ReadError: no such residue.
    """
    number = residue_numbers(raw)
    order = np.argsort(number, kind="stable")
    residues = np.split(order, np.flatnonzero(np.diff(number[order])) + 1) if len(raw) else []
    names = [bytes(raw.residue_name[r[0]]) for r in residues]
    others: tuple[str, ...] = ()
    if ligand == LARGEST:
        fit = [k for k, atoms in enumerate(residues) if _may_be_ligand(raw, atoms)]
        if not fit:
            raise ReadError(
                "the file has no residue that could be the ligand: give the residue name with `ligand`",
                "find",
            )
        best = max(fit, key=lambda k: (names[k].upper() not in COFACTORS, len(residues[k]), -k))
        chosen = names[best]
        others = tuple(
            f"{place(raw, residues[k][0])} ({len(residues[k])} atoms)" for k in fit if names[k] != chosen
        )
    else:
        found = next((n for n in names if n.upper() == ligand.strip().upper().encode()), None)
        if found is None:
            raise ReadError(f"the file has no residue {ligand}", "find")
        chosen = found
    copies = [atoms for atoms, name in zip(residues, names, strict=True) if name == chosen]
    mine = np.zeros(len(raw), bool)
    mine[np.concatenate(copies)] = True
    receptor = raw.take(~mine)
    ligands = [raw.take(c) for c in copies]
    return Split(
        receptor,
        ligands,
        chosen.decode("utf-8", "replace"),
        [_covalent(receptor, copy) for copy in ligands],
        others,
    )


def _may_be_ligand(raw: RawAtoms, atoms: NDArray[np.int64]) -> bool:
    name = bytes(raw.residue_name[atoms[0]]).upper()
    if len(atoms) < _SMALLEST or name in WATERS or name in ADDITIVES or name in DUMMIES:
        return False
    if name.decode("ascii", "replace") in templates.AMINO_ACIDS | templates.NUCLEOTIDES:
        return False
    return not IS_METAL[raw.element[atoms]].all() and not _in_chain(raw, atoms)


def _in_chain(raw: RawAtoms, atoms: NDArray[np.int64]) -> bool:
    """Return whether a residue is a modified residue of the chain: its N or C is bonded to another residue."""
    for mine, other in ((b"N", b"C"), (b"C", b"N")):
        ends = raw.xyz[atoms][raw.name[atoms] == mine]
        outside = raw.name == other
        outside[atoms] = False
        for end in ends:
            if len(near := raw.xyz[outside]) and (((near - end) ** 2).sum(1) < 1.7**2).any():
                return True
    return False


def _covalent(receptor: RawAtoms, ligand: RawAtoms) -> str:
    """The receptor atom that the ligand is bonded to; metals do not count."""
    from scipy.spatial import cKDTree

    receptor = receptor.take(~are(receptor.residue_name, WATERS))
    if not len(receptor):
        return ""
    distance, near = cKDTree(receptor.xyz).query(ligand.xyz, distance_upper_bound=2.6)
    for i in np.argsort(distance):
        if not np.isfinite(distance[i]):
            break
        j = int(near[i])
        radii: NDArray[np.float32] = COVALENT_RADIUS[[int(ligand.element[i]), int(receptor.element[j])]]
        if radii.all() and distance[i] < radii.sum() + _LINK:
            return f"{place(receptor, j)} {receptor.name[j].decode('utf-8', 'replace')}"
    return ""


def read_complex_receptor(path: Path, options: ReadOptions, ligand: str) -> Receptor:
    """The receptor of a complex, without any copy of the ligand.

    Args:
        path: The file.
        options: What is kept of waters, alternate locations and models, and how atoms are typed.
        ligand: Residue name of the ligand, or ``largest``.
    """
    split = split_complex(path, options, ligand)
    found = receptor_from_raw(split.receptor, replace(options, model=1))
    return replace(found, findings=[*split.notes, *found.findings])


def read_complex_poses(path: Path, options: ReadOptions, ligand: str) -> Iterator[PoseRecord]:
    """The ligand of a complex: each copy is a record; a covalent link and other candidates are notes.

    Args:
        path: The file.
        options: What is kept of waters, alternate locations and models, and how atoms are typed.
        ligand: Residue name of the ligand, or ``largest``.
    """
    try:
        split = split_complex(path, options, ligand)
    except ReadError as error:
        yield PoseRecord(0, "", failure=Failure(str(path), 0, error.stage, error.reason))
        return
    for record, (raw, link) in enumerate(zip(split.ligands, split.covalent, strict=True)):
        notes = [f"ligand {place(raw, 0)}"] + ([f"covalent link to {link}"] if link else [])
        if split.others:
            more = f" and {len(split.others) - 4} more" if len(split.others) > 4 else ""
            notes.append(f"other residues could be the ligand: {', '.join(split.others[:4])}{more}")
        yield pose_from_raw(lambda r=raw: r, str(path), record, options, name=split.name, notes=notes)  # type: ignore[misc]
