"""Moves of a pose: rigid and torsional, against what geometry says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.zoo.refine.guard import Guard
from affinity_zoo.zoo.refine.moves import Motion, moved, rotation, torsions, uphill


def molecule(smiles: str) -> Any:
    from rdkit import Chem
    from rdkit.Chem import AllChem

    made = Chem.AddHs(Chem.MolFromSmiles(smiles))
    AllChem.EmbedMolecule(made, randomSeed=1)
    return made


def heavy(made: Any) -> Any:
    return np.array([a.GetIdx() for a in made.GetAtoms() if a.GetAtomicNum() > 1])


@pytest.mark.parametrize(
    ("smiles", "expected"),
    [
        ("CC", 0),  # methyl groups turn nothing but hydrogens
        ("CCCC", 1),
        ("c1ccccc1-c1ccccc1", 1),
        ("CCNC(=O)CC", 2),  # the amide stays flat
        ("C1CCCCC1", 0),
        ("CC#CC", 0),
        ("COc1ccccc1", 1),
        ("CC(=O)OCC", 2),
        ("CC=CC", 0),
    ],
)
def test_rotatable_bonds(smiles: str, expected: int) -> None:
    made = molecule(smiles)
    found = torsions(made)
    assert len(found) == expected
    for bond in found:
        inside = set(bond.moved)
        assert bond.a not in inside and bond.b not in inside
        assert sum(made.GetAtomWithIdx(int(i)).GetAtomicNum() > 1 for i in inside) <= len(heavy(made)) / 2


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.05, 1.0))
def test_bond_lengths_and_angles_stay(seed: int, size: float) -> None:
    made = molecule("O=C(NCc1ccccc1)C(C)CCN")
    rng = np.random.default_rng(seed)
    xyz, bonds = made.GetConformer().GetPositions(), torsions(made)
    way = Motion(rng.normal(size=3), rng.normal(size=3), rng.normal(size=len(bonds))).scaled(size)
    after = moved(xyz, way, bonds, heavy(made))
    near = {(b.GetBeginAtomIdx(), b.GetEndAtomIdx()) for b in made.GetBonds()}
    for atom in made.GetAtoms():
        around = [n.GetIdx() for n in atom.GetNeighbors()]
        near |= {(a, b) for a in around for b in around if a < b}
    i, j = np.array(sorted(near)).T
    np.testing.assert_allclose(
        np.linalg.norm(after[i] - after[j], axis=1), np.linalg.norm(xyz[i] - xyz[j], axis=1), atol=1e-9
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_uphill_is_uphill_and_as_long_as_asked(seed: int) -> None:
    """A short step along the motion raises a linear score, and moves the atoms by its length."""
    made = molecule("O=C(NCc1ccccc1)C(C)CCN")
    rng = np.random.default_rng(seed)
    xyz, bonds, place = made.GetConformer().GetPositions(), torsions(made), heavy(made)
    slope = np.zeros(xyz.shape)
    slope[place] = rng.normal(size=(len(place), 3))
    for turning in ([], bonds):
        step = moved(xyz, uphill(xyz, slope, turning, place).scaled(1e-4), turning, place) - xyz
        assert (step * slope).sum() > 0
        assert np.sqrt((step[place] ** 2).sum(axis=1).mean()) == pytest.approx(1e-4, rel=1e-2)


def test_no_slope_is_no_motion() -> None:
    made = molecule("CCCC")
    xyz, bonds, place = made.GetConformer().GetPositions(), torsions(made), heavy(made)
    way = uphill(xyz, np.zeros(xyz.shape), bonds, place)
    np.testing.assert_allclose(moved(xyz, way, bonds, place), xyz, atol=1e-12)
    single = np.zeros((1, 3))  # one atom cannot turn
    way = uphill(single, np.array([[1.0, 0, 0]]), [], np.array([0]))
    np.testing.assert_allclose(moved(single, way.scaled(0.3), [], np.array([0])), [[0.3, 0, 0]])


def test_rotation_is_proper() -> None:
    turn = rotation(np.array([0.3, -1.2, 0.5]))
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(turn) == pytest.approx(1.0)


def carbons(role: Any, xyz: Any) -> Atoms:
    n = len(xyz)
    return Atoms(
        role, np.asarray(xyz, np.float32), np.full(n, 6, np.uint8), np.full(n, 2, np.uint8),
        np.zeros(n, np.uint16), np.zeros(n, np.int8), np.full(n, b"C", "S4"), np.full(n, b"LIG", "S4"),
        np.ones(n, np.int32), np.full(n, b"A", "S4"),
    )  # fmt: skip


def test_the_guard_allows_no_new_clash_and_no_deeper_one() -> None:
    chain = np.array([[1.5 * i, 0.3 * (i % 2), 0.0] for i in range(6)])
    bonds = np.array([[i, i + 1] for i in range(5)])
    wall = carbons("receptor", [[0, 3.2, 0], [7.5, -2.3, 0]])  # the second one clashes from the start
    guard = Guard(wall, carbons("ligand", chain), bonds, 2.0)
    assert guard.allows(chain)
    assert guard.allows(chain + [0, 0.3, 0])
    assert not guard.allows(chain + [0, 0.9, 0])  # runs into the first
    assert not guard.allows(chain - [0, 0.2, 0])  # deeper into the second
    slope = np.tile([1.0, 1.0, 0.0], (6, 1))
    touching = guard.sliding(chain + [0, 0.65, 0], slope)
    assert touching[0, 1] < 0 < touching[0, 0]  # not into the wall but along it, and a little away
    assert guard.sliding(chain + [0, 0.65, 0], -slope)[0, 1] < -1
    np.testing.assert_allclose(touching[3], slope[3])
    np.testing.assert_allclose(guard.sliding(chain + [0, 0, 9.0], slope), slope)
    bonded = Guard(carbons("receptor", [[-1.5, 0, 0]]), carbons("ligand", chain), bonds, 2.0)
    assert bonded.allows(chain) and bonded.allows(chain + [0.02, 0, 0])
    assert not bonded.allows(chain + [0.5, 0, 0])  # a covalent link stays
    assert not Guard(carbons("receptor", [[-1.5, 0, -2]]), carbons("ligand", chain), bonds, 3.0).allows(
        chain - [0, 0, 2.0]
    )  # a jump to the length of a bond makes none
    folded = chain.copy()
    folded[5] = chain[0] + [0, 1.6, 0]
    assert not guard.allows(folded)  # into itself
    assert Guard(carbons("receptor", np.zeros((0, 3))), carbons("ligand", chain), bonds, 2.0).allows(
        chain + 9
    )
