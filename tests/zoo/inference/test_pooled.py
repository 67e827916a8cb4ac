"""A network that begins with average pooling gets its images pooled: the same scores, less work."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from affinity_zoo.featurizers.atom_types import AtomTypes
from affinity_zoo.plugins.contracts import Box
from affinity_zoo.zoo.inference.pooled import without_pooling
from affinity_zoo.zoo.inference.ready import ready
from affinity_zoo.zoo.models.loading import load_model
from affinity_zoo.zoo.prediction import predict
from affinity_zoo.zoo.speed.scoring import random_model


def _network(pooling: keras.layers.Layer, side: int = 8, branch: bool = False) -> keras.Model:
    image = keras.Input((side, side, side, 28))
    x = keras.layers.Conv3D(2, 3, padding="same")(pooling(image))
    x = keras.layers.Flatten()(x)
    if branch:
        x = keras.layers.Concatenate()([x, keras.layers.GlobalMaxPooling3D()(image)])
    return keras.Model(image, keras.layers.Dense(1)(x))


def test_only_average_pooling_that_alone_sees_the_image_is_left_out() -> None:
    featurizer, box = AtomTypes(), Box(8, 1.0)
    average = keras.layers.AveragePooling3D
    network = _network(average(2))
    rest = without_pooling(network, featurizer, box)
    image = np.random.default_rng(0).random((3, 8, 8, 8, 28)).astype(np.float32)
    pooled = image.reshape(3, 4, 2, 4, 2, 4, 2, 28).mean(axis=(2, 4, 6))
    np.testing.assert_allclose(rest.predict_on_batch(pooled), network.predict_on_batch(image), atol=1e-5)
    for other in (keras.layers.MaxPooling3D(2), average(3), average(2, strides=1)):
        assert without_pooling(_network(other), featurizer, box) is None
    assert without_pooling(_network(average(2), branch=True), featurizer, box) is None
    assert without_pooling(network, featurizer, Box(7, 1.0)) is None


def test_scores_are_the_same(real_complex, small_set, tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    model = load_model(random_model(tmp_path / "default2018"))
    receptor, poses = real_complex.receptor, small_set / "docked_ligands" / real_complex.receptor.stem
    assert ready(model).pooled is not None
    pooled = predict(model, receptor, poses, views=2)
    monkeypatch.setattr("affinity_zoo.zoo.inference.ready.after_pooling", lambda model: None)
    plain = predict(model, receptor, poses, views=2)
    assert [row.id for row in pooled] == [row.id for row in plain]
    for one, other in zip(pooled, plain, strict=True):
        assert one.pose_logit == pytest.approx(other.pose_logit, abs=1e-4)
        assert one.affinity_pk == pytest.approx(other.affinity_pk, abs=1e-4)
