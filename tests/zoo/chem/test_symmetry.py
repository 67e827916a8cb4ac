"""Symmetric RMSD and graphs from positions: against RDKit's CalcRMS and known molecules."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Chem import AllChem, rdMolAlign

from affinity_zoo.zoo.chem import symmetry

SMILES = [
    "c1ccccc1C(=O)[O-]", "CC(C)(C)c1ccc(C(F)(F)F)cc1", "OP(=O)(O)OP(=O)(O)O", "Cc1ccccc1", "C1CCCCC1",
    "NC(=O)c1ccc(S(N)(=O)=O)cc1", "CCO", "C",
]  # fmt: skip


def molecule(smiles: str) -> Chem.Mol:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert AllChem.EmbedMolecule(mol, randomSeed=7) == 0
    return Chem.RemoveHs(mol)


@pytest.mark.parametrize("smiles", SMILES)
def test_bonds_are_found_from_positions(smiles: str) -> None:
    mol = molecule(smiles)
    element = np.array([a.GetAtomicNum() for a in mol.GetAtoms()], np.uint8)
    found = symmetry.bonds_from_distances(mol.GetConformer().GetPositions(), element)
    expected = sorted(sorted((b.GetBeginAtomIdx(), b.GetEndAtomIdx())) for b in mol.GetBonds())
    assert found.tolist() == expected


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(SMILES), st.integers(0, 2**31 - 1))
def test_rmsd_equals_calcrms_over_renumbered_atoms(smiles: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    mol = molecule(smiles)
    n = mol.GetNumAtoms()
    moved = Chem.RenumberAtoms(mol, rng.permutation(n).tolist())
    xyz = moved.GetConformer().GetPositions() + rng.normal(0, 0.7, (n, 3))
    for i in range(n):
        moved.GetConformer().SetAtomPosition(i, xyz[i].tolist())
    a, b = symmetry.skeleton_of(moved), symmetry.skeleton_of(mol)
    got = symmetry.rmsd(xyz, mol.GetConformer().GetPositions(), symmetry.mappings(a, b))
    for skeleton, source in ((a, moved), (b, mol)):  # CalcRMS on the same graphs, an independent path
        skeleton.RemoveAllConformers()
        skeleton.AddConformer(source.GetConformer(), assignId=True)
    assert got == pytest.approx(rdMolAlign.CalcRMS(a, b, maxMatches=1_000_000), abs=1e-6)
    bound = symmetry.rmsd_lower_bound(xyz, mol.GetConformer().GetPositions(), a, b)
    assert bound <= got + 1e-9


def test_a_flipped_ring_has_no_rmsd_and_a_moved_one_is_not_aligned() -> None:
    ring = molecule("c1ccccc1")
    xyz = ring.GetConformer().GetPositions()
    mol = symmetry.skeleton_of(ring)
    ways = symmetry.mappings(mol, mol)
    assert len(ways) == 12
    assert symmetry.rmsd(np.roll(xyz, 2, axis=0), xyz, ways) == pytest.approx(0.0, abs=1e-9)
    assert symmetry.rmsd(xyz + [3.0, 0.0, 0.0], xyz, ways) > 1.5
    shift = np.array([0.0, 40.0, 0.0])
    assert symmetry.rmsd(xyz + shift, xyz, ways) == pytest.approx(40.0, abs=0.1)


def test_other_molecules_have_no_mapping() -> None:
    a, b = (symmetry.skeleton_of(molecule(s)) for s in ("CCO", "CCN"))
    assert len(symmetry.mappings(a, b)) == 0
    assert np.isnan(symmetry.rmsd(np.zeros((3, 3)), np.zeros((3, 3)), symmetry.mappings(a, b)))


def test_truncated_mappings_say_so() -> None:
    mol = symmetry.skeleton_of(molecule("CC(C)(C)c1ccc(C(C)(C)C)cc1"))
    assert not symmetry.mappings(mol, mol, max_matches=5).complete
    assert symmetry.mappings(mol, mol).complete


def test_similarity_of_nucleotides() -> None:
    adp = "Nc1ncnc2c1ncn2C1OC(COP(=O)(O)OP(=O)(O)O)C(O)C1O"
    prints = [
        symmetry.fingerprint(symmetry.skeleton_of(Chem.MolFromSmiles(s)))
        for s in (adp, adp, "c1ccccc1C(=O)O")
    ]
    assert symmetry.similarity(prints[0], prints[1]) == 1.0
    assert symmetry.similarity(prints[0], prints[2]) < 0.3
