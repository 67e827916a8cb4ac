"""Scoring in half precision: the same network with the normalisation folded in, and scores that differ slightly."""

from __future__ import annotations

import csv
from pathlib import Path

import keras
import numpy as np
import pytest

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.catalog.registry import catalog
from affinity_zoo.zoo.inference.half_precision import check_half_precision, folded, in_half_precision
from affinity_zoo.zoo.inference.ready import ready
from affinity_zoo.zoo.models.loading import load_model
from affinity_zoo.zoo.models.scoring_model import ScoringModel
from affinity_zoo.zoo.prediction import predict
from affinity_zoo.zoo.runtime.backends import active_backend
from affinity_zoo.zoo.speed.scoring import random_model

SIDE = 24
ARCHITECTURES = (
    "resnet3d",
    "densenet3d",
    "cnn4",
    "pafnucy",
    "gnina-default2017",
    "gnina-default2018",
    "gnina-dense",
)
needs_bfloat16 = pytest.mark.skipif(
    not active_backend().fast_bfloat16(), reason="this device has no instructions for bfloat16"
)


def _network(name: str, **options: object) -> keras.Model:
    """A network whose normalisation layers have statistics and factors as a training could leave them."""
    network = (
        catalog().create("architecture", name, options).build((SIDE, SIDE, SIDE, 3), ("pose", "affinity"))
    )
    rng = np.random.default_rng(0)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    return network


def _images(channels: int, side: int = SIDE) -> np.ndarray:
    rng = np.random.default_rng(1)
    shape = (4, side, side, side, channels)
    return (rng.random(shape) * (rng.random(shape) < 0.05)).astype(np.float32)


def _normalisations(network: keras.Model) -> int:
    return sum(isinstance(layer, keras.layers.BatchNormalization) for layer in network.layers)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_folding_the_normalisation_keeps_the_outputs(name: str) -> None:
    network = _network(name)
    expected = network.predict_on_batch(_images(3))
    found = folded(network).predict_on_batch(_images(3))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


def test_all_of_a_residual_network_is_folded() -> None:
    network = _network("resnet3d", filters=4, stages=3)
    assert _normalisations(network) > 8 and _normalisations(folded(network)) == 0


@needs_bfloat16
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_in_bfloat16_outputs_are_float32_and_close(name: str) -> None:
    network = _network(name)
    made = folded(network, "mixed_bfloat16")
    expected, found = (net.predict_on_batch(_images(3)) for net in (network, made))
    assert found.dtype == np.float32 and {str(w.dtype) for w in made.weights} == {"float32"}
    assert any(layer.compute_dtype == "bfloat16" for layer in made.layers)
    # bfloat16 has 8 bits: numbers that are float32 are no multiples of its steps
    assert np.any(found != np.asarray(keras.ops.cast(keras.ops.cast(found, "bfloat16"), "float32")))
    np.testing.assert_allclose(found, expected, atol=0.05 * np.abs(expected).max())


def test_only_a_normalisation_that_alone_sees_the_convolution_is_folded() -> None:
    layers = keras.layers

    class Own(keras.layers.Conv3D):
        """A layer of a plugin, which may do anything."""

    image = keras.Input((6, 6, 6, 2))
    seen_twice = layers.Conv3D(3, 3, name="seen_twice")(image)
    kept = [
        seen_twice,
        layers.Conv3D(3, 3, activation="relu", name="active")(image),
        Own(3, 3, name="own")(image),
    ]
    normalised = [layers.BatchNormalization()(t) for t in kept]
    by_place = layers.BatchNormalization(axis=1)(layers.Conv3D(4, 3, name="by_place")(image))
    used_twice = layers.Conv3D(2, 3, padding="same", name="used_twice")
    y = layers.BatchNormalization()(used_twice(used_twice(image)))
    bare = layers.Conv3D(2, 1, use_bias=False, name="bare")(y)
    wide = layers.Conv3D(2, 3, dilation_rate=2, groups=2, padding="same", name="wide")(image)
    z = layers.BatchNormalization(scale=False, center=False)(bare) + layers.BatchNormalization()(wide)
    images = [layers.Concatenate()([*normalised, seen_twice]), by_place, z]
    pooled = [layers.GlobalAveragePooling3D()(t) for t in images]
    network = keras.Model(image, layers.Dense(2)(layers.Concatenate()(pooled)))
    rng = np.random.default_rng(2)
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    made = folded(network)
    assert _normalisations(network) == 7 and _normalisations(made) == 5  # "bare" and "wide" are folded
    np.testing.assert_allclose(
        made.predict_on_batch(_images(2, 6)), network.predict_on_batch(_images(2, 6)), rtol=1e-4, atol=1e-5
    )


