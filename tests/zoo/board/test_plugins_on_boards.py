"""A plugin's baseline and scorer stand on a board, a page and a card as the built-in ones do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.baselines.run import default_baselines, learned_baselines
from affinity_zoo.zoo.board.baseline_results import write_baseline_results
from affinity_zoo.zoo.board.leaderboard import build_boards
from affinity_zoo.zoo.board.leaderboard_text import as_markdown
from affinity_zoo.zoo.board.results import write_result
from affinity_zoo.zoo.catalog import registry
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.judging.predictions import from_dataset
from affinity_zoo.zoo.models.recipe import BoxChoice, Recipe
from affinity_zoo.zoo.reports.page import write_report
from affinity_zoo.zoo.shipping.notes import Notes
from affinity_zoo.zoo.shipping.ship import ship

PLUGIN = '''
from dataclasses import dataclass

from affinity_zoo.plugins import hookimpl
from affinity_zoo.plugins.contracts import Baseline, Place, Score, Scorer


@dataclass(frozen=True)
class Depth(Baseline):
    """The height of the ligand's first atom, which the test set gives away."""

    training: str = ""

    name = "depth"
    summary = "Height of the first atom."
    unit = "Å"
    direction = "lower"
    spoken = "the depth of the first atom"

    def note(self, predictions):
        return "made for a test"

    def measure(self, receptor, ligand, pair):
        return float(ligand.xyz[0, 2])


@dataclass(frozen=True)
class Broken(Baseline):
    """Always fails."""

    name = "broken"
    summary = "Always fails."
    unit = "none"
    direction = "higher"

    def measure(self, receptor, ligand, pair):
        raise KeyError("nothing here")


@dataclass(frozen=True)
class Lead(Scorer):
    """Share of positives whose score is above the mean: leads the boards of poses."""

    name = "above-mean"
    summary = "Share of positives above the mean score."
    unit = "fraction"
    direction = "higher"
    truths = ("pose_label",)
    on_boards = (Place("pose_label", 1.0),)

    def score(self, predictions, truth, weights=None):
        import numpy as np

        w = np.ones(len(predictions)) if weights is None else weights
        positive = predictions.pose_label > 0.5
        above = predictions.score > np.average(predictions.score, weights=w)
        return Score(float(np.average(above[positive], weights=w[positive])))


@dataclass(frozen=True)
class OnRequest(Lead):
    """The same, but only where it is asked for."""

    name = "on-request"
    on_boards = ()


@hookimpl
def register_baselines():
    return [Depth, Broken]


@hookimpl
def register_scorers():
    return [Lead, OnRequest]
