"""The whole road through the command line on real structures: train, evaluate, predict, leaderboard."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import affinity_zoo
from affinity_zoo.zoo.models.recipe import read_recipe

BAD_NUMBERS = """
from dataclasses import dataclass
from affinity_zoo.plugins import hookimpl
from affinity_zoo.plugins.contracts import Architecture

@dataclass(frozen=True)
class BadNumbers(Architecture):
    name = "bad-numbers"
    summary = "Its output grows beyond all bounds."

    def build(self, image_shape, outputs=("pose",)):
        import keras
        image = keras.Input(image_shape)
        x = keras.layers.Dense(len(outputs))(keras.layers.Flatten()(image))
        x = keras.layers.Rescaling(1e38)(keras.layers.Rescaling(1e38)(x))
        return keras.Model(image, x)

@hookimpl
def register_architectures():
    return [BadNumbers]
"""
SMALL = ("-f", "element-tag", "-a", "cnn4", "--box", "12x1.5", "--batch-size", 6)


@pytest.fixture(scope="module")
def runs(small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two short runs, evaluated, through the Python API."""
    root = tmp_path_factory.mktemp("road") / "summaries"
    for featurizer, architecture, options in (
        ("element-tag", "cnn4", {}),
        ("atom-types", "resnet3d", {"filters": 4}),
    ):
        run = affinity_zoo.train(
            small_data, featurizer, architecture, architecture_options=options, box=(12, 1.5), runs=root,
            epochs=2, batch_size=6, say=lambda line: None,
        )  # fmt: skip
        affinity_zoo.evaluate(run, small_data, split="all", views=2)
    return root


def test_a_run_leaves_the_ancestors_folders(runs: Path) -> None:
    for kind in ("logs", "netstate", "train", "test"):
        assert (runs / f"1_{kind}").is_dir()
    assert list((runs / "1_train").glob("events.out.tfevents.*")) and list((runs / "1_test").glob("events.*"))
    recipe = read_recipe(runs / "1_logs" / "recipe.toml")
    assert recipe.featurizer.name == "element-tag" and recipe.featurizer.distribution == "affinity-zoo"
    assert len(recipe.featurizer.encoding_hash) == 64 and recipe.data.n_train > 8
    history = json.loads((runs / "1_logs" / "history.json").read_text())
    assert [epoch["epoch"] for epoch in history["epochs"]] == [1, 2]
    assert "loss-shuffled-labels" in history["epochs"][0]["validation"]


def test_evaluate_writes_the_ancestors_files(runs: Path, small_data: Path) -> None:
    lines = (runs / "1_logs" / "1_predictions.txt").read_text().splitlines()
    assert len(lines) == 1 + len(affinity_zoo.Dataset.open(small_data))
    values = [float(line.split("\t")[1]) for line in lines[1:]]
    assert values == sorted(values, reverse=True)
    scores = (runs / "1_logs" / "1_scores.txt").read_text()
    assert "top_100_score" in scores and "confusion matrix: [[" in scores and "AUC" in scores


def test_leaderboard_names_the_parts_and_the_baselines(runs: Path, cli) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = cli("leaderboard", runs)
    assert code == 0
    for text in ("element-tag", "cnn4", "atom-types", "resnet3d", "(burial)", "(random)"):
        assert text in out
    assert "(contacts)" not in out  # the terminal shows the best two baselines and chance
    code, out, _ = cli("leaderboard", runs, "--baselines")
    assert code == 0 and "(contacts)" in out
    code, out, _ = cli("leaderboard", runs, "--json")
    assert code == 0 and json.loads(out)


