"""Batches: the same on both paths, in any thread, at any time; ligands inside the box."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from affinity_zoo.featurizers import layers
from affinity_zoo.featurizers.atom_types import AtomTypes
from affinity_zoo.featurizers.element_tag import ElementTag
from affinity_zoo.featurizers.views import ViewOptions
from affinity_zoo.plugins.contracts import Atoms, Box, Featurizer, Role
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.batches.batches import PADDED_SIZES, BatchMaker, Imaging, choose_place, padded_size
from affinity_zoo.zoo.batches.pairs import PosesOfReceptor
from affinity_zoo.zoo.batches.pipeline import TrainingBatches, TrainingPlan, in_flight, training_data


def make_atoms(role: Role, n: int, spread: float, seed: int) -> Atoms:
    rng = np.random.default_rng(seed)
    return Atoms(
        role,
        rng.normal(0, spread, (n, 3)).astype(np.float32) + np.float32([40, -20, 7]),
        rng.choice([6, 7, 8, 16], n).astype(np.uint8),
        rng.choice([2, 3, 4, 7, 12, 13, 14], n).astype(np.uint8),
        np.zeros(n, np.uint16),
        np.zeros(n, np.int8),
        np.full(n, b"X", "S4"),
        np.full(n, b"UNK", "S4"),
        np.zeros(n, np.int32),
        np.full(n, b"A", "S4"),
    )


@pytest.fixture(scope="module")
def pairs() -> PosesOfReceptor:
    receptor = make_atoms("receptor", 900, 9.0, 0)
    return PosesOfReceptor(receptor, [make_atoms("ligand", 5 + 3 * i, 2.0, i + 1) for i in range(7)])


def _imaging(featurizer: Featurizer, place: str) -> Imaging:
    return Imaging(featurizer, Box(16, 1.0), ViewOptions(), place)  # type: ignore[arg-type]


@pytest.mark.parametrize("featurizer", [AtomTypes(), ElementTag()])
def test_host_and_device_paths_give_the_same_image(pairs: PosesOfReceptor, featurizer: Featurizer) -> None:
    rows = np.arange(7)
    host = BatchMaker(pairs, _imaging(featurizer, "host"), seed=3).training(rows, epoch=2)["image"]
    atoms = BatchMaker(pairs, _imaging(featurizer, "device"), seed=3).training(rows, epoch=2)
    layer = layers.for_featurizer(featurizer, Box(16, 1.0))
    device = np.asarray(layer(atoms))
    kinds = BatchMaker(pairs, _imaging(featurizer, "device"), seed=3, compact=True).training(rows, epoch=2)
    assert "kind" in kinds and np.array_equal(layer(kinds), device)
    assert device.shape == host.shape and host.any()
    different = np.abs(device - host) > 1e-5
    # nearest: only where an atom lies within 1e-5 Å of a voxel's border, which no atom does here
    assert not different.any()


def test_batches_do_not_depend_on_threads_or_neighbours(pairs: PosesOfReceptor) -> None:
    maker = BatchMaker(pairs, _imaging(AtomTypes(), "host"), seed=1, cache_bytes=20_000)
    whole = maker.training(np.arange(7), 4)["image"]
    with ThreadPoolExecutor(4) as pool:
        single = list(
            pool.map(lambda row: maker.training(np.array([row]), 4)["image"][0], list(range(7)) * 3)
        )
    assert all(np.array_equal(image, whole[i % 7]) for i, image in enumerate(single))


def test_epochs_turn_the_complex_and_evaluation_does_not_move_view_zero(pairs: PosesOfReceptor) -> None:
    maker = BatchMaker(pairs, _imaging(AtomTypes(), "device"))
    first, second = maker.training(np.array([3]), 0), maker.training(np.array([3]), 1)
    assert not np.allclose(first["rotation"], second["rotation"])
    fixed = maker.evaluation(np.array([3]))
    assert np.array_equal(fixed["rotation"][0], np.eye(3)) and not fixed["shift"].any()


def test_copies_of_a_row_are_seen_in_different_views(pairs: PosesOfReceptor) -> None:
    maker = BatchMaker(pairs, _imaging(AtomTypes(), "device"))
    batch = maker.training(np.array([3, 3, 3]), 0, np.array([0, 1, 2]))
    assert len({rotation.tobytes() for rotation in batch["rotation"]}) == 3
    assert len({shift.tobytes() for shift in batch["shift"]}) == 3


def test_cropping_leaves_out_only_what_cannot_reach_the_box(pairs: PosesOfReceptor) -> None:
    small = Imaging(AtomTypes(), Box(8, 1.0), ViewOptions(), "device")
    batch = BatchMaker(pairs, small).training(np.arange(7), 0)
    kept = int((batch["channel"] >= 0).sum(axis=1).max())
    assert kept < 900 and batch["xyz"].shape[1] == padded_size(kept)
    uncropped = BatchMaker(pairs, Imaging(AtomTypes(), Box(8, 1.0), ViewOptions(), "host")).training(
        np.arange(7), 0
    )
    device = np.asarray(layers.for_featurizer(AtomTypes(), Box(8, 1.0))(batch))
    assert np.abs(device - uncropped["image"]).max() < 1e-5


def test_padded_sizes_are_few() -> None:
    assert {padded_size(n) for n in range(1, PADDED_SIZES[-1] + 1)} == set(PADDED_SIZES)
    assert padded_size(PADDED_SIZES[-1] + 1) == 2 * PADDED_SIZES[-1]


def test_place_follows_the_device_and_the_featurizer() -> None:
    box = Box(8, 1.0)
    assert choose_place(AtomTypes(), box, "auto", accelerator=True) == "device"
    assert choose_place(AtomTypes(), box, "auto", accelerator=False) == "host"
    assert choose_place(AtomTypes(), box, "device", accelerator=False) == "device"

    class OwnImage(ElementTag):
        def image(self, *args, **kwargs):  # type: ignore[no-untyped-def]
            return np.zeros((8, 8, 8, 1), np.float32)

    assert choose_place(OwnImage(), box, "auto", accelerator=True) == "host"
    with pytest.raises(AffinityZooError, match="on the host"):
        choose_place(OwnImage(), box, "device", accelerator=True)


@pytest.mark.parametrize("place", ["host", "device"])
def test_tf_data_gives_every_row_once_per_epoch_whatever_the_workers(
    pairs: PosesOfReceptor, place: str
) -> None:
    pytest.importorskip("tensorflow")
    plan = TrainingPlan(np.arange(7), np.array([1, 0, 0, 1, 0, 0, 0.0]), 3, seed=2, balance="none")
    images = {}
    for workers in (1, 4):
        batches = TrainingBatches(BatchMaker(pairs, _imaging(AtomTypes(), place), seed=2, compact=True), plan)
        read = list(training_data(batches, 0, 2 * batches.steps, workers).as_numpy_iterator())
        assert len(read) == 2 * batches.steps
        weights = np.concatenate([w for _, _, w in read[: batches.steps]])
        assert weights.sum() == 7
        labels = np.concatenate([y[w == 1, 0] for _, y, w in read[: batches.steps]])
        assert labels.sum() == 2
        # which number a kind gets is a matter of which thread meets it first
        images[workers] = [
            inputs["image"] if place == "host" else inputs["kinds"][inputs["kind"]] for inputs, _, _ in read
        ]
    assert all(np.array_equal(a, b) for a, b in zip(images[1], images[4], strict=True))


def test_a_failing_batch_keeps_its_sentence(pairs: PosesOfReceptor) -> None:
    pytest.importorskip("tensorflow")

    class Broken(ElementTag):
        def image(self, *args, **kwargs):  # type: ignore[no-untyped-def]
            return np.zeros((1, 1, 1, 1), np.float32)

    plan = TrainingPlan(np.arange(7), np.array([1, 0, 0, 1, 0, 0, 0.0]), 3, seed=2, balance="none")
    batches = TrainingBatches(BatchMaker(pairs, _imaging(Broken(), "host")), plan)
    with pytest.raises(AffinityZooError, match="returned an image of shape"):
        training_data(batches, 0, 1, 1)
    assert batches.failure is not None


@pytest.mark.parametrize("batch_bytes", [1, 10**6, 10**8, 4 * 10**8, 10**10])
@pytest.mark.parametrize("workers", [1, 2, 16])
def test_batches_in_flight_are_bounded_in_bytes(batch_bytes: int, workers: int) -> None:
    threads, ready = in_flight(batch_bytes, workers, max_bytes=2**30)
    assert 1 <= threads <= workers and 1 <= ready <= 2
    # one more is in use; below three batches nothing would overlap, so three are always allowed
    assert (threads + ready + 1) * batch_bytes <= max(2**30, 3 * batch_bytes)