'''
BENCHMARK = {"name": "toy", "hash": "ab" * 32, "path": "toy"}
ROWS = np.arange(120)


@pytest.fixture
def plugin(tmp_path: Path) -> Iterator[None]:
    file = tmp_path / "depth_plugin.py"
    file.write_text(PLUGIN)
    before = registry.configure(files=[file])
    yield
    registry.restore(before)


def _atoms(height: float) -> Atoms:
    n = 3
    xyz = np.array([[0, 0, height], [1.5, 0, height], [3, 0, height]], np.float32)
    return Atoms(
        role="ligand", xyz=xyz, element=np.full(n, 6, np.uint8), atom_type=np.full(n, 2, np.uint8),
        flags=np.zeros(n, np.uint16), charge=np.zeros(n, np.int8), name=np.full(n, b"C", "S4"),
        residue_name=np.full(n, b"ALA", "S4"), residue_number=np.arange(n, dtype=np.int32),
        chain=np.full(n, b"A", "S4"),
    )  # fmt: skip


def _dataset() -> Dataset:
    """Poses of 30 complexes; the right one lies deepest, so that the plugin's baseline is perfect."""
    n = len(ROWS)
    label = np.tile([1.0, 0, 0, 0], 30)
    target = np.repeat([f"t{i}" for i in range(30)], 4)
    columns: dict[str, Any] = dict.fromkeys(
        ("active", "affinity", "rmsd", "docking_score"), np.full(n, np.nan)
    )
    columns |= dict.fromkeys(("receptor", "ligand"), target)
    columns |= {
        "record": np.zeros(n, int),
        "id": np.array([f"p{i}" for i in range(n)]),
        "pose_label": label,
        "molecule": target,
    }
    columns |= {"target": target, "group": target} | dict.fromkeys(
        ("source", "affinity_relation"), np.full(n, "")
    )
    structures = [_atoms(0.0), *(_atoms(10.0 + 2.0 * (1 - one) + 0.001 * i) for i, one in enumerate(label))]
    stub = SimpleNamespace(
        path=Path("toy"), column=columns.__getitem__, columns=list(columns),
        rows=lambda split: ROWS, receptor_structure=np.zeros(n, int),
        ligand_structure=np.arange(1, n + 1), store=SimpleNamespace(atoms=structures.__getitem__),
    )  # fmt: skip
    return cast(Dataset, stub)


def _runs(root: Path) -> None:
    """An evaluated run beside the baselines, those of the plugin among them."""
    dataset = _dataset()
    noise = np.random.default_rng(1).normal(size=len(ROWS))
    model = root / "1_netstate" / "model"
    model.mkdir(parents=True)
    (model / "model.keras").write_bytes(b"1")
    (model / "training_pairs.csv").write_text("id,target,coordinates\na,t,c\n")
    card = {
        "name": "run 1",
        "epoch": 1,
        "validation": {"roc-auc-per-complex": 0.8},
        "outputs": [{"name": "pose", "unit": "logit", "direction": "higher is better"}],
    }
    (model / "card.json").write_text(json.dumps(card))
    Recipe(box=BoxChoice(24, 1.0)).with_training(monitor="roc-auc-per-complex").write(model / "recipe.toml")
    predictions = from_dataset(dataset, ROWS, dataset.column("pose_label") + noise)
    about = {"name": "run 1", "featurizer": "atom-types", "architecture": "cnn4", "weights": "1"}
    write_result(root / "1_logs/results/toy", model=about, predictions=predictions, benchmark=BENCHMARK, views=1,
                 replicates=50)  # fmt: skip
    chosen = [
        b for b in default_baselines() if b.name in ("contacts", "random", "best-possible", "depth", "broken")
    ]
    write_baseline_results(root / "baselines", dataset, ROWS, predictions, BENCHMARK, chosen, replicates=50)


def test_a_plugin_of_each_kind_on_a_board_a_page_and_a_card(
    plugin: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "runs"
    _runs(root)
    assert "the baseline broken is left out" in capsys.readouterr().err
    (board,) = build_boards([root])
    assert board.columns[0].key == "above-mean"  # the lowest order leads the board
    assert "on-request" not in {column.key for column in board.columns}
    rows = {row.name: row for row in board.rows}
    assert rows["depth"].baseline and "made for a test" in rows["depth"].notes and "broken" not in rows
    assert rows["depth"].metrics["above-mean"].value == 1.0
    assert all(row.metrics["above-mean"].low <= row.metrics["above-mean"].value for row in board.rows)
    assert "The baseline depth beats the best model" in as_markdown([board])  # not the perfect best-possible
    page = write_report(tmp_path / "page.html", [board]).read_text()
    assert "above-mean" in page and page.count(">depth") >= 2  # in the table and as a curve
    notes = Notes("made", "Apache-2.0", "MIT", "made", "toy", ("few",), ("nobody",), ("affinity-zoo train",))
    card = json.loads(
        (ship(["1"], tmp_path / "made", notes, runs=root, replicates=50) / "card.json").read_text()
    )
    assert (
        card["headline"].startswith("On toy (above-mean")
        and "the depth of the first atom (1.000)" in card["headline"]
    )
    (entry,) = card["results"]
    assert "above-mean" in entry["metrics"] and "depth" in {other["name"] for other in entry["others"]}
    assert any("loses against depth" in verdict for verdict in entry["verdicts"])
    assert not any("best-possible" in verdict or "random" in verdict for verdict in entry["verdicts"])


def test_a_baseline_with_the_option_training_learns_from_the_models_index(
    plugin: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Dataset, "open", lambda path: _dataset())
    found = {baseline.name: baseline.options()["training"] for baseline in learned_baselines(tmp_path)}
    assert "depth" in found and "nearest-training-ligand" in found and "contacts" not in found
    assert set(found.values()) == {str(tmp_path.resolve())}

    def gone(path: Path) -> Dataset:
        raise AffinityZooError("gone")

    monkeypatch.setattr(Dataset, "open", gone)
    assert learned_baselines(tmp_path) == []


def test_without_the_plugin_its_rows_are_still_read(plugin: None, tmp_path: Path) -> None:
    root = tmp_path / "runs"
    _runs(root)
    before = registry.configure(no_plugins=True)
    try:
        (board,) = build_boards([root])
    finally:
        registry.restore(before)
    assert "depth" in {row.name for row in board.rows}
