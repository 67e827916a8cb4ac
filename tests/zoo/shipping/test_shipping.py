"""Making a model to give away: the best seed, its card from result files, the first line that says where it loses."""

from __future__ import annotations

import csv
import json
import shutil
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from affinity_zoo.plugins.contracts import Predictions
from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.board.results import write_result
from affinity_zoo.zoo.judging.predictions import make_predictions
from affinity_zoo.zoo.models.card_text import print_card
from affinity_zoo.zoo.models.cards import card_of
from affinity_zoo.zoo.models.recipe import BoxChoice, Recipe
from affinity_zoo.zoo.shipping.notes import Notes, read_notes
from affinity_zoo.zoo.shipping.ship import ship

ROOT = Path(__file__).resolve().parents[3]
NOTES = Notes(
    "made", "Apache-2.0", "MIT", "made data", "toy", ("few",), ("nobody",), ("affinity-zoo train",),
    docking_program="Vina", views=3,
)  # fmt: skip
RIVALS = {
    "contacts": 2.0, "ligand-size": 0.0, "docking-score": 1.0, "random": -1.0,
    "ligand-only cross-validated": 2.0, "ligand-only of data": 0.5,
}  # fmt: skip
BENCHMARK = {"name": "toy", "hash": "ab" * 32, "path": "toy"}


def table(skill: float, seed: int) -> Predictions:
    """Poses of 30 complexes; most of the noise is shared by all tables."""
    label = np.tile([1.0, 1, 0, 0, 0, 0, 0, 0], 30)
    noise = np.random.default_rng(9).normal(size=240) + 0.1 * np.random.default_rng(seed).normal(size=240)
    return make_predictions(
        id=[f"p{i}" for i in range(240)], score=noise + skill * label, pose_label=label,
        target=np.repeat([f"g{i}" for i in range(30)], 8),
    )  # fmt: skip


def run(root: Path, x: int, seed: int, validation: float, **recipe: object) -> None:
    """A finished and evaluated run; its weights are not looked at."""
    model = root / f"{x}_netstate" / "model"
    model.mkdir(parents=True)
    (model / "model.keras").write_bytes(bytes([x]))
    (model / "training_pairs.csv").write_text("id,target,coordinates\na,t,c\n")
    card = {
        "name": f"run {x}",
        "epoch": x,
        "validation": {"roc-auc-per-complex": validation},
        "outputs": [{"name": "pose", "unit": "logit", "direction": "higher is better"}],
    }
    (model / "card.json").write_text(json.dumps(card))
    Recipe(box=BoxChoice(24, 1.0)).with_training(seed=seed, monitor="roc-auc-per-complex", **recipe).write(
        model / "recipe.toml"
    )
    write_result(
        root / f"{x}_logs" / "results" / "toy", model={"name": f"run {x}", "weights": str(x)},
        predictions=table(1.0, x), benchmark=BENCHMARK, views=2, overlap={"verdict": "none"}, replicates=100,
    )  # fmt: skip


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    root = tmp_path / "runs"
    for x, validation in ((1, 0.8), (2, 0.9), (3, 0.7)):
        run(root, x, seed=x - 1, validation=validation)
    for name, skill in RIVALS.items():
        model = {"name": name, "kind": "baseline", "options": {"training": "data" if " of " in name else ""}}
        write_result(
            root / "baselines" / "toy" / name, model=model, predictions=table(skill, 50), benchmark=BENCHMARK,
            replicates=100,
        )  # fmt: skip
    write_result(
        root / "models" / "teacher" / "results" / "toy", model={"name": "teacher", "weights": "t"},
        predictions=table(3.0, 60), benchmark=BENCHMARK, replicates=100,
    )  # fmt: skip
    return root


