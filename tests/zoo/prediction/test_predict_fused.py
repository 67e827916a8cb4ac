"""A network that begins with average pooling gets its images pooled: the same scores, less work."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from affinity_zoo.featurizers.atom_types import AtomTypes
from affinity_zoo.plugins.contracts import Box
from affinity_zoo.zoo.prediction import members, predict
from affinity_zoo.zoo.prediction.fused import after_pooling


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
    rest = after_pooling(network, featurizer, box)
    image = np.random.default_rng(0).random((3, 8, 8, 8, 28)).astype(np.float32)
    pooled = image.reshape(3, 4, 2, 4, 2, 4, 2, 28).mean(axis=(2, 4, 6))
    np.testing.assert_allclose(rest.predict_on_batch(pooled), network.predict_on_batch(image), atol=1e-5)
    for other in (keras.layers.MaxPooling3D(2), average(3), average(2, strides=1)):
        assert after_pooling(_network(other), featurizer, box) is None
    assert after_pooling(_network(average(2), branch=True), featurizer, box) is None
    assert after_pooling(network, featurizer, Box(7, 1.0)) is None


def test_scores_are_the_same(receptor, block, write_sdf, tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    from affinity_zoo.zoo.speed.scoring import random_model

    model = random_model(tmp_path / "default2018")
    poses = write_sdf(tmp_path / "poses.sdf", block, 3)
    fused = predict(model, receptor, poses, views=2)
    (member,) = members.members([str(model.resolve())])
    assert member.pooled is not None
    slow = members.Member(member.model, member.options, member.names, member.corrections)
    stamp = members._loaded[str(model.resolve())][0]
    monkeypatch.setitem(members._loaded, str(model.resolve()), (stamp, slow))
    plain = predict(model, receptor, poses, views=2)
    assert [row.record for row in fused] == [row.record for row in plain]
    for one, other in zip(fused, plain, strict=True):
        assert one.score == pytest.approx(other.score, abs=1e-4)
        assert one.affinity == pytest.approx(other.affinity, abs=1e-4)
