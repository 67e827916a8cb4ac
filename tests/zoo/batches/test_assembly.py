"""Batches of compiled code are those of plain NumPy: views and images bit by bit, atoms as far as they are seen."""

from __future__ import annotations

import gc
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affinity_zoo.featurizers import assembly, kernels, views
from affinity_zoo.featurizers.atom_types import AtomTypes
from affinity_zoo.featurizers.element_tag import ElementTag
from affinity_zoo.featurizers.random_numbers import uniforms
from affinity_zoo.plugins.contracts import Atoms, Box, Encoding, Featurizer, Role, Voxelization
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.batches.batches import BatchMaker, Imaging, Inputs
from affinity_zoo.zoo.batches.buffers import Buffers
from affinity_zoo.zoo.batches.encoded import imaged
from affinity_zoo.zoo.batches.kinds import Kinds
from affinity_zoo.zoo.batches.pairs import PosesOfReceptor
from affinity_zoo.zoo.inference.pooled import PooledBatches

_spec = importlib.util.spec_from_file_location("plain", Path(__file__).with_name("plain.py"))
assert _spec is not None and _spec.loader is not None
plain = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(plain)

SEED, EPOCH = 5, 3
ROWS = np.array([6, 0, 3, 3, 5, 1])
COPIES = np.array([0, 0, 0, 1, 2, 0])


@dataclass(frozen=True)
class Fractions(Featurizer):
    """Each atom in two channels, by halves."""

    name: ClassVar[str] = "fractions"
    summary: ClassVar[str] = "two channels"
    voxelization: ClassVar[Voxelization] = "binary"

    @property
    def channels(self) -> tuple[str, ...]:
        return ("one", "two", "three")

    def encode(self, atoms: Atoms) -> Encoding:
        values = np.zeros((len(atoms), 3), np.float32)
        values[np.arange(len(atoms)), atoms.element % 3] = 0.25
        values[atoms.element > 6, 2] += 0.5
        return Encoding(np.full(len(atoms), 1.4, np.float32), values=values)


def make_atoms(role: Role, n: int, spread: float, rng: np.random.Generator) -> Atoms:
    xyz = rng.normal(0, spread, (n, 3)).astype(np.float32) + np.float32([40, -20, 7])
    none = np.full(n, b"X", "S4")
    # types with small and large radii: rows of atoms then need another number of lanes
    kinds = rng.choice([0, 2, 3, 4, 7, 12, 13, 14, 22, 24, 255], n).astype(np.uint8)
    element = rng.choice([1, 6, 7, 8, 16, 30], n).astype(np.uint8)
    return Atoms(role, xyz, element, kinds, np.zeros(n, np.uint16), np.zeros(n, np.int8), none, none,
                 np.zeros(n, np.int32), none)  # fmt: skip


@pytest.fixture(scope="module")
def pairs() -> PosesOfReceptor:
    rng = np.random.default_rng(1)
    poses = [make_atoms("ligand", n, 2.0, rng) for n in (1, 5, 9, 30, 14, 2, 60)]
    return PosesOfReceptor(make_atoms("receptor", 1500, 9.0, rng), poses)


def wide(batch: Inputs) -> Inputs:
    """A batch with the numbers that its kinds stand for."""
    if "kind" not in batch:
        return batch
    rest = {name: array for name, array in batch.items() if name not in ("kind", "kinds")}
    radius, channel, value = np.moveaxis(batch["kinds"][batch["kind"]], -1, 0)
    return {**rest, "radius": radius, "channel": channel.astype(np.int32), "value": value}


FEATURIZERS = [
    ElementTag(),
    ElementTag(parts="ligand"),
    AtomTypes(),
    AtomTypes(density="binary"),
    Fractions(),
]


@pytest.mark.parametrize("featurizer", FEATURIZERS, ids=lambda f: f"{f.name}-{f.voxelization}")
@pytest.mark.parametrize("preset", sorted(views.PRESETS))
@pytest.mark.parametrize("box", [Box(16, 1.0), Box(21, 0.5, "points")], ids=str)
def test_images_of_a_batch_are_those_of_single_calls(
    pairs: PosesOfReceptor, featurizer: Featurizer, preset: str, box: Box
) -> None:
    imaging = Imaging(featurizer, box, views.PRESETS[preset])
    made = BatchMaker(pairs, imaging, SEED).training(ROWS, EPOCH, COPIES)["image"]
    assert made.any()
    for image, row, copy in zip(made, ROWS, COPIES, strict=True):
        expected = plain.image(pairs, imaging, SEED, EPOCH, row, row + copy * len(pairs))[0]
        np.testing.assert_array_equal(image, expected)


