"""Views: every ligand atom stays inside, the same numbers whatever the order, uniform rotations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affinity_zoo.featurizers.random_numbers import uniforms
from affinity_zoo.featurizers.views import (
    PRESETS,
    ViewOptions,
    centre,
    fits,
    fixed_view,
    fixed_views,
    rotation_matrices,
    training_views,
)
from affinity_zoo.plugins.contracts import Box, Encoding
from affinity_zoo.plugins.errors import UsageError


def random_ligands(count: int, rng: np.random.Generator, radius: float) -> list[np.ndarray]:
    """Centred ligands of 1 to 40 atoms, each of them at most ``radius`` Å long from the centre."""
    ligands = []
    for _ in range(count):
        xyz = rng.normal(size=(rng.integers(1, 41), 3)) * rng.uniform(0.2, 3.0, 3)
        xyz -= xyz.mean(axis=0)
        longest = np.linalg.norm(xyz, axis=1).max()
        if longest > 0:
            xyz *= min(1.0, radius * rng.uniform(0.2, 1.0) / longest)
        ligands.append(xyz.astype(np.float32))
    return ligands


def moved(ligand: np.ndarray, rotation: np.ndarray, shift: np.ndarray) -> np.ndarray:
    return ligand @ rotation.T + shift


@pytest.mark.parametrize("preset", ["default", "ancestor"])
@pytest.mark.parametrize("box", [Box(40, 0.5), Box(24, 1.0), Box(48, 0.5, "points")])
def test_all_ligand_atoms_inside_in_10000_views(preset: str, box: Box) -> None:
    rng = np.random.default_rng(7)
    ligands = random_ligands(10_000, rng, box.extent / 2 - 0.01)
    assert all(fits(one, box) for one in ligands)
    rotations, shifts = training_views(PRESETS[preset], box, 1, 2, np.arange(10_000), ligands)
    furthest = max(np.abs(moved(*each)).max() for each in zip(ligands, rotations, shifts, strict=True))
    assert furthest < box.extent / 2
    assert np.abs(shifts).max() <= PRESETS[preset].max_shift
    # The shift is used in full where the ligand leaves room.
    assert np.abs(shifts).max() > min(1.99, box.extent / 4)


def test_gnina_preset_may_leave_the_box() -> None:
    rng = np.random.default_rng(3)
    box = Box(40, 0.5)
    ligands = random_ligands(500, rng, 9.9)
    rotations, shifts = training_views(PRESETS["gnina"], box, 0, 0, np.arange(500), ligands)
    assert 5.9 < np.abs(shifts).max() <= 6.0
    assert any(np.abs(moved(*e)).max() > 10 for e in zip(ligands, rotations, shifts, strict=True))


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(-(2**63), 2**64 - 1),
    epoch=st.integers(0, 2**32 - 1),
    rows=st.lists(st.integers(0, 2**40), min_size=2, max_size=20, unique=True),
    cut=st.integers(0, 20),
)
def test_a_row_has_the_same_view_in_every_batch(seed: int, epoch: int, rows: list[int], cut: int) -> None:
    rng = np.random.default_rng(0)
    ligands = random_ligands(len(rows), rng, 9.0)
    box, options = Box(40, 0.5), ViewOptions()
    rotations, shifts = training_views(options, box, seed, epoch, rows, ligands)
    order = np.argsort(rows)[::-1]
    again, shifted = training_views(
        options, box, seed, epoch, np.array(rows)[order], [ligands[i] for i in order]
    )
    np.testing.assert_array_equal(again, rotations[order])
    np.testing.assert_array_equal(shifted, shifts[order])
    first, first_shifts = training_views(options, box, seed, epoch, rows[:cut], ligands[:cut])
    np.testing.assert_array_equal(first, rotations[:cut])
    np.testing.assert_array_equal(first_shifts, shifts[:cut])


def test_padding_with_zeros_changes_nothing() -> None:
    rng = np.random.default_rng(5)
    ligands = random_ligands(50, rng, 9.0)
    padded = np.zeros((50, 64, 3), np.float32)
    for row, one in zip(padded, ligands, strict=True):
        row[: len(one)] = one
    for options in PRESETS.values():
        listed = training_views(options, Box(40, 0.5), 3, 1, np.arange(50), ligands)
        array = training_views(options, Box(40, 0.5), 3, 1, np.arange(50), padded)
        np.testing.assert_array_equal(listed[0], array[0])
        np.testing.assert_array_equal(listed[1], array[1])


def test_seed_epoch_row_and_purpose_all_matter() -> None:
    rows = np.arange(4)
    ligand = [np.zeros((1, 3), np.float32)] * 4
    base, _ = training_views(ViewOptions(), Box(24, 1.0), 0, 0, rows, ligand)
    others = [
        training_views(ViewOptions(), Box(24, 1.0), 1, 0, rows, ligand)[0],
        training_views(ViewOptions(), Box(24, 1.0), 2**32, 0, rows, ligand)[0],
        training_views(ViewOptions(), Box(24, 1.0), 0, 1, rows, ligand)[0],
        training_views(ViewOptions(), Box(24, 1.0), 0, 0, rows + 4, ligand)[0],
        fixed_view(0, 1).of(4)[0],
    ]
    for other in others:
        assert np.abs(base - other).max(axis=(1, 2)).min() > 1e-3


def test_fixed_views_rotate_only_and_start_with_the_complex_as_given() -> None:
    as_given, turned = fixed_view(0, 0), fixed_view(0, 3)
    np.testing.assert_array_equal(as_given.rotation, np.eye(3))
    assert np.abs(turned.rotation - as_given.rotation).max() > 0.1
    assert not as_given.shift.any() and not turned.shift.any()


@given(seed=st.integers(0, 2**40), count=st.integers(1, 8))
def test_a_fixed_view_depends_on_seed_and_number_alone(seed: int, count: int) -> None:
    several = fixed_views(seed, count)
    for number, view in enumerate(several):
        np.testing.assert_array_equal(view.rotation, fixed_view(seed, number).rotation)
        rotations, shifts = view.of(3)
        assert rotations.shape == (3, 3, 3) and np.array_equal(rotations[0], rotations[2])
        assert shifts.shape == (3, 3)
    assert len({view.rotation.tobytes() for view in several}) == count


def test_rotations_are_proper_and_uniform() -> None:
    matrices = rotation_matrices(uniforms(11, 0, 0, np.arange(40_000), 3))
    np.testing.assert_allclose(
        matrices @ matrices.swapaxes(1, 2), np.broadcast_to(np.eye(3), (40_000, 3, 3)), atol=1e-12
    )
    np.testing.assert_allclose(np.linalg.det(matrices), 1.0, atol=1e-12)
    # Under the uniform distribution each entry has mean 0 and variance 1/3, and the angle's density
    # is (1 - cos a) / pi, so the mean of the trace (1 + 2 cos a) is 0.
    np.testing.assert_allclose(matrices.mean(axis=0), 0.0, atol=5 * np.sqrt(1 / 3 / 40_000))
    np.testing.assert_allclose((matrices**2).mean(axis=0), 1 / 3, atol=0.01)
    assert abs(np.trace(matrices, axis1=1, axis2=2).mean()) < 0.02


def test_a_long_ligand_is_judged_by_its_radius_and_centred() -> None:
    stick = np.zeros((3, 3), np.float32)
    stick[:, 0] = (-12, 0, 12)
    box = Box(40, 0.5)
    assert not fits(stick, box)
    # It lies along x in this view and does not fit; along y and z it does, with room for the shift.
    options = ViewOptions(max_shift=np.inf, rotate=False)
    _, shifts = training_views(options, box, 0, 0, np.arange(100), [stick] * 100)
    np.testing.assert_allclose(shifts[:, 0], 0.0, atol=1e-6)
    assert np.abs(shifts[:, 1:]).max() > 5


def test_no_shift_and_no_rotation() -> None:
    rotations, shifts = training_views(
        ViewOptions(max_shift=0, rotate=False), Box(24, 1.0), 0, 0, [3], [np.ones((1, 3), np.float32)]
    )
    np.testing.assert_array_equal(rotations[0], np.eye(3))
    assert not shifts.any()


def test_bad_options_are_refused() -> None:
    for options in (
        {"max_shift": -1},
        {"max_shift": float("nan")},
        {"max_shift": np.inf, "keep_inside": False},
    ):
        with pytest.raises(UsageError):
            ViewOptions(**options)
    with pytest.raises(ValueError, match="as many ligands"):
        training_views(ViewOptions(), Box(24, 1.0), 0, 0, [1, 2], [np.zeros((1, 3), np.float32)])


def test_centre_is_the_mean_of_the_imaged_atoms() -> None:
    xyz = np.array([[0, 0, 0], [2, 0, 0], [50, 50, 50]], np.float32)
    radius = np.ones(3, np.float32)
    encoding = Encoding(radius, channel=np.array([0, 1, -1], np.int32))
    np.testing.assert_array_equal(centre(xyz, encoding), [1, 0, 0])
    values = Encoding(radius, values=np.array([[0, 0], [0, -1], [0, 0]], np.float32))
    np.testing.assert_array_equal(centre(xyz, values), [2, 0, 0])
    nothing = Encoding(radius, channel=np.full(3, -1, np.int32))
    np.testing.assert_allclose(centre(xyz, nothing), xyz.mean(axis=0))
    with pytest.raises(ValueError, match="without atoms"):
        centre(np.empty((0, 3), np.float32), Encoding(np.empty(0, np.float32), channel=np.empty(0, np.int32)))


def test_uniforms_are_uniform() -> None:
    numbers = uniforms(0, 1, 0, np.arange(20_000), 7)
    assert numbers.shape == (20_000, 7)
    assert numbers.min() > 0 and numbers.max() < 1
    np.testing.assert_allclose(numbers.mean(axis=0), 0.5, atol=0.01)
    np.testing.assert_allclose(np.corrcoef(numbers.T), np.eye(7), atol=0.04)
