"""A whole complex in one file, split into receptor and ligand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.zoo.data.readers import templates
from affinity_zoo.zoo.data.readers.base import Failure, PoseRecord, RawAtoms, ReadError, ReadOptions, Receptor
from affinity_zoo.zoo.data.readers.elements import COVALENT_RADIUS, IS_METAL
from affinity_zoo.zoo.data.readers.formats import read_bytes, suffix_of
from affinity_zoo.zoo.data.readers.mmcif import parse_mmcif
from affinity_zoo.zoo.data.readers.pdb import parse_pdb
from affinity_zoo.zoo.data.readers.select import (
    heavy,
    ligand_from_geometry,
    pick_altloc,
    receptor_atoms,
    residue_numbers,
)

LARGEST: Final = "largest"
_SMALLEST: Final = 6  #: heavy atoms that the largest residue must have to be taken for a ligand

#: buffer, cryoprotectant, detergent and glycan residues that crystals carry without meaning
_ADDITIVES: Final = frozenset(
    b"""
    GOL EDO PEG PGE PG4 P6G 1PE 2PE PE4 MPD MRD DMS SO4 PO4 NO3 CO3 ACT ACY FMT CIT FLC TLA MLI MES EPE TRS BTB BME DTT
    IMD IPA EOH MOH DIO BOG LDA NAG NDG BMA MAN FUC BEZ POP CL BR IOD SCN AZI CAC B3P CAPS HEZ UNX UNL UNK
    """.split()
)
_LINK: Final = 0.25  #: Å beyond the covalent radii that is still a bond to the receptor


@dataclass(frozen=True, eq=False)
class Split:
    """A complex taken apart."""

    receptor: RawAtoms
    ligands: list[RawAtoms]  #: every copy of the ligand's residue, in the order of the file
    name: str  #: residue name of the ligand
    covalent: list[str]  #: for each copy the receptor atom it is bonded to, or ""


def split_complex(path: Path, options: ReadOptions, ligand: str = LARGEST) -> Split:
    """Split a PDB or mmCIF file.

    Args:
        path: the file.
        options: which model and alternate locations.
        ligand: residue name, or ``largest``: the largest residue that is no polymer, water, ion or additive.

    Raises:
        ReadError: no such residue.
    """
    data = read_bytes(path)
    if suffix_of(path) in (".cif", ".mmcif"):
        raw = parse_mmcif(data, options.model)
    else:
        models = parse_pdb(data)
        if options.model > len(models):
            raise ReadError(f"model {options.model} is asked for, the file has {len(models)}")
        raw = models[options.model - 1]
    return split_atoms(heavy(pick_altloc(raw, options.altloc)), ligand)


def split_atoms(raw: RawAtoms, ligand: str = LARGEST) -> Split:
    """Split the heavy atoms of a complex (see :func:`split_complex`)."""
    residue = residue_numbers(raw)
    start = np.flatnonzero(np.r_[True, residue[1:] != residue[:-1]]) if len(raw) else np.zeros(0, int)
    size = np.diff(np.r_[start, len(raw)])
    names = raw.residue_name[start]
    if ligand == LARGEST:
        fit = [k for k in range(len(start)) if _may_be_ligand(raw, start[k], size[k])]
        if not fit:
            raise ReadError("the file has no residue that could be the ligand: name it with `ligand`", "find")
        chosen = names[max(fit, key=lambda k: (size[k], -k))]
    else:
        chosen = np.bytes_(ligand.upper().encode())
        if chosen not in names:
            raise ReadError(f"the file has no residue {ligand}", "find")
    copies = [np.arange(start[k], start[k] + size[k]) for k in np.flatnonzero(names == chosen)]
    mine = np.zeros(len(raw), bool)
    mine[np.concatenate(copies)] = True
    receptor = raw.take(~mine)
    ligands = [raw.take(c) for c in copies]
    return Split(receptor, ligands, chosen.decode(), [_covalent(receptor, copy) for copy in ligands])


def _may_be_ligand(raw: RawAtoms, first: int, size: int) -> bool:
    name = raw.residue_name[first]
    if size < _SMALLEST or name in templates.WATERS or name in _ADDITIVES:
        return False
    if name.decode("ascii", "replace") in templates.AMINO_ACIDS | templates.NUCLEOTIDES:
        return False
    inside = slice(first, first + size)
    return not IS_METAL[raw.element[inside]].all() and not _in_chain(raw, inside)


def _in_chain(raw: RawAtoms, inside: slice) -> bool:
    """Whether a residue is a modified one of the chain: its N or C is bonded to a C or N of another residue."""
    for mine, other in ((b"N", b"C"), (b"C", b"N")):
        ends = raw.xyz[inside][raw.name[inside] == mine]
        outside = raw.name == other
        outside[inside] = False
        for end in ends:
            if len(near := raw.xyz[outside]) and (((near - end) ** 2).sum(1) < 1.7**2).any():
                return True
    return False


def _covalent(receptor: RawAtoms, ligand: RawAtoms) -> str:
    """The receptor atom that the ligand is bonded to; metals do not count."""
    from scipy.spatial import cKDTree

    receptor = receptor.take(~np.isin(receptor.residue_name, list(templates.WATERS)))
    if not len(receptor):
        return ""
    distance, near = cKDTree(receptor.xyz).query(ligand.xyz, distance_upper_bound=2.6)
    for i in np.argsort(distance):
        if not np.isfinite(distance[i]):
            break
        j = int(near[i])
        radii: NDArray[np.float32] = COVALENT_RADIUS[[int(ligand.element[i]), int(receptor.element[j])]]
        if radii.all() and distance[i] < radii.sum() + _LINK:
            atom, residue = receptor.name[j].decode(), receptor.residue_name[j].decode()
            return f"{residue} {receptor.chain[j].decode()}{receptor.residue_number[j]} {atom}"
    return ""


def read_complex_receptor(path: Path, options: ReadOptions, ligand: str) -> Receptor:
    """The receptor of a complex, without any copy of the ligand."""
    atoms, notes = receptor_atoms(split_complex(path, options, ligand).receptor, options)
    return Receptor(atoms, notes)


def read_complex_poses(path: Path, options: ReadOptions, ligand: str) -> Iterator[PoseRecord]:
    """The ligand of a complex: each copy is a record; a covalent link is a note."""
    try:
        split = split_complex(path, options, ligand)
    except ReadError as error:
        yield PoseRecord(0, "", failure=Failure(str(path), 0, error.stage, error.reason))
        return
    for record, (raw, link) in enumerate(zip(split.ligands, split.covalent, strict=True)):
        place = f"{split.name} {raw.chain[0].decode()}{raw.residue_number[0]}"
        notes = [f"ligand {place}"] + ([f"covalent link to {link}"] if link else [])
        yield PoseRecord(record, split.name, ligand_from_geometry(raw, options), notes=notes)