@pytest.mark.parametrize("featurizer", FEATURIZERS, ids=lambda f: f"{f.name}-{f.voxelization}")
@pytest.mark.parametrize("box", [Box(16, 1.0), Box(21, 0.5, "points")], ids=str)
def test_padded_atoms_hold_what_the_image_shows(
    pairs: PosesOfReceptor, featurizer: Featurizer, box: Box
) -> None:
    imaging = Imaging(featurizer, box, place="device")
    batch = wide(BatchMaker(pairs, imaging, SEED, compact=True).training(ROWS, EPOCH, COPIES))
    for i, (row, copy) in enumerate(zip(ROWS, COPIES, strict=True)):
        image, rotation, shift = plain.image(pairs, imaging, SEED, EPOCH, row, row + copy * len(pairs))
        np.testing.assert_array_equal(batch["rotation"][i], rotation)
        np.testing.assert_array_equal(batch["shift"][i], shift)
        if "values" in batch:
            encoding = Encoding(batch["radius"][i], values=batch["values"][i])
            kept = int(batch["values"][i].any(axis=1).sum())
        else:
            encoding = Encoding(batch["radius"][i], batch["channel"][i], batch["value"][i])
            kept = int((batch["channel"][i] >= 0).sum())
            assert not batch["value"][i, kept:].any()
        assert 0 < kept < 1500 and not batch["xyz"][i, kept:].any()
        again = kernels.voxelize(
            featurizer.voxelization, box, imaging.image_shape[-1], [(batch["xyz"][i], encoding)],
            np.zeros(3, np.float32), rotation, shift,
        )  # fmt: skip
        np.testing.assert_array_equal(again, image)


@pytest.mark.parametrize("featurizer", FEATURIZERS, ids=lambda f: f"{f.name}-{f.voxelization}")
def test_kinds_stand_for_the_same_numbers(pairs: PosesOfReceptor, featurizer: Featurizer) -> None:
    maker = BatchMaker(pairs, Imaging(featurizer, Box(16, 1.0), place="device"), SEED, compact=True)
    found = maker.training(ROWS, EPOCH, COPIES)
    assert ("kind" in found) == featurizer.few_kinds == (featurizer.name != "fractions")
    maker.kinds = None
    expected = maker.training(ROWS, EPOCH, COPIES)
    if featurizer.few_kinds:
        assert found["kind"].dtype == np.uint8 and found["kinds"].shape == (256, 3)
        atoms = {name: array for name, array in found.items() if name != "kinds"}
        assert sum(a.nbytes for a in atoms.values()) < 0.6 * sum(a.nbytes for a in expected.values())
    made = wide(found)
    assert made.keys() == expected.keys()
    for name, array in expected.items():
        assert made[name].dtype == array.dtype
        np.testing.assert_array_equal(made[name], array)


def test_a_table_of_kinds_never_changes_and_every_kind_is_in_it() -> None:
    kinds, tables = Kinds("some"), []
    for seed in range(4):
        radius = np.random.default_rng(seed).integers(1, 40, 300).astype(np.float32) / 7
        channel, value = (100 * radius).astype(np.int32), -radius
        encoding = Encoding(radius, channel, value)
        numbers = kinds.numbers(encoding)
        tables.append((kinds.table, kinds.table.copy()))
        np.testing.assert_array_equal(kinds.table[numbers], np.stack([radius, channel, value], 1))
    for table, before in tables:
        np.testing.assert_array_equal(table, before)
    np.testing.assert_array_equal(kinds.table[0], [1, -1, 0])


def test_too_many_kinds_are_refused(pairs: PosesOfReceptor) -> None:
    @dataclass(frozen=True)
    class Promises(AtomTypes):
        def encode(self, atoms: Atoms) -> Encoding:
            n = np.arange(len(atoms))
            return Encoding((1 + n / 1000).astype(np.float32), (n % 28).astype(np.int32))

    maker = BatchMaker(pairs, Imaging(Promises(), Box(16, 1.0), place="device"), compact=True)
    with pytest.raises(AffinityZooError, match=r"few_kinds.*more than 255"):
        maker.training(ROWS, 0)


def test_pooled_images_of_a_batch_are_those_of_single_calls(pairs: PosesOfReceptor) -> None:
    imaging = Imaging(AtomTypes(), Box(16, 0.5))
    view = views.fixed_view(SEED, 4)
    made = PooledBatches(pairs, imaging).evaluation(ROWS, view)["image"]
    for image, row in zip(made, ROWS, strict=True):
        parts = plain.imaged(pairs, imaging, int(row))
        one = (parts, views.centre(*parts[1]), view.rotation, view.shift)
        np.testing.assert_array_equal(image, kernels.voxelize_means(imaging.box, 28, *one))


def test_few_atoms_travel_beyond_the_box(pairs: PosesOfReceptor) -> None:
    box = Box(16, 1.0)
    batch = wide(BatchMaker(pairs, Imaging(ElementTag(), box, place="device")).training(ROWS, 0))
    turned = np.einsum("bij,bnj->bni", batch["rotation"], batch["xyz"]) + batch["shift"][:, None]
    assert np.abs(turned[batch["channel"] >= 0]).max() < 8.002


