"""Exports are run and compared with Keras before they are kept."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from affinity_zoo.featurizers import layers
from affinity_zoo.plugins.contracts import Box
from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.catalog.registry import catalog
from affinity_zoo.zoo.export import export as module
from affinity_zoo.zoo.export.export import check_export_file, export, probe
from affinity_zoo.zoo.inference.reference import write_reference
from affinity_zoo.zoo.models.loading import Model
from affinity_zoo.zoo.models.recipe import Recipe
from affinity_zoo.zoo.models.scoring_model import ScoringModel

CARD = {
    "name": "made",
    "outputs": [{"name": "pose", "unit": "logit", "direction": "higher is better"}],
    "logit_correction": 0.5,
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """An untrained model of a small box: atom types, a residual network."""
    keras.utils.set_random_seed(0)
    featurizer = catalog().create("featurizer", "atom-types", {})
    architecture = catalog().create("architecture", "resnet3d", {"filters": 4})
    box = Box(10, 1.5)
    network = architecture.build((10, 10, 10, 28))
    scoring = ScoringModel(network, layers.for_featurizer(featurizer, box), name="scoring_model")
    folder = tmp_path_factory.mktemp("model")
    write_reference(folder, scoring, featurizer, box, ("pose",))
    return Model(scoring, featurizer, architecture, box, Recipe(), CARD, folder)


def test_the_tried_batch_is_the_same_from_atoms_and_as_image(model: Model) -> None:
    image, atoms = probe(model, "host"), probe(model, "device")
    assert (
        image["image"].shape == (3, 10, 10, 10, 28) and image["image"].max() > 3.5
    )  # four atoms in one place
    assert np.asarray(model.network(atoms)) == pytest.approx(np.asarray(model.network(image)), abs=1e-4)


@pytest.mark.parametrize("source", ["image", "atoms"])
def test_savedmodel(model: Model, tmp_path: Path, source: str) -> None:
    import tensorflow as tf

    told = export(model, tmp_path / "saved", format="savedmodel", source=source)
    assert told.difference < 1e-4 and told.tried == 3
    beside = json.loads((tmp_path / "saved.json").read_text())
    assert (
        beside["outputs"] == CARD["outputs"] and beside["box"]["side"] == 10 and len(beside["channels"]) == 28
    )
    assert all(shape[0] is None for _, shape in beside["inputs"].values())
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    inputs = probe(model, "host" if source == "image" else "device")
    one = {name: tf.constant(array[:1]) for name, array in inputs.items()}  # another number of samples
    found = loaded.serve(one["image"] if source == "image" else one)
    assert np.asarray(found) == pytest.approx(np.asarray(model.network(inputs))[:1], abs=1e-4)
    assert all(one.ok for one in check_export_file(model, tmp_path / "saved"))
    export(model, tmp_path / "saved", format="savedmodel")  # again, over the old one
    assert not list(tmp_path.glob("*.tmp-*"))


def test_onnx(model: Model, tmp_path: Path) -> None:
    for package in ("tf2onnx", "onnx", "onnxruntime"):
        pytest.importorskip(package, reason="pip install '.[onnx]'")
    import onnxruntime

    told = export(model, tmp_path / "network.onnx")
    assert told.difference < 1e-4
    assert all(one.ok for one in check_export_file(model, tmp_path / "network.onnx"))
    session = onnxruntime.InferenceSession(tmp_path / "network.onnx", providers=["CPUExecutionProvider"])
    image = probe(model, "host")["image"][:2]
    (found,) = session.run(None, {session.get_inputs()[0].name: image})
    assert found == pytest.approx(np.asarray(model.network({"image": image})), abs=1e-4)


def test_what_differs_is_not_kept(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_run_savedmodel", lambda part, inputs: np.full((3, 1), 99.0))
    with pytest.raises(AffinityZooError, match="differs from Keras by"):
        export(model, tmp_path / "saved", format="savedmodel")
    monkeypatch.setattr(module, "_run_savedmodel", lambda part, inputs: np.zeros((3, 2)))
    with pytest.raises(AffinityZooError, match="nothing was kept"):
        export(model, tmp_path / "saved", format="savedmodel")
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_is_said(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="`format` is one of onnx, savedmodel"):
        export(model, tmp_path / "x", format="tflite")
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(
        AffinityZooError, match=r"tf2onnx, onnx, onnxruntime: pip install 'affinity-zoo\[onnx\]'"
    ):
        export(model, tmp_path / "x")
    monkeypatch.setattr(module, "find_spec", lambda name: object())
    with pytest.raises(AffinityZooError, match="cannot be converted to ONNX"):
        export(model, tmp_path / "x", source="atoms")
    monkeypatch.setattr(module, "_write_onnx", lambda *rest: 1 / 0)
    with pytest.raises(AffinityZooError, match="cannot be exported: ZeroDivisionError"):
        export(model, tmp_path / "x")
