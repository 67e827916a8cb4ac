"""Attributions on networks whose answer is known: planted, linear, bias-free, and against finite differences."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops
from numpy.typing import NDArray

from affinity_zoo.featurizers.atom_types import AtomTypes
from affinity_zoo.featurizers.element_tag import ElementTag
from affinity_zoo.featurizers.views import fixed_views, rotations_of
from affinity_zoo.plugins.contracts import Atoms, Box, Encoding, Featurizer
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.runtime.backends import NAMES
from affinity_zoo.zoo.see.attribution import OutputScorer, gradients, occlusion
from affinity_zoo.zoo.see.imaging import WeightedImager

BOX = Box(10, 1.0)
PLANTED = 7  # nitrogen


@dataclass(frozen=True)
class ByElement(Featurizer):
    """Carbon, nitrogen and oxygen of the receptor, and any ligand atom."""

    name = "by-element"
    summary = "test"
    max_radius = 1.5

    @property
    def channels(self) -> tuple[str, ...]:
        return ("receptor-C", "receptor-N", "receptor-O", "ligand")

    def encode(self, atoms: Atoms) -> Encoding:
        channel = np.full(len(atoms), 3) if atoms.role == "ligand" else atoms.element.astype(int) - 6
        return Encoding(radius=np.full(len(atoms), 1.5, np.float32), channel=channel.astype(np.int32))


@dataclass(frozen=True)
class ByValues(ByElement):
    """The same image from ``values``."""

    name = "by-values"

    def encode(self, atoms: Atoms) -> Encoding:
        one = super().encode(atoms)
        assert one.channel is not None
        return Encoding(radius=one.radius, values=np.eye(4, dtype=np.float32)[one.channel])


class Doubling(keras.layers.Layer):
    """An author's own voxelizer: one voxel an atom, its density its value, smooth in nothing else."""

    def call(self, inputs: Any) -> Any:
        moved = ops.einsum("bij,bnj->bni", inputs["rotation"], inputs["xyz"]) + inputs["shift"][:, None]
        cell = ops.cast(ops.clip(ops.floor(moved + 5.0), 0, 9), "int32")
        voxel = (cell[..., 0] * 10 + cell[..., 1]) * 10 + cell[..., 2]
        channel = ops.one_hot(inputs["channel"], 4, dtype="float32") * inputs["value"][..., None]
        return ops.reshape(
            ops.einsum("bnv,bnc->bvc", ops.one_hot(voxel, 1000, dtype="float32"), channel),
            (-1, 10, 10, 10, 4),
        )


@dataclass(frozen=True)
class OwnLayer(ByElement):
    """An image by a layer of one's own."""

    name = "own-layer"

    def voxelizer(self, box: Box) -> Any:
        return Doubling()


@dataclass(frozen=True)
class OwnImage(ByElement):
    """An image made whole on the host: atoms counted into voxels."""

    name = "own-image"

    def image(
        self, receptor: Atoms, ligand: Atoms, box: Box, rotation: Any, shift: Any
    ) -> NDArray[np.float32]:
        image = np.zeros((10, 10, 10, 4), np.float32)
        centre = ligand.xyz.astype(np.float64).mean(axis=0)
        for atoms in (receptor, ligand):
            channel = self.encode(atoms).channel
            cells = np.floor((atoms.xyz - centre) @ rotation.T + shift + 5.0).astype(int)
            for cell, c in zip(cells, channel, strict=True):
                if ((cell >= 0) & (cell < 10)).all():
                    image[(*cell, c)] += 1.0
        return image


def atoms(role: Any, xyz: Any, element: Any) -> Atoms:
    n = len(xyz)
    return Atoms(
        role, np.asarray(xyz, np.float32), np.asarray(element, np.uint8), np.full(n, 2, np.uint8),
        np.zeros(n, np.uint16), np.zeros(n, np.int8), np.full(n, b"X", "S4"), np.full(n, b"ALA", "S4"),
        np.arange(n, dtype=np.int32), np.full(n, b"A", "S4"),
    )  # fmt: skip


def toy(rng: np.random.Generator, planted: bool) -> tuple[Atoms, Atoms]:
    """A ligand of four atoms, receptor atoms around it; one nitrogen touches the ligand where ``planted``."""
    ligand = rng.normal(0, 0.7, (4, 3))
    direction = rng.normal(size=(24, 3))
    shell = direction / np.linalg.norm(direction, axis=1, keepdims=True) * rng.uniform(3.0, 6.0, (24, 1))
    element = rng.choice([6, 8], 24)
    near = np.argsort(np.linalg.norm(shell[:, None] - ligand[None], axis=2).min(axis=1))
    element[near[12:14]] = PLANTED  # far nitrogens in every complex: the type alone says nothing
    if planted:
        element[near[0]] = PLANTED
    return atoms("receptor", shell, element), atoms("ligand", ligand, np.full(4, 6))


