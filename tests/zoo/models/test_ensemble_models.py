"""Real models in ensembles: loaded, judged and imported as one."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from affinity_zoo.featurizers import layers
from affinity_zoo.plugins.contracts import Box
from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.catalog.registry import catalog
from affinity_zoo.zoo.importers import gnina as gnina_import
from affinity_zoo.zoo.models.ensembles import mean_logit, write_ensemble
from affinity_zoo.zoo.models.loading import load_models, save_model
from affinity_zoo.zoo.models.recipe import BoxChoice, Choice, Recipe
from affinity_zoo.zoo.models.scoring_model import ScoringModel

OUTPUTS = [{"name": "pose", "unit": "logit", "direction": "higher is better"}]


def small_model(folder: Path, seed: int, correction: float = 0.0) -> Path:
    """An untrained model of a small box."""
    keras.utils.set_random_seed(seed)
    featurizer = catalog().create("featurizer", "element-tag", {})
    network = catalog().create("architecture", "cnn4", {}).build((8, 8, 8, 1))
    model = ScoringModel(network, layers.for_featurizer(featurizer, Box(8, 2.0)), name="scoring_model")
    recipe = Recipe(Choice("element-tag"), Choice("cnn4"), BoxChoice(8, 2.0))
    card = {
        "name": f"made {seed}", "outputs": OUTPUTS, "logit_correction": correction, "threshold": 0.5, "epoch": 1,
    }  # fmt: skip
    pairs = [{"id": f"pair-{seed}", "target": "t", "coordinates": "c"}]
    save_model(folder, model, recipe, card, pairs)
    return folder


@pytest.fixture(scope="module")
def ensemble(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ensemble") / "both"
    for seed in (1, 2):
        small_model(folder / f"m{seed}", seed, correction=0.25 * seed)
    write_ensemble(folder, "both", ["m1", "m2"])
    return folder


def test_members_are_loaded(ensemble: Path) -> None:
    assert [model.card["name"] for model in load_models([ensemble, ensemble / "m1"])] == ["made 1", "made 2"]


def test_an_ensemble_is_judged_as_one(ensemble: Path, small_data: Path, tmp_path: Path) -> None:
    from affinity_zoo.zoo.evaluation.run import evaluate

    scores = []
    for folder in (ensemble / "m1", ensemble / "m2", ensemble):
        result = evaluate(folder, small_data, split="all", views=2, runs=tmp_path)
        scores.append(result.predictions().score)
    assert scores[2] == pytest.approx(mean_logit(np.stack(scores[:2]), [0.25, 0.5]), abs=1e-6)
    assert result.model["note"] == "ensemble of 2" and result.model["name"] == "both"
    assert result.data["overlap"]["id"]["verdict"] == "none"  # both members' pairs are known
    assert (tmp_path / "models" / "both" / "training_pairs.csv").read_text().count("pair-") == 2


def _state_dict(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    weights = {}
    shapes = zip("12345", (32, 32, 64, 64, 128), (28, 32, 32, 64, 64), (3, 1, 3, 1, 3), strict=True)
    for number, out, fan_in, width in shapes:
        weights[f"unit{number}_conv.weight"] = rng.normal(0, 0.05, (out, fan_in, width, width, width))
        weights[f"unit{number}_conv.bias"] = np.zeros(out)
    for name, out in (("pose_output", 2), ("affinity_output", 1)):
        weights[f"{name}.weight"] = rng.normal(0, 0.01, (out, 27_648))
        weights[f"{name}.bias"] = np.zeros(out)
    return {name: value.astype(np.float32) for name, value in weights.items()}


def test_import_gnina_makes_an_ensemble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.pt").write_bytes(name.encode())
    monkeypatch.setattr(gnina_import, "read_weights", lambda path: _state_dict(ord(path.stem)))
    files = [tmp_path / "b.pt", tmp_path / "a.pt"]
    (folder,) = gnina_import.import_gnina(files, tmp_path / "out", ensemble="pair")
    models = load_models([folder])
    assert [model.folder.name for model in models] == ["b", "a"]
    assert [output["name"] for output in models[0].card["outputs"]] == ["pose", "affinity"]
    with pytest.raises(UsageError, match="name of a folder"):
        gnina_import.import_gnina(files, tmp_path, ensemble="../up")
    with pytest.raises(UsageError, match="same name"):
        gnina_import.import_gnina([files[0], tmp_path / "other" / "b.pt"], tmp_path)