def test_predict_gives_one_row_a_pose(runs: Path, small_set: Path, tmp_path: Path, cli) -> None:  # type: ignore[no-untyped-def]
    receptor = next((small_set / "receptors").glob("7pbl*"))
    poses = small_set / "docked_ligands" / receptor.stem
    (tmp_path / "broken.pdb").write_text("HETATM nonsense\n")
    out_file = tmp_path / "ranked.csv"
    code, _, err = cli(
        "predict", runs / "2_logs", "-r", receptor, "-l", poses, "-l", tmp_path / "broken.pdb", "-o", out_file
    )
    assert code == 3 and "broken.pdb" in err
    with out_file.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 and [row["status"] for row in rows] == ["ok", "ok", "ok", "failed"]
    scores = [float(row["pose_logit"]) for row in rows[:3]]
    assert scores == sorted(scores, reverse=True) and rows[3]["reason"]
    assert all(0 <= float(row["pose_probability"]) <= 1 for row in rows[:3])


def test_predict_agrees_with_evaluate(runs: Path, small_set: Path) -> None:
    """The same pose scored from its file and from the store: not one bit differs."""
    receptor = next((small_set / "receptors").glob("7pbl*"))
    pose = next((small_set / "crystal_ligands" / receptor.stem).iterdir())
    rows = affinity_zoo.predict(affinity_zoo.load_model(runs / "2_logs"), receptor, pose, views=3)
    result = affinity_zoo.evaluate(2, split="all", views=3, runs=runs)
    predictions = result.predictions()
    (row,) = rows
    (place,) = np.flatnonzero([pose.stem in str(i) for i in predictions.id])
    assert predictions.score[place] == row.pose_logit
    assert predictions.extra["probability"][place] == row.pose_probability
    assert predictions.extra["score_sd"][place] == row.pose_logit_sd > 0


def test_submission_lists_each_receptor_best_first(runs: Path, small_data: Path, tmp_path: Path, cli) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "submission.csv"
    code, _, _ = cli(
        "evaluate", 1, small_data, "--runs", runs, "--split", "all", "--views", 1, "--submission", path
    )
    assert code == 0
    lines = path.read_text().splitlines()
    targets = set(affinity_zoo.Dataset.open(small_data).column("target").tolist())
    assert lines[0] == "Id,Expected" and {line.split(",")[0] for line in lines[1:]} == targets


def test_json_stands_alone_on_stdout(
    runs: Path, small_data: Path, small_set: Path, tmp_path: Path, cli
) -> None:  # type: ignore[no-untyped-def]
    code, out, err = cli(
        "evaluate", runs / "1_netstate" / "model", small_data, "--split", "test", "--views", 1, "--json"
    )
    assert code == 0, err
    result = json.loads(out, parse_constant=_refuse)
    assert result["model"]["run"] == 1 and result["command"].startswith("affinity-zoo evaluate")
    receptor = next((small_set / "receptors").glob("7pbl*"))
    (tmp_path / "empty.sdf").touch()
    asked = (
        "predict",
        1,
        "--runs",
        runs,
        "-r",
        receptor,
        "-o",
        tmp_path / "ranked.csv",
        "--views",
        1,
        "--json",
    )
    code, out, _ = cli(
        *asked, "-l", small_set / "docked_ligands" / receptor.stem, "-l", tmp_path / "empty.sdf"
    )
    rows = json.loads(out, parse_constant=_refuse)
    assert code == 3 and [row["status"] for row in rows] == ["ok", "ok", "ok", "failed"]
    code, out, err = cli(*asked[:-1], "-l", tmp_path / "empty.sdf")
    assert code == 1 and "the file is empty" in err and "best" not in out


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


def test_receptor_without_atoms_is_a_sentence(runs: Path, small_set: Path, tmp_path: Path, cli) -> None:  # type: ignore[no-untyped-def]
    pose = next((small_set / "crystal_ligands").rglob("*.pdb"))
    (tmp_path / "junk.pdb").write_text("garbage\n")
    output = tmp_path / "ranked.csv"
    code, _, err = cli("predict", runs / "1_logs", "-r", tmp_path / "junk.pdb", "-l", pose, "-o", output)
    assert code == 1 and "junk.pdb" in err and "give --receptor" in err and not output.exists()