@cache
def trained() -> keras.Model:
    """A network of 3,000 weights that has learnt: is there a nitrogen that touches the ligand?"""
    rng = np.random.default_rng(0)
    keras.utils.set_random_seed(0)
    images, labels = [], []
    for i in range(600):
        imager = WeightedImager(ByElement(), BOX, *toy(rng, i % 2 == 0))
        images.append(imager.images(rotations_of(fixed_views(i, 2))[1:])[0])
        labels.append(i % 2 == 0)
    image = keras.Input((10, 10, 10, 4))
    x = keras.layers.Conv3D(12, 3, activation="relu", padding="same")(image)
    x = keras.layers.Conv3D(12, 3, activation="relu", padding="same")(x)
    network = keras.Model(image, keras.layers.Dense(1)(keras.layers.GlobalMaxPooling3D()(x)))
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(5e-3), loss, metrics=[keras.metrics.BinaryAccuracy(threshold=0.0)])
    network.fit(np.stack(images), np.array(labels, np.float32), epochs=14, batch_size=32, verbose=0)
    assert network.evaluate(np.stack(images), np.array(labels, np.float32), verbose=0)[1] > 0.9
    return network


@pytest.mark.parametrize("featurizer", [ByElement(), ByValues()], ids=["channel", "values"])
def test_the_planted_atom_ranks_first(featurizer: Featurizer) -> None:
    """A label that depends on one atom type near the ligand: that atom is named by gradients and by occlusion."""
    rng = np.random.default_rng(7)
    first = {"gradient": 0, "integrated": 0, "occlusion": 0}
    cases = 12
    for _ in range(cases):
        receptor, ligand = toy(rng, True)
        scorer = OutputScorer(trained(), 0, WeightedImager(featurizer, BOX, receptor, ligand))
        rotations = rotations_of(fixed_views(0, 2))
        found = gradients(scorer, rotations)
        drops, _ = occlusion(scorer, rotations, [np.array([i]) for i in range(len(receptor))])
        distance = np.linalg.norm(receptor.xyz[:, None] - ligand.xyz[None], axis=2).min(axis=1)
        planted = np.where(receptor.element == PLANTED, distance, 99).argmin()
        first["gradient"] += found.gradient[: len(receptor)].argmax() == planted
        first["integrated"] += found.integrated[: len(receptor)].argmax() == planted
        first["occlusion"] += drops.argmax() == planted
    assert min(first.values()) >= cases - 1, first


def network_without_biases(channels: int, side: int = 10) -> keras.Model:
    keras.utils.set_random_seed(1)
    image = keras.Input((side, side, side, channels))
    x = keras.layers.Conv3D(6, 3, use_bias=False, activation="relu")(image)
    # not MaxPooling3D: TensorFlow's gradient of it on a CPU is wrong where activations are small
    x = keras.layers.AveragePooling3D(2)(x)
    x = keras.layers.Conv3D(6, 3, use_bias=False, activation="relu")(x)
    return keras.Model(image, keras.layers.Dense(2, use_bias=False)(keras.layers.Flatten()(x)))


FEATURIZERS = [ByElement(), ByValues(), OwnLayer(), ElementTag(), AtomTypes(), AtomTypes(density="binary")]


@pytest.mark.parametrize("featurizer", FEATURIZERS, ids=lambda f: f"{f.name}-{f.voxelization}")
def test_both_gradients_add_up_where_a_network_has_no_biases(featurizer: Featurizer) -> None:
    """A piecewise linear network through the origin: either sum is the score, for every kind of voxelizer."""
    scorer = OutputScorer(
        network_without_biases(len(featurizer.channels)), 1,
        WeightedImager(featurizer, BOX, *toy(np.random.default_rng(2), True)),
    )  # fmt: skip
    found = gradients(scorer, rotations_of(fixed_views(0, 3)), steps=3)
    assert found.empty == pytest.approx(0.0, abs=1e-6)
    assert found.score == pytest.approx(scorer.scores(rotations_of(fixed_views(0, 3))).mean(), rel=1e-4)
    assert abs(found.score) > 1e-3
    assert found.gradient.sum() == pytest.approx(found.score, rel=1e-3)
    assert found.integrated.sum() == pytest.approx(found.score, rel=1e-3)
    assert found.steps == 3


def test_integrated_gradients_take_more_steps_until_they_add_up() -> None:
    """Biases bend the path: the sum rule is met by more steps, and gradient x input does not meet it."""
    image = keras.Input((10, 10, 10, 4))
    keras.utils.set_random_seed(4)
    x = keras.layers.Conv3D(6, 3, activation="tanh", bias_initializer="random_normal")(image)
    x = keras.layers.Dense(1, bias_initializer="ones")(keras.layers.Flatten()(x))
    scorer = OutputScorer(
        keras.Model(image, x), 0, WeightedImager(ByElement(), BOX, *toy(np.random.default_rng(5), True))
    )
    found = gradients(scorer, rotations_of(fixed_views(0, 2)), steps=1)
    assert found.steps > 1
    assert abs(found.gap) <= 0.01 * abs(found.score - found.empty) + 2e-3
    assert abs(found.gradient.sum() - (found.score - found.empty)) > 3 * abs(found.gap)


