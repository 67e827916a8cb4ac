"""Run folders, checkpoints and recipes as files."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import pytest

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.models.recipe import Recipe, presets, read_recipe
from affinity_zoo.zoo.models.run_folder import RunFolder, all_runs
from affinity_zoo.zoo.training import checkpoints


def test_runs_are_numbered_and_never_shared(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: RunFolder.create(tmp_path / "summaries"), range(24)))
    assert sorted(run.x for run in runs) == list(range(1, 25))
    for kind in ("logs", "netstate", "train", "test"):
        assert (tmp_path / "summaries" / f"7_{kind}").is_dir()
    assert [run.x for run in all_runs(tmp_path / "summaries")] == list(range(1, 25))


def test_a_run_is_found_by_number_and_by_folder(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path)
    assert RunFolder.find("1", tmp_path).logs == run.logs
    assert RunFolder.find(run.netstate).x == 1
    with pytest.raises(AffinityZooError, match="there is no run 5.*runs: 1"):
        RunFolder.find("5", tmp_path)
    with pytest.raises(AffinityZooError, match="is not a run"):
        RunFolder.find(tmp_path)


def _model(units: int = 3) -> keras.Model:
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(units), keras.layers.BatchNormalization()]
    )
    model.compile(keras.optimizers.Adam(0.1), loss="mse")
    return model


def test_checkpoint_restores_weights_and_optimizer(tmp_path: Path) -> None:
    model, x = _model(), np.random.default_rng(0).random((8, 4), np.float32)
    model.fit(x, x[:, :3], epochs=2, verbose=0)
    checkpoints.save(tmp_path, 2, model, {"best_epoch": 2}, keep=set())
    other = _model()
    assert checkpoints.load(tmp_path, checkpoints.latest(tmp_path), other) == {"best_epoch": 2}  # type: ignore[arg-type]
    for a, b in zip(model.variables, other.variables, strict=True):
        assert np.array_equal(a, b)
    model.fit(x, x[:, :3], epochs=1, verbose=0, shuffle=False)
    other.fit(x, x[:, :3], epochs=1, verbose=0, shuffle=False)
    assert np.array_equal(model.get_weights()[0], other.get_weights()[0])


def test_only_the_last_and_the_kept_checkpoints_stay(tmp_path: Path) -> None:
    model = _model()
    model.optimizer.build(model.trainable_variables)
    for epoch in range(1, 6):
        checkpoints.save(tmp_path, epoch, model, {}, keep={2})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["epoch-00002.npz", "epoch-00005.npz"]


def test_half_written_and_foreign_checkpoints(tmp_path: Path) -> None:
    model = _model()
    model.optimizer.build(model.trainable_variables)
    path = checkpoints.save(tmp_path, 1, model, {}, keep=set())
    (tmp_path / f"epoch-00002.npz.tmp-{os.getpid()}").write_bytes(b"half")
    assert checkpoints.latest(tmp_path) == 1
    with pytest.raises(AffinityZooError, match="cannot be restored.*has shape"):
        checkpoints.load(tmp_path, 1, _model(units=5))
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(AffinityZooError, match="cannot be restored"):
        checkpoints.load(tmp_path, 1, _model())


def test_recipe_round_trip(tmp_path: Path) -> None:
    recipe = read_recipe("ancestor").with_training(epochs=3, seed=None)
    assert recipe.training.epochs == 3 and recipe.training.seed == 0
    recipe.write(tmp_path / "recipe.toml")
    again = read_recipe(tmp_path / "recipe.toml")
    again.write(tmp_path / "again.toml")
    assert (tmp_path / "again.toml").read_bytes() == (tmp_path / "recipe.toml").read_bytes()
    assert again.training == recipe.training


def test_the_ancestors_recipe_is_the_ancestors_setting() -> None:
    recipe = read_recipe("ancestor")
    assert "ancestor" in presets()
    assert (recipe.featurizer.name, recipe.architecture.name) == ("element-tag", "cnn4")
    assert (recipe.box.side, recipe.box.spacing) == (40, 0.5)
    training = recipe.training
    assert (training.false_positive_weight, training.balance, training.batch_size) == (10.0, "oversample", 50)
    assert (training.learning_rate, training.optimizer, training.sources) == (
        1e-4,
        "adam",
        ("crystal", "docked"),
    )
    assert recipe.architecture.options["dropout"] == 0.5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense = ", "not TOML"),
        ("[trainning]\nepochs = 3", "unknown table .trainning."),
        ("[training]\nepoch = 3", "no field 'epoch'.*epochs"),
        ("[training]\nepochs = 'three'", "epochs is 'three': expected int, got str"),
        ("[training]\nbalance = 'maybe'", "balance is 'maybe': expected one of none, oversample"),
    ],
)
def test_bad_recipes_are_a_sentence(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        read_recipe(path)


def test_unknown_recipe_names_the_presets() -> None:
    with pytest.raises(UsageError, match="no recipe 'ancester'.*ancestor"):
        read_recipe("ancester")


@pytest.mark.parametrize("field", ["epochs", "batch_size", "learning_rate", "false_positive_weight"])
def test_impossible_numbers_are_refused(field: str) -> None:
    with pytest.raises(UsageError, match=f"`{field}` is 0: expected"):
        Recipe().with_training(**{field: 0})
