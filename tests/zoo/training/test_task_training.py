"""Two tasks trained whole: what is planted is learnt, gaps are no harm, a kill leaves no trace, fine-tuning goes on."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

import affinity_zoo
from affinity_zoo.zoo.data.index.run import build_index
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.inference.choices import ScoringChoices
from affinity_zoo.zoo.inference.ready import ready
from affinity_zoo.zoo.inference.rows import score_rows
from affinity_zoo.zoo.judging.predictions import known_rows
from affinity_zoo.zoo.models.loading import load_model
from affinity_zoo.zoo.models.recipe import read_recipe
from affinity_zoo.zoo.training.train import train

TARGETS, EACH = 6, 16
SMALL = ("-f", "atom-types", "-a", "resnet3d", "-A", "filters=4", "-A", "dropout=0.1", "--box", "8x2")


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Chains of carbon and oxygen in a ring of residues: pK = 4 + 0.7 per oxygen; half the poses lie outside the ring.

    Every fourth right pose has no affinity, every fifth only a bound; wrong poses carry the pK of the right one.
    """
    folder = tmp_path_factory.mktemp("planted")
    rng = np.random.default_rng(0)
    rows = []
    for target in range(TARGETS):
        (folder / f"r{target}.pdb").write_text(_receptor(rng))
        for number in range(EACH):
            name, oxygens, right = f"t{target}l{number}", int(rng.integers(0, 7)), number % 2 == 0
            (folder / f"{name}.sdf").write_text(_ligand(name, oxygens, 0.0 if right else 5.0, rng))
            pk = 4.0 + 0.7 * oxygens
            relation = "<" if number % 10 == 4 else "="
            rows.append(
                {"id": name, "receptor": f"r{target}.pdb", "ligand": f"{name}.sdf", "target": f"t{target}",
                 "molecule": name, "pose_label": int(right), "affinity_relation": relation,
                 "affinity": "" if number % 8 == 6 else f"{pk + (1.5 if relation == '<' else 0):.2f}",
                 "rmsd": 0.5 if right else 5.8}
            )  # fmt: skip
    with (folder / "table.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    build_index(
        folder / "table.csv", folder / "data", workers=0, progress=False, fractions=(0.67, 0.17, 0.16)
    )
    return folder / "data"


def _receptor(rng: np.random.Generator) -> str:
    lines = []
    for i, angle in enumerate(np.linspace(0, 2 * np.pi, 24, endpoint=False), 1):
        x, y, z = 6.5 * np.cos(angle), 6.5 * np.sin(angle), rng.normal(0, 1)
        lines.append(f"ATOM  {i:5d}  CA  ALA A{i:4d}    {x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00           C  ")
    return "\n".join([*lines, "END\n"])


def _ligand(name: str, oxygens: int, aside: float, rng: np.random.Generator) -> str:
    """A zigzag of seven atoms along z, the first ``oxygens`` of them oxygens."""
    order = rng.permutation(7)
    atoms = [
        f"{0.4 * (-1) ** i + aside:10.4f}{0.0:10.4f}{1.25 * (i - 3) + 3 * aside / 5:10.4f} "
        f"{'O' if order[i] < oxygens else 'C'}   0  0  0  0  0  0  0  0  0  0  0  0"
        for i in range(7)
    ]
    bonds = [f"{i:3d}{i + 1:3d}  1  0" for i in range(1, 7)]
    return "\n".join(
        [name, "", "", "  7  6  0  0  0  0  0  0  0  0999 V2000", *atoms, *bonds, "M  END", "$$$$", ""]
    )


