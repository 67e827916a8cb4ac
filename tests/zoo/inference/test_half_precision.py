"""Scoring in half precision: the same network with the normalisation folded in, and scores that differ by rounding."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.catalog.registry import catalog
from affinity_zoo.zoo.inference.half_precision import halved, in_half_precision
from affinity_zoo.zoo.models.loading import load_model
from affinity_zoo.zoo.prediction import predict
from affinity_zoo.zoo.runtime.backends import active_backend

SIDE = 24


def _random(network: keras.Model) -> keras.Model:
    """Give the normalisation layers statistics and factors as a training could leave them."""
    rng = np.random.default_rng(0)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    return network


def _images(channels: int, side: int = SIDE) -> np.ndarray:
    rng = np.random.default_rng(1)
    shape = (4, side, side, side, channels)
    return (rng.random(shape) * (rng.random(shape) < 0.05)).astype(np.float32)


@pytest.mark.parametrize(
    "name", ["resnet3d", "densenet3d", "cnn4", "pafnucy", "gnina-default2018", "gnina-dense"]
)
def test_folding_the_normalisation_keeps_the_outputs(name: str) -> None:
    architecture = catalog().create("architecture", name, {})
    network = _random(architecture.build((SIDE, SIDE, SIDE, 3), ("pose", "affinity")))
    images = _images(3)
    expected = network.predict_on_batch(images)
    found = halved(network, "float32").predict_on_batch(images)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


def test_only_a_normalisation_that_alone_sees_the_convolution_is_folded() -> None:
    layers = keras.layers
    image = keras.Input((6, 6, 6, 2))
    seen_twice = layers.Conv3D(3, 3, name="seen_twice")(image)
    active = layers.Conv3D(3, 3, activation="relu", name="active")(image)
    plain = layers.Conv3D(3, 3, name="plain")(image)
    used_twice = layers.Conv3D(2, 3, padding="same", name="used_twice")
    x = layers.Concatenate()(
        [layers.BatchNormalization()(t) for t in (seen_twice, active, plain)] + [seen_twice]
    )
    y = layers.BatchNormalization()(used_twice(used_twice(image)))
    z = layers.BatchNormalization(scale=False, center=False)(
        layers.Conv3D(2, 1, use_bias=False, name="bare")(y)
    )
    pooled = [layers.GlobalAveragePooling3D()(t) for t in (x, z)]
    network = _random(keras.Model(image, layers.Dense(2)(layers.Concatenate()(pooled))))
    images = _images(2, 6)
    made = halved(network, "float32")
    kept = [layer for layer in made.layers if isinstance(layer, layers.BatchNormalization)]
    assert len(kept) == 3  # after seen_twice, active and used_twice
    np.testing.assert_allclose(
        made.predict_on_batch(images), network.predict_on_batch(images), rtol=1e-4, atol=1e-5
    )


def test_convolutions_are_halved_and_the_outputs_are_not() -> None:
    network = catalog().create("architecture", "resnet3d", {"filters": 4}).build((SIDE, SIDE, SIDE, 3))
    made = halved(network, "mixed_bfloat16")
    computed = {type(layer).__name__: layer.compute_dtype for layer in made.layers}
    assert computed["Conv3D"] == computed["ReLU"] == computed["Add"] == "bfloat16"
    assert computed["Dense"] == computed["GlobalAveragePooling3D"] == "float32"
    assert {str(w.dtype) for w in made.weights} == {"float32"}
    assert made.predict_on_batch(_images(3)).dtype == np.float32


def test_scores_differ_by_rounding(real_complex, small_set: Path) -> None:  # type: ignore[no-untyped-def]
    if active_backend().scoring_half_precision() is None:
        pytest.skip("this device has no half precision for scoring")
    receptor, poses = real_complex.receptor, small_set / "docked_ligands" / real_complex.receptor.stem
    whole, half = (predict("zoo-small", receptor, poses, mixed_precision=mixed) for mixed in (False, True))
    assert {row.id for row in whole} == {row.id for row in half}
    by_id = {row.id: row for row in half}
    for row in whole:
        assert by_id[row.id].pose_logit == pytest.approx(row.pose_logit, abs=0.1)
        assert by_id[row.id].affinity_pk == pytest.approx(row.affinity_pk, abs=0.05)
    assert any(by_id[row.id].pose_logit != row.pose_logit for row in whole)


def test_a_device_without_half_precision_is_an_error(
    monkeypatch: pytest.MonkeyPatch, small_set: Path
) -> None:
    model = load_model("zoo-small")
    monkeypatch.setattr(type(active_backend()), "scoring_half_precision", lambda self: None)
    with pytest.raises(UsageError, match="leave it out"):
        in_half_precision(model.network)


def test_a_network_of_its_own_class_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from affinity_zoo.zoo.models.scoring_model import ScoringModel

    class Own(keras.Model):
        pass

    monkeypatch.setattr(type(active_backend()), "scoring_half_precision", lambda self: "bfloat16")
    with pytest.raises(UsageError, match="functional API"):
        in_half_precision(ScoringModel(Own()))