def test_a_layer_of_a_plugins_own_gets_the_sphere_around_the_box(pairs: PosesOfReceptor) -> None:
    @dataclass(frozen=True)
    class OwnLayer(AtomTypes):
        def voxelizer(self, box: Box) -> Any:
            return "a layer"

    box = Box(10, 1.0)
    imaging = Imaging(OwnLayer(), box, place="device")
    batch = BatchMaker(pairs, imaging, SEED, compact=True).training(ROWS, EPOCH)
    for i, row in enumerate(ROWS):
        parts = plain.imaged(pairs, Imaging(AtomTypes(), box), int(row))
        centre = views.centre(*parts[1])
        away = np.concatenate([np.linalg.norm(xyz - centre, axis=1) for xyz, _ in parts])
        radius = np.concatenate([encoding.radius for _, encoding in parts])
        limit = np.sqrt(3) * 5 + np.linalg.norm(batch["shift"][i]) + 1.5 * radius
        sent = int((batch["channel"][i] >= 0).sum())
        assert np.count_nonzero(away < limit) <= sent <= np.count_nonzero(away < limit + 1.0)


@settings(max_examples=60)
@given(
    seed=st.integers(-(2**63), 2**64 - 1),
    epoch=st.integers(0, 2**32 - 1),
    rows=st.lists(st.integers(0, 2**50), min_size=1, max_size=9),
    preset=st.sampled_from(sorted(views.PRESETS)),
    rotate=st.booleans(),
)
def test_views_are_those_of_plain_float64_arithmetic(
    seed: int, epoch: int, rows: list[int], preset: str, rotate: bool
) -> None:
    rng = np.random.default_rng(abs(seed) % 1000)
    ligands = [(rng.normal(size=(rng.integers(0, 30), 3)) * 4).astype(np.float32) for _ in rows]
    options = views.ViewOptions(views.PRESETS[preset].max_shift, views.PRESETS[preset].keep_inside, rotate)
    box = Box(24, 0.5)
    rotations, shifts = views.training_views(options, box, seed, epoch, rows, ligands)
    for i, row in enumerate(rows):
        rotation, shift = plain.training_view(options, box, seed, epoch, row, ligands[i])
        np.testing.assert_array_equal(rotations[i], rotation)
        np.testing.assert_array_equal(shifts[i], shift)


def test_random_numbers_are_philox() -> None:
    """The known answers that Random123 is published with (philox4x32, 10 rounds), and the compiled numbers."""
    answers = {
        (0, 0, 0, 0): ((0, 0), [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344): (
            (0xA4093822, 0x299F31D0), [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    }  # fmt: skip
    for counter, (key, expected) in answers.items():
        assert plain.philox(np.array(counter, np.uint64)[:, None], key)[:, 0].tolist() == expected
    rows = np.array([0, 1, 2**33 + 5])
    for seed, stream, epoch, count in ((0, 0, 0, 4), (2**64 - 3, 255, 2**32 - 1, 11), (-7, 2, 9, 1)):
        numbers = plain.uniforms(seed, stream, epoch, rows, count)
        np.testing.assert_array_equal(uniforms(seed, stream, epoch, rows, count), numbers)


def test_a_channel_that_is_not_there_is_refused(pairs: PosesOfReceptor) -> None:
    class TooFew(AtomTypes):
        @property
        def channels(self) -> tuple[str, ...]:
            return ("only",)

    for featurizer in (TooFew(), TooFew(density="binary")):
        with pytest.raises(ValueError, match="but the image has 1"):
            BatchMaker(pairs, Imaging(featurizer, Box(16, 1.0))).training(ROWS, 0)


def test_wrong_arrays_never_reach_compiled_code() -> None:
    xyz, radius = np.zeros((4, 3), np.float32), np.ones(4, np.float32)
    with pytest.raises(ValueError, match="must be"):
        imaged(xyz, Encoding(radius, channel=np.zeros(4, np.int32), value=np.ones((4, 1), np.float32)))
    good = imaged(xyz, Encoding(radius, channel=np.zeros(4, np.int32)))
    with pytest.raises(ValueError, match="int32"):
        assembly.record(
            good.columns,
            Encoding(radius, np.zeros(4, np.int64), radius),
            good.centre,  # type: ignore[arg-type]
        )


def test_memory_is_used_again_only_when_no_view_of_it_is_left() -> None:
    buffers = Buffers()
    first = buffers.array(np.float32, 1000)
    address = first.ctypes.data
    assert address % 64 == 0
    part = first.reshape(10, 100)[3, 5:]
    part[:] = 7
    del first
    gc.collect()
    second = buffers.array(np.float32, 1000)
    second[:] = 1
    assert second.ctypes.data != address and (part == 7).all()
    del part
    gc.collect()
    assert buffers.array(np.float32, 1000).ctypes.data == address