@pytest.fixture(scope="module")
def trained(planted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of pose, affinity and RMSD; run 1 of the folder."""
    runs = tmp_path_factory.mktemp("planted-runs")
    affinity_zoo.train(
        planted, "atom-types", "cnn4", architecture_options={"dropout": 0.0}, box=(8, 2.0), runs=runs, epochs=16,
        batch_size=16, learning_rate=1e-3, tasks=("pose", "affinity", "rmsd"), monitor="loss", say=lambda line: None,
    )  # fmt: skip
    return runs


def test_what_is_planted_is_learnt_by_each_output(planted: Path, trained: Path) -> None:
    card = json.loads((trained / "1_netstate" / "model" / "card.json").read_text())
    assert [(o["name"], o["unit"]) for o in card["outputs"]] == [
        ("pose", "logit"),
        ("affinity", "pK"),
        ("rmsd", "Å"),
    ]
    assert [o["direction"] for o in card["outputs"]] == ["higher is better"] * 2 + ["lower is better"]
    assert {"loss-pose", "loss-affinity", "rmse", "spearman", "rmse-rmsd", "spearman-rmsd"} <= set(
        card["validation"]
    )
    recipe = read_recipe(trained / "1_logs" / "recipe.toml")
    assert recipe.training.tasks == ("pose", "affinity", "rmsd") and 5 < recipe.head.offset < 7
    assert 2 < recipe.head.rmsd_offset < 5 and recipe.head.rmsd_scale > 2
    assert recipe.data.n_affinity < recipe.data.n_train  # wrong poses and gaps teach no affinity
    seen = affinity_zoo.evaluate(1, planted, split="validation", views=1, runs=trained).predictions()
    for name, ends in card["output_ranges"].items():
        column = seen.extra[f"{name}_output"]
        assert ends == pytest.approx([column.min(), column.max()], rel=1e-4)
    assert list(card["output_ranges"]) == ["pose", "affinity", "rmsd"]
    result = affinity_zoo.evaluate(1, planted, split="all", views=2, runs=trained)
    assert result.metrics["roc-auc"].value > 0.9
    predictions = result.predictions()
    right = (predictions.pose_label == 1) & known_rows(predictions, "affinity")
    found = spearmanr(predictions.extra["affinity_output"][right], predictions.affinity[right]).statistic
    assert found > 0.7 and 10 < right.sum() < len(predictions) / 2
    assert {"pose_output", "affinity_output", "rmsd_output"} <= set(predictions.extra)
    assert result.metrics["rmsd-error"].value < 1.5
    assert (
        predictions.extra["rmsd_output"][right].mean() < 2.0 < predictions.extra["rmsd_output"][~right].mean()
    )
    assert np.array_equal(predictions.score, predictions.extra["pose_output"])
    by_affinity = affinity_zoo.evaluate(1, planted, split="all", views=1, runs=trained, output="affinity")
    assert by_affinity.path != result.path and "confusion" not in by_affinity.metrics
    assert by_affinity.model["name"].endswith("by affinity")


def test_rmsd_is_predicted_and_ranked_by_with_the_least_first(planted: Path, trained: Path) -> None:
    poses = sorted(planted.parent.glob("t0l*.sdf"))
    model = affinity_zoo.load_model(trained / "1_netstate" / "model")
    rows = affinity_zoo.predict(model, planted.parent / "r0.pdb", poses, rank_by="rmsd", views=1)
    distances = [row.rmsd_expected for row in rows]
    assert distances == sorted(distances) and [row.rank for row in rows] == list(range(1, EACH + 1))
    right = [int(row.file.rsplit("l", 1)[1].split(".")[0]) % 2 == 0 for row in rows]
    assert sum(right[: EACH // 2]) > EACH // 2 - 2


def test_fine_tuning_one_of_its_outputs(planted: Path, trained: Path, cli) -> None:  # type: ignore[no-untyped-def]
    code, out, err = cli(
        "train", planted, "--from", 1, "--task", "affinity", "--freeze", 2, "--epochs", 1, "--batch-size", 16,
        "--runs", trained,
    )  # fmt: skip
    assert code == 0, err
    text = " ".join(out.split())
    assert "keeps its output affinity; without its outputs pose, rmsd" in text and "frozen: 2 layers" in text
    assert "held-out rows" in text and "ligand size" in text
    run = trained / "2_netstate" / "model"
    card = json.loads((run / "card.json").read_text())
    assert card["started_from"]["frozen_layers"] == 2 and len(card["outputs"]) == 1
    before, now = (
        affinity_zoo.load_model(trained / f"{x}_netstate" / "model").network.network for x in (1, 2)
    )
    for layer in now.layers[:4]:  # image, convolution, pooling, convolution
        both = zip(layer.get_weights(), before.get_layer(layer.name).get_weights(), strict=True)
        assert all(np.array_equal(a, b) for a, b in both)
    pairs = (run / "training_pairs.csv").read_text().splitlines()
    first = (trained / "1_netstate" / "model" / "training_pairs.csv").read_text().splitlines()
    assert set(first) <= set(pairs) and read_recipe(run / "recipe.toml").training.learning_rate == 1e-4
    code, out, err = cli("train", planted, "--resume", 2, "--epochs", 2, "--runs", trained)
    assert code == 0 and "continuing after epoch 1" in out and "frozen: 2 layers" in out, err
    code, _, err = cli("train", planted, "--from", 1, "--resume", 2, "--runs", trained)
    assert code == 2 and "leave out --from" in err


def _command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "affinity_zoo.cli", *map(str, arguments)]


def test_a_killed_training_of_two_tasks_ends_with_the_same_weights(planted: Path, tmp_path: Path) -> None:
    arguments = (
        "train", planted, *SMALL, "--task", "pose,affinity", "--affinity-on-wrong-poses", "one-sided", "--epochs", 4,
        "--batch-size", 8,
    )  # fmt: skip
    whole = [*_command(*arguments), "--runs", str(tmp_path / "whole")]
    subprocess.run(whole, check=True, cwd=tmp_path, capture_output=True)
    killed = [*_command(*arguments), "--runs", str(tmp_path / "killed")]
    process = subprocess.Popen(killed, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    state = tmp_path / "killed" / "1_netstate"
    deadline = time.monotonic() + 240
    while not list(state.glob("epoch-*.npz")):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    resumed = subprocess.run(
        _command("train", planted, "--runs", tmp_path / "killed", "--resume", 1),
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert resumed.returncode == 0, resumed.stderr
    files = [
        folder / "1_netstate" / "epoch-00004.npz" for folder in (tmp_path / "whole", tmp_path / "killed")
    ]
    one, two = (np.load(file, allow_pickle=False) for file in files)
    assert all(np.array_equal(one[name], two[name]) for name in one.files if name != "state")


def test_a_student_learns_from_a_teacher_without_any_truth(
    planted: Path, trained: Path, tmp_path: Path
) -> None:
    """Outputs on poses that neither the student nor its teacher's targets came from follow the teacher's."""
    bare = tmp_path / "data"
    shutil.copytree(planted, bare)
    table = bare / "database_index.csv"
    rows = list(csv.DictReader(table.open(newline="")))
    for row, line in zip(rows, list(csv.DictReader(table.open(newline=""))), strict=True):
        row.update(line)
        if line["id"] in _ids(bare, "train_set.csv"):
            row.update(pose_label="", affinity="", affinity_relation="", affinity_kind="")
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    teacher = str(trained / "1_netstate" / "model")
    lines: list[str] = []
    run = affinity_zoo.train(
        bare, "atom-types", "cnn4", architecture_options={"dropout": 0.0}, box=(8, 2.0), runs=tmp_path / "runs",
        epochs=40, batch_size=16, learning_rate=1e-3, tasks=("pose", "affinity"), teachers=(teacher,),
        optimizer="adamw", weight_decay=1e-4, schedule="cosine", warm_up=0.1, monitor="loss", say=lines.append,
    )  # fmt: skip
    assert any(line.startswith("taught by model in 1 view") for line in lines)
    stored = sorted((bare / "teachers").rglob("block-*.npz"))
    assert len(stored) == 1
    recipe = read_recipe(run.logs / "recipe.toml")
    assert recipe.training.teachers == (teacher,) and len(recipe.training.teacher_weights[0]) == 64
    assert recipe.data.n_train == len(_ids(bare, "train_set.csv"))
    scores = [
        affinity_zoo.evaluate(model, planted, split="all", views=1, runs=tmp_path / "runs").predictions()
        for model in (run.x, teacher)
    ]
    unseen = ~np.isin(scores[0].id, list(_ids(bare, "train_set.csv")))
    assert unseen.sum() >= 32
    for output in ("pose_output", "affinity_output"):
        found = spearmanr(*(predictions.extra[output][unseen] for predictions in scores)).statistic
        assert found > 0.6, output


def _ids(data: Path, name: str) -> set[str]:
    with (data / name).open(newline="") as file:
        return {row["id"] for row in csv.DictReader(file)}


def test_a_model_trained_in_half_precision_computes_in_float32(planted: Path, tmp_path: Path) -> None:
    """Scores do not depend on the precision of the training: the written model is float32, its card judged with it."""
    run = train(
        planted, featurizer="atom-types", architecture="resnet3d", architecture_options={"filters": 4}, box=(8, 2.0),
        runs=tmp_path, epochs=1, batch_size=8, mixed_precision=True, say=lambda line: None,
    )  # fmt: skip
    model = load_model(run.model)
    assert {layer.compute_dtype for layer in model.network.network.layers} == {"float32"}
    assert {weight.dtype for weight in model.network.network.weights} == {"float32"}
    recipe = read_recipe(run.model / "recipe.toml")
    assert recipe.training.mixed_precision
    card = json.loads((run.model / "card.json").read_text())
    dataset = Dataset.open(planted)
    rows = dataset.rows("validation")
    found = score_rows(ready(model), dataset, rows, ScoringChoices())[:, 0, 0]
    label = dataset.column("pose_label")[rows]
    assert card["validation"]["roc-auc"] == pytest.approx(roc_auc_score(label, found), abs=1e-6)
