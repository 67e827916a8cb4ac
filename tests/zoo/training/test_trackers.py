"""Experiment trackers: MLflow on a local file store, a class of one's own, and names that are none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.models.recipe import BoxChoice, Recipe
from affinity_zoo.zoo.models.run_folder import RunFolder
from affinity_zoo.zoo.training.trackers import MlflowTracker, find_tracker


def test_mlflow_gets_recipe_curves_and_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A training that is stopped after an epoch and resumed is one run there."""
    mlflow = pytest.importorskip("mlflow", reason="the extra mlflow is not installed")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "store").as_uri())
    monkeypatch.chdir(tmp_path)
    run = RunFolder.create(tmp_path / "runs")
    recipe = Recipe(box=BoxChoice(24, 1.0)).with_training(epochs=2)
    first = find_tracker("mlflow")
    assert isinstance(first, MlflowTracker)
    first.started(run, recipe)
    first.epoch(1, {"loss": 0.7}, {"loss": 0.8, "roc-auc": float("nan")})
    again = find_tracker("mlflow")
    again.started(run, recipe)
    assert again.epoch(2, {"loss": 0.5}, {"loss": 0.6, "roc-auc": 0.9}) == ""
    run.model.mkdir()
    (run.model / "card.json").write_text("{}")
    again.finished(run)
    found = mlflow.MlflowClient()
    experiment = found.get_experiment_by_name("affinity-zoo")
    (one,) = found.search_runs([experiment.experiment_id])
    assert one.info.status == "FINISHED" and one.data.params["training.epochs"] == "2"
    assert one.data.params["box.side"] == "24"
    points = found.get_metric_history(one.info.run_id, "train/loss")
    assert [(point.step, point.value) for point in points] == [(1, 0.7), (2, 0.5)]
    assert one.data.metrics["validation/roc-auc"] == 0.9  # what is no number is left out
    assert [file.path for file in found.list_artifacts(one.info.run_id)] == ["card.json"]


def test_a_class_of_ones_own_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "my_tracker.py").write_text(
        "from affinity_zoo.zoo.training.watch import Watcher\nclass Own(Watcher):\n    pass\nclass Other:\n    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert type(find_tracker("my_tracker:Own")).__name__ == "Own"
    for name, words in (("my_tracker:Other", "is not a subclass of"), ("my_tracker:None_", "has no attribute"),
                        ("no_such_module:X", "No module named"), ("wandb", "there are mlflow")):  # fmt: skip
        with pytest.raises(UsageError, match=words):
            find_tracker(name)


def test_an_unknown_tracker_is_said_before_the_training(
    small_data: Path, tmp_path: Path, cli: Callable[..., Any]
) -> None:
    done = cli(
        "train",
        small_data,
        "-f",
        "element-tag",
        "-a",
        "cnn4",
        "--tracker",
        "magic",
        "--runs",
        tmp_path / "runs",
    )
    assert done.code == 2 and "there are mlflow" in done.err
    assert not (tmp_path / "runs").exists()
