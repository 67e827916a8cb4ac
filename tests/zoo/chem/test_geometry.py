"""Contacts, burial, clashes: against all-pairs arithmetic and small molecules of known geometry."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from affinity_zoo.plugins.contracts import Atoms, Role
from affinity_zoo.zoo.chem import geometry


def make(xyz: object, element: object = 6, role: Role = "receptor") -> Atoms:
    points = np.asarray(xyz, np.float32).reshape(-1, 3)
    n = len(points)
    text = np.full(n, b"X", "S4")
    return Atoms(
        role=role, xyz=points, element=np.broadcast_to(np.asarray(element, np.uint8), n).copy(),
        atom_type=np.zeros(n, np.uint8), flags=np.zeros(n, np.uint16), charge=np.zeros(n, np.int8),
        name=text, residue_name=text, residue_number=np.zeros(n, np.int32), chain=text,
    )  # fmt: skip


def clouds(size: int) -> st.SearchStrategy[np.ndarray]:
    grid = st.integers(-1200, 1200).map(lambda v: np.float32(v / 100 + 0.0033))
    return hnp.arrays(np.float32, st.tuples(st.integers(1, size), st.just(3)), elements=grid)


def all_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.sqrt(((a[:, None].astype(np.float64) - b[None].astype(np.float64)) ** 2).sum(-1))


@given(clouds(40), clouds(12), st.floats(0.5, 9.0))
def test_counts_equal_all_pairs(a: np.ndarray, b: np.ndarray, cutoff: float) -> None:
    far = all_distances(a, b)
    if np.any(np.abs(far - cutoff) < 1e-6):
        return  # on the border either answer is right
    receptor, ligand = make(a), make(b, role="ligand")
    expected = (far <= cutoff).sum() / len(b)
    assert geometry.contacts_per_atom(receptor, ligand, cutoff) == pytest.approx(expected)
    assert geometry.burial(receptor, ligand, cutoff) == pytest.approx(expected)
    assert geometry.shortest_distance(receptor, ligand) == pytest.approx(far.min(), abs=1e-5)
    assert np.array_equal(geometry.within(receptor, ligand, cutoff), (far <= cutoff).any(1))
    i, j, distance = geometry.close_pairs_xyz(a, b, cutoff)
    assert np.array_equal(np.stack([i, j], 1), np.argwhere(far <= cutoff))
    assert np.allclose(distance, far[i, j], atol=1e-5)


@given(clouds(30), clouds(10), st.data())
def test_every_short_pair_is_of_one_kind(a: np.ndarray, b: np.ndarray, data: st.DataObject) -> None:
    za = data.draw(hnp.arrays(np.uint8, len(a), elements=st.sampled_from([0, 6, 7, 8, 16, 30, 12])))
    zb = data.draw(hnp.arrays(np.uint8, len(b), elements=st.sampled_from([0, 6, 7, 8, 15, 17])))
    receptor, ligand = make(a, za), make(b, zb, "ligand")
    found = geometry.close_contacts(receptor, ligand)
    vdw, _ = geometry.radii()
    short = all_distances(a, b) < 0.75 * (vdw[za][:, None] + vdw[zb][None])
    rows = np.concatenate([found.clash, found.metal, found.covalent, found.beside_covalent])
    assert len(np.unique(rows, axis=0)) == len(rows)
    assert {tuple(r) for r in rows.tolist()} == {tuple(r) for r in np.argwhere(short).tolist()}
    assert geometry.clashes(receptor, ligand) == len(found.clash)


def test_known_values() -> None:
    receptor = make([[0, 0, 0], [5, 0, 0], [0, 30, 0]])
    ligand = make([[3, 0, 0], [3, 0.5, 0]], role="ligand")
    assert geometry.contacts_per_atom(receptor, ligand) == 2.0
    assert geometry.burial(receptor, ligand) == 2.0
    assert geometry.shortest_distance(receptor, ligand) == 2.0
    assert geometry.within(receptor, ligand, 4.0).tolist() == [True, True, False]
    assert np.allclose(geometry.centre(ligand), [3, 0.25, 0])
    far = make([[100, 0, 0]], role="ligand")
    assert geometry.contacts_per_atom(receptor, far) == 0.0
    assert geometry.shortest_distance(receptor, far) == 95.0


def test_no_atoms_is_nan_not_an_error() -> None:
    receptor, nothing = make([[0, 0, 0]]), make(np.zeros((0, 3)), role="ligand")
    for a, b in ((receptor, nothing), (nothing, receptor)):
        assert np.isnan(geometry.contacts_per_atom(a, b))
        assert np.isnan(geometry.burial(a, b))
        assert np.isnan(geometry.shortest_distance(a, b))
        assert geometry.clashes(a, b) == 0
        assert not geometry.within(a, b, 4.0).any()
    assert np.isnan(geometry.centre(nothing)).all()


@pytest.mark.parametrize(
    ("z", "gap", "clash", "metal", "covalent"),
    [
        ((6, 6), 2.60, 0, 0, 0),  # just above 0.75 x 3.4 = 2.55
        ((6, 6), 2.50, 1, 0, 0),
        ((8, 8), 2.45, 0, 0, 0),  # a short hydrogen bond
        ((12, 8), 2.10, 0, 1, 0),  # Mg-O
        ((30, 7), 2.05, 0, 1, 0),  # Zn-N of a histidine
        ((30, 8), 0.70, 1, 0, 0),  # inside the metal
        ((8, 6), 1.36, 0, 0, 1),  # an ester of serine
        ((16, 6), 1.80, 0, 0, 1),  # a thioether of cysteine
        ((6, 6), 0.60, 1, 0, 0),  # one atom on the other
    ],
)
def test_kinds_of_close_pairs(z: tuple[int, int], gap: float, clash: int, metal: int, covalent: int) -> None:
    found = geometry.close_contacts(make([[0, 0, 0]], z[0]), make([[gap, 0, 0]], z[1], "ligand"))
    assert (len(found.clash), len(found.metal), len(found.covalent)) == (clash, metal, covalent)


def test_angles_across_a_covalent_link_are_no_clash() -> None:
    # serine CB-OG bonded to a carbonyl carbon with its oxygen: C-O-C and O-C=O angles
    serine = make([[-0.7, 1.2, 0], [0, 0, 0]], [6, 8])
    acyl = make([[1.35, 0, 0], [2.0, 1.05, 0]], [6, 8], "ligand")
    found = geometry.close_contacts(serine, acyl)
    assert found.covalent.tolist() == [[1, 0]]
    assert len(found.clash) == 0
    assert len(found.beside_covalent) == 2


def test_overlapping_molecules_clash() -> None:
    chain = np.array([[1.3 * k, 0.4 * (k % 2), 0] for k in range(8)])
    found = geometry.close_contacts(make(chain), make(chain + [0.6, 0.9, 0.3], role="ligand"))
    assert len(found.clash) > 8
    assert len(found.covalent) == len(found.beside_covalent) == 0