@pytest.mark.parametrize("featurizer", FEATURIZERS[:4], ids=lambda f: f.name)
def test_gradients_agree_with_finite_differences(featurizer: Featurizer) -> None:
    receptor, ligand = toy(np.random.default_rng(3), True)
    imager = WeightedImager(featurizer, BOX, receptor, ligand)
    scorer = OutputScorer(network_without_biases(len(featurizer.channels)), 0, imager)
    rotations = rotations_of(fixed_views(0, 2))
    found = gradients(scorer, rotations, steps=1)
    step = 3e-3
    for atom in imager.seen[::4]:
        shifted = []
        for sign in (1, -1):
            weights = np.ones((2, imager.n), np.float32)
            weights[:, atom] += sign * step
            shifted.append(scorer.scores(rotations, weights).mean())
        slope = (shifted[0] - shifted[1]) / (2 * step)
        assert slope == pytest.approx(found.gradient[atom], abs=2e-3 + 0.05 * abs(slope))


def test_occlusion_is_the_score_without_the_atoms() -> None:
    """The same as scoring a complex that never had them, centred where the whole ligand is."""
    receptor, ligand = toy(np.random.default_rng(6), True)
    whole = WeightedImager(ByElement(), BOX, receptor, ligand)
    scorer = OutputScorer(network_without_biases(4), 0, whole)
    rotations = rotations_of(fixed_views(0, 2))
    group = np.array([3, 4, 5])
    drops, score = occlusion(scorer, rotations, [group])
    keep = np.setdiff1d(np.arange(len(receptor)), group)
    without = WeightedImager(
        ByElement(), BOX, atoms("receptor", receptor.xyz[keep], receptor.element[keep]), ligand
    )
    expected = OutputScorer(scorer.network, 0, without).scores(rotations).mean()
    assert drops[0] == pytest.approx(score - expected, abs=1e-5)


def test_the_box_stays_where_it_is_when_ligand_atoms_go() -> None:
    receptor, ligand = toy(np.random.default_rng(6), True)
    for featurizer in (ByElement(), OwnImage()):
        imager = WeightedImager(featurizer, BOX, receptor, ligand)
        weights = np.ones((2, imager.n), np.float32)
        weights[1, -1] = 0.0
        image = imager.images(np.repeat(rotations_of(fixed_views(0, 2))[1:], 2, axis=0), weights)
        np.testing.assert_allclose(image[0, ..., :3], image[1, ..., :3], atol=1e-5)
        assert image[0, ..., 3].sum() > image[1, ..., 3].sum()


def test_an_image_made_on_the_host_has_occlusion_only() -> None:
    scorer = OutputScorer(
        network_without_biases(4), 0, WeightedImager(OwnImage(), BOX, *toy(np.random.default_rng(6), True))
    )
    drops, _ = occlusion(scorer, rotations_of(fixed_views(0, 1)), [np.array([0]), np.array([24])])
    assert np.isfinite(drops).all() and drops.any()
    with pytest.raises(AffinityZooError, match="occlusion"):
        gradients(scorer, rotations_of(fixed_views(0, 1)))


def test_atoms_that_no_view_sees_count_for_nothing() -> None:
    receptor, ligand = toy(np.random.default_rng(6), True)
    far = atoms("receptor", np.vstack([receptor.xyz, [[60, 0, 0]]]), [*receptor.element, 7])
    imager = WeightedImager(ByElement(), BOX, far, ligand)
    assert 24 not in imager.seen
    scorer = OutputScorer(network_without_biases(4), 0, imager)
    assert gradients(scorer, rotations_of(fixed_views(0, 1)), 1).gradient[24] == 0
    assert occlusion(scorer, rotations_of(fixed_views(0, 1)), [np.array([24])])[0][0] == 0


@pytest.mark.parametrize("backend", NAMES[1:])
def test_other_backends_give_the_same_gradients(backend: str) -> None:
    pytest.importorskip(backend)
    code = (
        "import numpy as np, keras\n"
        "from affinity_zoo.zoo.runtime.gradients import value_and_gradient\n"
        "x = np.arange(8, dtype='float32').reshape(1, 2, 2, 2, 1)\n"
        "net = keras.Sequential([keras.layers.Conv3D(1, 2, use_bias=False, kernel_initializer='ones'),"
        " keras.layers.Flatten()])\n"
        "v, g = value_and_gradient(lambda t: net(t * t)[:, 0], x)\n"
        "assert v.shape == (1,) and abs(v[0] - 140) < 1e-4, v\n"
        "np.testing.assert_allclose(g, 2 * x)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