def test_resume_refuses_other_choices_and_touches_nothing(runs: Path, small_data: Path, cli) -> None:  # type: ignore[no-untyped-def]
    recipe = (runs / "1_logs" / "recipe.toml").read_bytes()
    for option, name in ((("--batch-size", 4), "batch_size"), (("-a", "resnet3d"), "resnet3d")):
        code, _, err = cli("train", small_data, "--runs", runs, "--resume", 1, *option)
        assert code == 2 and name in err and "start a new run" in err
    assert (runs / "1_logs" / "recipe.toml").read_bytes() == recipe


def test_early_stopping_holds_after_a_restart(small_data: Path, tmp_path: Path, cli) -> None:  # type: ignore[no-untyped-def]
    """A learning rate too small to change the ranking: the first epoch stays the best, patience 2 ends after 3."""
    arguments = (
        "train",
        small_data,
        *SMALL,
        "--learning-rate",
        1e-30,
        "--early-stopping",
        2,
        "--runs",
        tmp_path,
    )
    code, out, err = cli(*arguments, "--epochs", 9)
    assert code == 0, err
    assert "epoch 3:" in out and "stopped: no better" in out and "epoch 4:" not in out
    code, out, _ = cli("train", small_data, "--runs", tmp_path, "--resume", 1)
    assert code == 0 and "all 3 epochs are already trained" in out
    code, out, _ = cli(
        "train", small_data, "--runs", tmp_path, "--resume", 1, "--early-stopping", 0, "--epochs", 4
    )
    assert code == 0 and "epoch 4:" in out
    card = json.loads((tmp_path / "1_netstate" / "model" / "card.json").read_text())
    assert card["epoch"] == 1


def test_validation_that_cannot_choose_is_said(small_data: Path, tmp_path: Path) -> None:
    """No validation at all, then one label only: the last epoch becomes the model, and the output says so."""
    import shutil

    data = tmp_path / "data"
    shutil.copytree(small_data, data)
    header, *lines = (data / "validation_set.csv").read_text().splitlines()
    for number, (kept, monitor) in enumerate((([], "roc-auc"), (lines[:1], "roc-auc-per-complex")), start=1):
        (data / "validation_set.csv").write_text("\n".join([header, *kept]) + "\n")
        said: list[str] = []
        run = affinity_zoo.train(
            data, "element-tag", "cnn4", box=(12, 1.5), batch_size=6, epochs=2, early_stopping=1, monitor=monitor,
            runs=tmp_path / "summaries", say=said.append,
        )  # fmt: skip
        assert run.x == number
        text = "\n".join(said)
        assert f"{monitor} has no value" in text and "does not stop early" in text and "epoch 2:" in text
        assert json.loads((run.model / "card.json").read_text(), parse_constant=_refuse)["epoch"] == 2
        json.loads((run.logs / "history.json").read_text(), parse_constant=_refuse)


def test_command_line_wins_over_a_recipe(small_data: Path, tmp_path: Path, cli) -> None:  # type: ignore[no-untyped-def]
    code, _, err = cli(
        "train", small_data, "--recipe", "ancestor", "--box", "12x1.5", "-F", "parts=ligand", "-A", "dropout=0.1",
        "--batch-size", 6, "--epochs", 1, "--runs", tmp_path,
    )  # fmt: skip
    assert code == 0, err
    recipe = read_recipe(tmp_path / "1_logs" / "recipe.toml")
    assert recipe.featurizer.options["parts"] == "ligand" and recipe.architecture.options["dropout"] == 0.1
    assert list(recipe.architecture.options["strides"]) == [2, 2, 1, 1] and recipe.box.side == 12
    assert recipe.training.false_positive_weight == 10 and recipe.training.batch_size == 6


def _command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "affinity_zoo.cli", *map(str, arguments)]


def _weights(run: Path, epoch: int) -> list[np.ndarray]:
    with np.load(run / f"epoch-{epoch:05d}.npz", allow_pickle=False) as file:
        return [file[name] for name in file.files if name != "state"]


