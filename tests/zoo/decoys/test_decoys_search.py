"""The compiled search: its measures against all-pairs arithmetic, its maps against its measures."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from affinity_zoo.zoo.chem.geometry import radii
from affinity_zoo.zoo.decoys import maps as decoys_maps
from affinity_zoo.zoo.decoys import search as decoys_search
from affinity_zoo.zoo.decoys.displace import DisplaceOptions, displaced_poses
from affinity_zoo.zoo.decoys.report import auc, one_number_auc

ELEMENTS = np.array([6, 7, 8, 15, 16], np.uint8)


def random_case(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(1, 300)), int(rng.integers(1, 20))
    return (
        rng.uniform(-9, 9, (n, 3)),
        rng.choice(ELEMENTS, n),
        rng.uniform(-11, 11, (m, 3)),
        rng.choice(ELEMENTS, m),
    )


def by_hand(rec: np.ndarray, zr: np.ndarray, lig: np.ndarray, zl: np.ndarray) -> np.ndarray:
    vdw, _ = radii()
    d = cdist(rec, lig)
    size = vdw[zr][:, None] + vdw[zl][None]
    close = d <= 4.0
    over = np.where(close, np.maximum(0.9 * size - d, 0), 0).sum()
    clash = np.where(close, np.maximum(0.75 * size + decoys_maps.CLASH_MARGIN - d, 0), 0).sum()
    n = len(lig)
    return np.array([close.sum() / n, (d <= 6.0).sum() / n, d.min(), over / n, clash])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_measures_equal_all_pairs(seed: int) -> None:
    rec, zr, lig, zl = random_case(seed)
    vdw, _ = radii()
    cells = decoys_search.make_cells(rec, vdw[zr])
    out = np.empty(5)
    decoys_search.measure(lig, vdw[zl], cells.xyz, cells.radius, cells.start, cells.origin, cells.shape, out)
    expected = by_hand(rec, zr, lig, zl)
    if expected[2] > 6.0:  # nothing in reach: the distance is not looked for
        expected[2] = out[2]
    assert np.allclose(out, expected, atol=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_maps_are_exact_on_their_points(seed: int) -> None:
    rec, zr, lig, zl = random_case(seed)
    vdw, _ = radii()
    made = decoys_maps.make_maps(rec, vdw[zr], vdw[zl], np.zeros(3), 12.0)
    lig = made[1] + decoys_maps.SPACING * np.round((lig - made[1]) / decoys_maps.SPACING)
    out = np.empty(5)
    decoys_maps.look_up(lig, *made, out)
    expected = by_hand(rec, zr, lig, zl)
    if expected[2] > 4.0:
        expected[2] = out[2]
    assert np.allclose(out, expected, atol=1e-4)


def test_search_finds_a_second_pocket() -> None:
    """Two equal pockets in a wall of atoms: the ligand of one is found in the other, and only there."""
    rng = np.random.default_rng(5)
    ball = rng.normal(size=(4000, 3))
    ball *= (5.4 / np.linalg.norm(ball, axis=1))[:, None]
    shell = [ball[0]]
    for p in ball[1:]:
        if np.min(np.linalg.norm(np.array(shell) - p, axis=1)) > 1.9:
            shell.append(p)
    wall = np.array(shell)
    receptor = np.concatenate([wall, wall + [14.0, 0, 0]])
    element = np.full(len(receptor), 6, np.uint8)
    ligand = np.array([[-1.8, 0, 0], [-0.6, 0.6, 0], [0.6, -0.6, 0], [1.8, 0, 0], [0.7, -1.9, 0.3]])
    kind = np.array([6, 6, 7, 8, 8], np.uint8)
    options = DisplaceOptions(
        count=2, min_rmsd=6.0, reach=17.0, tries=100, steps=300, max_mismatch=20.0, apart=1.0
    )
    found = displaced_poses(receptor, element, ligand, kind, seed=1, options=options)
    assert found
    for pose in found:
        assert np.linalg.norm(pose.xyz.mean(axis=0) - [14.0, 0, 0]) < 2.5
        assert pose.rmsd > 6.0
    again = displaced_poses(receptor, element, ligand, kind, seed=1, options=options)
    assert all(np.array_equal(a.xyz, b.xyz) for a, b in zip(found, again, strict=True))
    onto = displaced_poses(
        receptor, element, ligand, kind, seed=1, options=options, others=[ligand + [14.0, 0, 0]]
    )
    assert not onto  # the overlap filter takes all of them


def test_a_receptor_out_of_reach_and_a_single_atom() -> None:
    rng = np.random.default_rng(0)
    receptor, element = rng.uniform(-15, 15, (400, 3)), np.full(400, 6, np.uint8)
    options = DisplaceOptions(count=2, min_rmsd=4.0, tries=20, steps=100)
    one = np.zeros((1, 3))
    assert (
        displaced_poses(receptor + 100, element, one, np.array([8], np.uint8), seed=0, options=options) == []
    )
    found = displaced_poses(receptor, element, one, np.array([8], np.uint8), seed=0, options=options)
    assert all(np.linalg.norm(pose.xyz) > 4.0 for pose in found)


def test_auc() -> None:
    assert auc(np.array([2.0]), np.array([1.0, 2.0, 3.0, 3.0])) == (1 + 0.5) / 4
    assert np.isnan(auc(np.array([]), np.array([1.0])))
    rec, zr, lig, zl = random_case(3)
    table = one_number_auc([(rec, zr, lig, zl, [lig + [200.0, 0, 0]])])
    assert table["contacts"]["pooled"] in (0.5, 1.0)
    assert table["burial"]["within"] == 1.0