@needs_bfloat16
def test_scores_differ_slightly_and_do_not_depend_on_other_poses(real_complex, small_set: Path) -> None:  # type: ignore[no-untyped-def]
    receptor, poses = real_complex.receptor, small_set / "docked_ligands" / real_complex.receptor.stem
    whole = {row.id: row for row in predict("zoo-small", receptor, poses)}
    half = {row.id: row for row in predict("zoo-small", receptor, poses, mixed_precision=True)}
    assert whole.keys() == half.keys()
    for name, row in whole.items():
        assert half[name].pose_logit == pytest.approx(row.pose_logit, abs=0.1)
        assert half[name].affinity_pk == pytest.approx(row.affinity_pk, abs=0.05)
        assert half[name].rmsd_expected == pytest.approx(row.rmsd_expected, abs=0.1)
    assert any(half[name].pose_logit != row.pose_logit for name, row in whole.items())
    [one, *_] = sorted(poses.iterdir())
    [alone] = predict("zoo-small", receptor, one, mixed_precision=True, batch_size=3)
    [same] = [row for row in half.values() if row.file == alone.file]
    assert (same.pose_logit, same.affinity_pk, same.pose_logit_sd) == (
        alone.pose_logit, alone.affinity_pk, alone.pose_logit_sd,
    )  # fmt: skip


@needs_bfloat16
def test_the_command_says_so_and_parts_of_another_precision_are_refused(  # type: ignore[no-untyped-def]
    real_complex, small_set: Path, tmp_path: Path, cli
) -> None:
    poses, out = small_set / "docked_ligands" / real_complex.receptor.stem, tmp_path / "ranked.csv"
    call = ("predict", "zoo-small", real_complex.receptor, poses, "--views", 1, "--mixed-precision")
    done = cli(*call, "-o", out)
    assert done.code == 0 and "bfloat16" in done.out + done.err
    with out.open(newline="") as file:
        assert all(row["status"] == "ok" for row in csv.DictReader(file))
    parts = [tmp_path / f"{k}.csv" for k in (1, 2)]
    assert cli(*call, "--shard", "1/2", "-o", parts[0]).code == 0
    assert cli(*call[:-1], "--shard", "2/2", "-o", parts[1]).code == 0
    refused = cli("merge", *parts, "-o", tmp_path / "merged.csv")
    assert refused.code != 0 and "2.csv" in refused.err


@needs_bfloat16
def test_a_model_that_gets_pooled_images_is_halved_too(real_complex, small_set: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    model = load_model(random_model(tmp_path / "default2018"))
    assert ready(model).pooled is not None
    receptor, poses = real_complex.receptor, small_set / "docked_ligands" / real_complex.receptor.stem
    whole, half = (predict(model, receptor, poses, views=1, mixed_precision=mixed) for mixed in (False, True))
    by_id = {row.id: row for row in half}
    for row in whole:
        assert by_id[row.id].pose_logit == pytest.approx(row.pose_logit, abs=0.05)
        assert by_id[row.id].affinity_pk == pytest.approx(row.affinity_pk, abs=0.05)
    assert any(by_id[row.id].pose_logit != row.pose_logit for row in whole)


def test_where_it_cannot_work_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    class Own(keras.Model):
        """A network that is not functional."""

    backend, model = type(active_backend()), load_model("zoo-small").network
    monkeypatch.setattr(backend, "fast_bfloat16", lambda self: False)
    with pytest.raises(UsageError, match="leave it out"):
        check_half_precision(model, "zoo-small")
    monkeypatch.setattr(backend, "fast_bfloat16", lambda self: True)
    check_half_precision(model, "zoo-small")
    with pytest.raises(UsageError, match="functional API, and mine's is not"):
        check_half_precision(ScoringModel(Own()), "mine")


def test_a_model_is_made_once() -> None:
    model = load_model("zoo-small").network
    assert in_half_precision(model) is in_half_precision(model)