def test_killed_training_ends_with_the_same_weights(small_data: Path, tmp_path: Path) -> None:
    """``kill -9`` after the first whole epoch, then ``--resume``: weights and optimizer bit for bit (dropout on)."""
    arguments = ("train", small_data, *SMALL, "--epochs", 4, "-A", "dropout=0.5")
    subprocess.run(
        _command(*arguments, "--runs", tmp_path / "whole"), check=True, cwd=tmp_path, capture_output=True
    )
    process = subprocess.Popen(
        _command(*arguments, "--runs", tmp_path / "killed"),
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    state = tmp_path / "killed" / "1_netstate"
    deadline = time.monotonic() + 120
    while not list(state.glob("epoch-*.npz")):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (state / "model").exists()
    resumed = subprocess.run(
        _command("train", small_data, "--runs", tmp_path / "killed", "--resume", 1),
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert resumed.returncode == 0, resumed.stderr
    assert "continuing after epoch" in resumed.stdout
    whole, again = _weights(tmp_path / "whole" / "1_netstate", 4), _weights(state, 4)
    assert len(whole) == len(again) > 10
    assert all(np.array_equal(a, b) for a, b in zip(whole, again, strict=True))


def test_two_logical_devices_train_like_one(small_data: Path, tmp_path: Path) -> None:
    """MirroredStrategy: the batch is rounded up, padding rows have weight 0, the loss curve is that of one device."""
    arguments = ("train", small_data, *SMALL[:-1], 5, "--epochs", 2, "-A", "dropout=0", "--seed", 3)
    losses = {}
    for devices in (0, 2):
        root = tmp_path / f"devices{devices}"
        extra = ("--logical-cpus", devices) if devices else ("--batch-size", 6)
        done = subprocess.run(
            _command(*arguments, *extra, "--runs", root), cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert read_recipe(root / "1_logs" / "recipe.toml").training.batch_size == 6
        history = json.loads((root / "1_logs" / "history.json").read_text())
        losses[devices] = [epoch["train"]["loss"] for epoch in history["epochs"]]
    assert "MirroredStrategy" in done.stdout
    assert losses[2] == pytest.approx(losses[0], rel=1e-4)


def test_a_control_run_says_so(small_data: Path, tmp_path: Path, cli) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = cli("train", small_data, *SMALL, "--epochs", 1, "--shuffle-labels", "--runs", tmp_path)
    assert code == 0 and "SHUFFLED" in out
    card = json.loads((tmp_path / "1_netstate" / "model" / "card.json").read_text())
    assert card["shuffled_labels"] is True


def test_nan_stops_the_training_with_a_sentence(small_data: Path, tmp_path: Path, cli) -> None:  # type: ignore[no-untyped-def]
    """A single-file plugin whose network overflows: the training stops, and no model is left."""
    plugin = tmp_path / "bad_numbers.py"
    plugin.write_text(BAD_NUMBERS)
    arguments = (
        "train",
        small_data,
        *SMALL[:3],
        "bad-numbers",
        *SMALL[4:],
        "--epochs",
        1,
        "--runs",
        tmp_path,
    )
    code, _, err = cli("--plugin-file", plugin, *arguments)
    assert code == 1 and "NaN or infinite" in err and "--learning-rate" in err and "Traceback" not in err
    assert not list((tmp_path / "1_netstate").iterdir())


def test_mixed_precision_and_the_device_path(small_data: Path, tmp_path: Path, cli) -> None:  # type: ignore[no-untyped-def]
    code, out, err = cli(
        "train", small_data, "-f", "atom-types", "-a", "resnet3d", "-A", "filters=4", "--box", "12x1.5",
        "--batch-size", 6, "--epochs", 1, "--mixed-precision", "--voxelize", "device", "--runs", tmp_path,
    )  # fmt: skip
    assert code == 0, err
    assert "images made on the device" in out and "network in float16" in out
    recipe = read_recipe(tmp_path / "1_logs" / "recipe.toml")
    assert recipe.training.mixed_precision == "float16"


BAD = [
    (("train", "{missing}", "-f", "element-tag"), 1, "missing"),
    (("train", "{data}", "-f", "element-tg"), 2, "element-tag"),
    (("train", "{data}", "-a", "resnet"), 2, "resnet3d"),
    (("train", "{data}", "-F", "nonsense=1"), 2, "nonsense"),
    (("train", "{data}", "-F", "nonsense"), 2, "key=value"),
    (("train", "{data}", "-A", "depth=12"), 2, "depth"),
    (("train", "{data}", "--box", "40"), 2, "40x0.5"),
    (("train", "{data}", "--balance", "perhaps"), 2, "oversample"),
    (("train", "{data}", "--recipe", "no-such"), 2, "ancestor"),
    (("train", "{data}", "--epochs", "0"), 2, "epochs"),
    (("train", "{data}", "--monitor", "auc"), 2, "roc-auc"),
    (("train", "{data}", "--learning-rate", "inf"), 2, "learning-rate"),
    (("train", "{data}", "--voxelize", "perhaps"), 2, "auto, host, device"),
    (("train", "{data}", "-a", "gnina-default2018", "--box", "4x6"), 1, "change --box"),
    (("train", "{data}", "-a", "cnn4", "-A", "dropout=5"), 1, "rate"),
    (("train", "{data}", "--runs", "{receptor}"), 1, "change the path"),
    (("train", "{data}", "--resume", "1", "--recipe", "ancestor"), 2, "leave out --recipe"),
    (("train", "{data}", "--sources", "moon"), 1, "moon"),
    (("train", "{data}", "--resume", "7"), 1, "no run 7"),
    (("train", "{data}", "--box", "4x0.5"), 1, "too long"),
    (("evaluate", "9"), 1, "no run 9"),
    (("evaluate", "9", "-s", "roc-auk"), 2, "roc-auc"),
    (("evaluate", "{missing}"), 1, "is not a model"),
    (("predict", "{missing}", "-r", "{receptor}", "-l", "{missing}"), 1, "no such file or folder"),
    (("predict", "3", "-r", "{receptor}", "-l", "{receptor}"), 1, "no run 3"),
    (("leaderboard", "{missing}"), 1, "does not exist"),
]


@pytest.mark.parametrize(("arguments", "code", "names"), BAD, ids=[" ".join(a) for a, _, _ in BAD])
def test_bad_input_is_one_sentence(
    arguments: tuple[str, ...], code: int, names: str, small_data: Path, small_set: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, cli,
) -> None:  # type: ignore[no-untyped-def]  # fmt: skip
    monkeypatch.chdir(tmp_path)
    places = {
        "{data}": str(small_data),
        "{missing}": str(tmp_path / "missing"),
        "{receptor}": str(next((small_set / "receptors").iterdir())),
    }
    found = cli(*(places.get(a, a) for a in arguments))
    assert found.code == code, found
    assert found.err.startswith("error: ") and names in (found.err + found.out)
    assert "Traceback" not in found.err
    assert not (tmp_path / "summaries").exists(), "nothing half-written"


def test_output_that_knows_no_angstrom_is_no_traceback(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(_command("show", "element-tag"), cwd=tmp_path, capture_output=True, env=environment)
    assert done.returncode == 0 and b"40^3 voxels of 0.5 ?" in done.stdout


def test_a_model_without_its_plugin_or_with_a_changed_file_is_refused(
    runs: Path, tmp_path: Path, cli
) -> None:  # type: ignore[no-untyped-def]
    import shutil

    model = tmp_path / "model"
    shutil.copytree(runs / "1_netstate" / "model", model)
    recipe = (model / "recipe.toml").read_text()
    (model / "recipe.toml").write_text(recipe.replace('name = "element-tag"', 'name = "other-tag"'))
    structure = tmp_path / "any.pdb"
    structure.touch()
    code, _, err = cli("predict", model, "-r", structure, "-l", structure)
    assert code == 1 and "other-tag" in err and "affinity-zoo 0" in err
    (model / "recipe.toml").write_text(recipe)
    (model / "model.keras").write_bytes(b"not a model")
    code, _, err = cli("predict", model, "-r", structure, "-l", structure)
    assert code == 1 and "model.keras" in err and "Traceback" not in err
