"""Bond orders from a SMILES or a reference file, for ligand files without bond orders."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.data.readers.base import PoseRecord, ReadError
from affinity_zoo.zoo.data.readers.formats import format_of, is_structure
from affinity_zoo.zoo.data.readers.graphs import graph
from affinity_zoo.zoo.data.readers.rdkit_types import type_molecule
from affinity_zoo.zoo.data.readers.typing import Typing


def smiles_of(template: str) -> str:
    """Return the SMILES of a template: that of the first record of an SDF or MOL file, else the text itself.

    Args:
        template: A SMILES, or an SDF or MOL file.

    Raises:
        AffinityZooError: the file is missing, or RDKit cannot read its first record.
    """
    path = Path(template)
    if not is_structure(path) or format_of(path).name != "SDF":
        return template
    from rdkit import Chem, RDLogger

    RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]
    if not path.is_file():
        raise AffinityZooError(
            f"{template}: the file does not exist; give a SMILES or an SDF file with the bond orders"
        )
    molecule = next(iter(Chem.SDMolSupplier(str(path))), None)
    if molecule is None:
        raise AffinityZooError(f"{template}: RDKit cannot read its first record; give a SMILES instead")
    return str(Chem.MolToSmiles(molecule))


def with_template(pose: PoseRecord, smiles: str) -> PoseRecord:
    """Type a pose by the bonds of a SMILES; if they do not fit, it is unchanged and has a note.

    Args:
        pose: Heavy atoms of a ligand pose.
        smiles: Molecule that gives the bond orders.

    Raises:
        ReadError: the SMILES is invalid.
    """
    if pose.atoms is None:
        return pose
    typed = _retype(pose.atoms, smiles)
    if typed is None:
        return replace(
            pose, notes=[*pose.notes, f"the template {smiles} does not fit: typed from its own bonds"]
        )
    return replace(pose, atoms=typed, notes=[*pose.notes, "bond orders from a template"])


def _retype(atoms: Atoms, smiles: str) -> Atoms | None:
    plain, typing = _template(smiles)
    if plain.GetNumAtoms() != len(atoms):
        return None
    match = graph(atoms).GetSubstructMatch(plain)
    if len(match) != len(atoms):
        return None
    place = np.empty(len(atoms), np.int64)
    place[list(match)] = np.arange(len(atoms))
    return replace(
        atoms, atom_type=typing.atom_type[place], flags=typing.flags[place], charge=typing.charge[place]
    )


@lru_cache(256)
def _template(smiles: str) -> tuple[Any, Typing]:
    """The template's elements and connectivity, and the types of its heavy atoms."""
    from rdkit import Chem, RDLogger

    RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]
    molecule = Chem.MolFromSmiles(smiles)
    if molecule is None or not molecule.GetNumAtoms():
        raise ReadError(f"the template {smiles!r} is not a SMILES", "type")
    molecule = Chem.RemoveAllHs(molecule)
    typing = type_molecule(molecule, list(range(molecule.GetNumAtoms())))
    plain = Chem.RWMol()
    for atom in molecule.GetAtoms():
        plain.AddAtom(Chem.Atom(atom.GetAtomicNum()))
    for bond in molecule.GetBonds():
        plain.AddBond(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), Chem.BondType.SINGLE)
    found = plain.GetMol()
    found.UpdatePropertyCache(strict=False)
    return found, typing