def test_the_best_seed_is_given_away_with_its_card(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ship(["1", "2", "3"], tmp_path / "pose-made", NOTES, runs=runs, replicates=200)
    assert (folder / "model.keras").read_bytes() == b"\2"
    card = json.loads((folder / "card.json").read_text())
    assert [seed["chosen"] for seed in card["seeds"]] == [False, True, False]
    assert card["views"] == 3
    line = card["headline"]
    assert (
        line.startswith("On toy (roc-auc-per-complex 0.")
        and "it loses against contacts per ligand atom" in line
    )
    assert "and teacher (" in line.partition("loses against")[2]  # other models stand beside it
    assert "is not told apart from Vina's ranking" in line and "ligand size" in line.partition("but beats")[2]
    assert "a ligand-only model" in line.partition("beats")[2]  # that which learnt from the training data
    assert " By top-1 (" in line and line.endswith(").")  # it loses by the second figure too
    (result,) = card["results"]
    assert result["overlap"] == "none (as stated)" and result["pairs"] == 240
    assert len(result["seeds"]["roc-auc-per-complex"]) == 3
    figure = result["metrics"]["roc-auc-per-complex"]
    assert (
        figure["low"] < figure["value"] < figure["high"]
        and figure["value"] == result["seeds"]["roc-auc-per-complex"][0]
    )
    assert {other["name"] for other in result["others"]} == {*RIVALS, "teacher"}
    assert not any("random" in verdict for verdict in result["verdicts"])
    print_card(card_of(folder))
    shown = capsys.readouterr().out
    assert shown.startswith(line[:60]) and "pose-made loses against contacts" in shown


def test_runs_of_two_recipes_or_without_results_are_refused(runs: Path, tmp_path: Path) -> None:
    run(runs, 4, seed=3, validation=0.9, learning_rate=0.1)
    with pytest.raises(AffinityZooError, match="more than their seed"):
        ship(["1", "4"], tmp_path / "made", NOTES, runs=runs)
    with pytest.raises(AffinityZooError, match="no result on other"):
        ship(["1"], tmp_path / "made", replace(NOTES, headline_benchmark="other"), runs=runs, replicates=10)
    shutil.rmtree(runs / "2_logs" / "results")
    with pytest.raises(AffinityZooError, match="run 2 has no results"):
        ship(["1", "2"], tmp_path / "made", NOTES, runs=runs)
    with pytest.raises(UsageError, match="lower-case"):
        ship(["1"], tmp_path / "Made_up", NOTES, runs=runs)


def test_notes_are_whole(tmp_path: Path) -> None:
    good = (ROOT / "benchmarks" / "shipped_small.toml").read_text()
    assert "PoseBusters is no test" in " ".join(read_notes(ROOT / "benchmarks" / "shipped_small.toml").limits)
    (tmp_path / "n.toml").write_text(good.replace("licence =", "license =", 1))
    with pytest.raises(UsageError, match="'license' is unknown"):
        read_notes(tmp_path / "n.toml")
    (tmp_path / "n.toml").write_text("about = 1")
    with pytest.raises(UsageError, match="missing"):
        read_notes(tmp_path / "n.toml")


@pytest.mark.parametrize(
    "path", sorted((ROOT / "zoo" / "shipped").glob("*/card.json")), ids=lambda p: p.parent.name
)
def test_shipped_models_are_whole(path: Path) -> None:
    """Every shipped model: small, of a known recipe, with a first line, limits, licence, figures and baselines."""
    from affinity_zoo.zoo.models.loading import check_encoding, plugins_of, read_model_recipe
    from affinity_zoo.zoo.models.safety import check_folder

    card = json.loads(path.read_text())
    assert (path.parent / "model.keras").stat().st_size < 4_000_000
    assert sum(file.stat().st_size for file in path.parent.iterdir()) < 7_000_000
    for key in (
        "headline",
        "about",
        "licence",
        "limits",
        "cite",
        "commands",
        "seeds",
        "results",
        "trained_on",
        "hardware",
    ):
        assert card[key], key
    assert card["name"] == path.parent.name and card["seeds"]
    for result in card["results"]:
        assert len(result["others"]) >= 5 and result["verdicts"] and result["overlap"]
    recipe = read_model_recipe(path.parent)
    featurizer, architecture = plugins_of(recipe, path.parent)
    check_encoding(featurizer, recipe, path.parent)
    check_folder(path.parent, {**featurizer.custom_objects(), **architecture.custom_objects()})
    with (path.parent / "training_pairs.csv").open(newline="") as file:
        # of a fine-tuned model the pairs of the model before are there too
        assert len(list(csv.DictReader(file))) >= recipe.data.n_train
    assert "/" not in tomllib.loads((path.parent / "recipe.toml").read_text())["data"]["name"]
