"""Nothing false passes: what a forger puts into a result and seals again is refused or computed away."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from affinity_zoo.plugins.contracts import Predictions
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.board import benchmarks
from affinity_zoo.zoo.board.baseline_results import write_baseline_results
from affinity_zoo.zoo.board.comparison import compare, find_pair
from affinity_zoo.zoo.board.leaderboard import Board, build_boards, load_all
from affinity_zoo.zoo.board.results import load_result, write_result, write_sealed
from affinity_zoo.zoo.catalog.registry import catalog
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.judging.judge import judge
from affinity_zoo.zoo.judging.predictions import from_dataset, write_predictions
from affinity_zoo.zoo.runtime.files import file_hash

Add = Callable[[Dataset], Dataset]
Forge = Callable[[dict[str, Any]], None]


class Zoo:
    """A folder of results on one benchmark."""

    def __init__(self, root: Path, dataset: Dataset) -> None:
        self.root, self.dataset = root, dataset
        self.benchmark = benchmarks.describe("poses", dataset)
        benchmarks.add(root, self.benchmark)

    def scores(self, skill: float, seed: int) -> Predictions:
        rows = self.dataset.rows("all")
        noise = np.random.default_rng(seed).normal(size=len(rows))
        return from_dataset(self.dataset, rows, skill * self.dataset.column("pose_label") + noise)

    def write(self, name: str, rows: Predictions, **model: Any) -> Path:
        about = {"name": name, "featurizer": "atom-types", "architecture": "cnn4", "weights": name, **model}
        entry = self.benchmark.as_result_entry()
        seeds = [model.get("seed", 0), 0]
        return write_result(self.root / f"{name}_logs", model=about, predictions=rows, benchmark=entry, seeds=seeds,
                            training={"pairs": str(self.root / f"{name}.csv")})  # fmt: skip

    def board(self, thorough: bool = True) -> Board:
        (board,) = build_boards([self.root], recompute=thorough)
        return board

    def auc(self, name: str, thorough: bool = True) -> float | None:
        """The first figure of a row on the board; None: the row is not there."""
        rows = {row.name: row for row in self.board(thorough).rows}
        return rows[name].metrics["roc-auc-per-complex"].value if name in rows else None


@pytest.fixture
def zoo(tmp_path: Path, at_hand: Add, made_index: Callable[..., Dataset]) -> Zoo:
    made = Zoo(tmp_path / "summaries", at_hand(made_index(tmp_path / "data")))
    made.write("honest", made.scores(1.0, 1))
    return made


def forge(path: Path, change: Forge, rows: Predictions | None = None) -> Path:
    """Edit a result, its predictions too, and seal it again."""
    data = json.loads(path.read_text())
    if rows is not None:
        write_predictions(path.with_name("predictions.csv"), rows)
        data["predictions"]["sha256"] = file_hash(path.with_name("predictions.csv"))
    change(data)
    return write_sealed(path, data)


def refused(zoo: Zoo, words: str) -> None:
    """The forged result is on no board, ordinary or verified, and the reason is said."""
    for thorough in (False, True):
        board = zoo.board(thorough)
        assert "liar" not in {row.name for row in board.rows}
        assert any(words in reason for reason in board.refused), board.refused


def test_an_honest_result_is_verified(zoo: Zoo) -> None:
    board = zoo.board()
    assert board.verified and not board.refused and "was computed from" in board.checked
    (row,) = board.rows
    again = judge(zoo.scores(1.0, 1))
    assert row.metrics["roc-auc-per-complex"].value == again["roc-auc-per-complex"].value
    assert row.metrics["roc-auc-per-complex"].low == again["roc-auc-per-complex"].low
    assert zoo.board(False).rows[0].metrics == zoo.board(False).rows[0].metrics  # computed, then remembered


def test_an_edited_interval(zoo: Zoo) -> None:
    def narrow(data: dict[str, Any]) -> None:
        data["metrics"]["roc-auc-per-complex"]["low"] = (
            data["metrics"]["roc-auc-per-complex"]["value"] - 0.001
        )

    forge(zoo.write("liar", zoo.scores(1.0, 2)), narrow)
    refused(zoo, "the interval of roc-auc-per-complex is")


def test_an_interval_of_few_replicates_is_drawn_again(zoo: Zoo) -> None:
    def few(data: dict[str, Any]) -> None:
        for metric in data["metrics"].values():
            metric["low"] = metric["high"] = metric["value"]
            metric["interval"] = {**metric["interval"], "replicates": 1}

    forge(zoo.write("liar", zoo.scores(1.0, 2)), few)
    rows = {row.name: row for row in zoo.board(False).rows}
    shown = rows["liar"].metrics["roc-auc-per-complex"]
    assert shown.high - shown.low > 0.02 and shown.interval["replicates"] == 1000


def test_the_figure_of_another_scorer(zoo: Zoo) -> None:
    def swap(data: dict[str, Any]) -> None:
        data["metrics"]["top-1"] = data["metrics"]["roc-auc"] | {"unit": "%"}

    forge(zoo.write("liar", zoo.scores(1.0, 2)), swap)
    refused(zoo, "top-1 contains the metric roc-auc")


def test_a_figure_of_another_value_or_direction(zoo: Zoo) -> None:
    def better(data: dict[str, Any]) -> None:
        data["metrics"]["top-1"] |= {"value": 99.0}

    def turned(data: dict[str, Any]) -> None:
        data["metrics"]["brier" if "brier" in data["metrics"] else "roc-auc"] |= {
            "direction": "lower",
            "unit": "x",
        }

    path = forge(zoo.write("liar", zoo.scores(1.0, 2)), better)
    refused(zoo, "top-1 is stated as 99 but")
    zoo.write("liar", zoo.scores(1.0, 2))
    forge(path, turned)
    (column,) = [column for column in zoo.board().columns if column.key == "roc-auc"]
    assert (column.direction, column.unit) == ("higher", "fraction")


def test_no_score_for_hard_pairs_and_a_count_of_none(zoo: Zoo) -> None:
    rows = zoo.scores(1.0, 2)
    hard = (rows.pose_label == 1) & (rows.score < 1.0)
    evading = replace(rows, score=np.where(hard, np.nan, rows.score))

    def hide(data: dict[str, Any]) -> None:
        data["n_unscored"] = 0

    path = zoo.write("liar", evading)
    board = zoo.board()
    (row,) = [row for row in board.rows if row.name == "liar"]
    assert row.coverage == 1 - hard.mean() and row.metrics["roc-auc-per-complex"].missing == hard.sum()
    forge(path, hide)
    refused(zoo, "states 0 pairs without a score")


def test_hard_pairs_that_are_not_listed(zoo: Zoo) -> None:
    from affinity_zoo.zoo.judging.predictions import take

    rows = zoo.scores(1.0, 2)
    easy = np.flatnonzero(~((rows.pose_label == 1) & (rows.score < 1.0)))
    full = replace(rows, score=np.where(np.isin(np.arange(len(rows)), easy), rows.score, np.nan))
    zoo.write("liar", take(rows, easy))
    assert "liar" not in {row.name for row in zoo.board().rows}  # its figures are not those of the benchmark

    def bare(data: dict[str, Any]) -> None:
        data["metrics"] = {}

    forge(zoo.root / "liar_logs/result.json", bare)
    assert zoo.auc("liar") == judge(full)["roc-auc-per-complex"].value
    (row,) = [row for row in zoo.board().rows if row.name == "liar"]
    assert row.coverage == len(easy) / len(rows)


@pytest.mark.parametrize("column", ["molecule", "group", "source", "target", "pose_label"])
def test_changed_molecules_groups_sources_or_labels(zoo: Zoo, column: str) -> None:
    """The figures are consistent with the changed table; the benchmark knows better."""
    rows = zoo.scores(0.3, 2)
    best = np.argsort(-rows.score)
    if column == "pose_label":
        changed: Any = np.zeros(len(rows))
        changed[best[:20]] = 1.0
    elif column == "source":
        changed = np.where(rows.pose_label < 1, "crystal", "docked")
    else:
        changed = rows.id if column == "group" else np.array([f"x{i % 7}" for i in range(len(rows))])
    zoo.write("liar", replace(rows, **{column: changed}))
    true = judge(rows)
    for thorough in (False, True):
        for row in zoo.board(thorough).rows:
            if row.name == "liar":  # nothing that it states differs, or it is not believed
                for key, metric in row.metrics.items():
                    assert (metric.value, metric.low, metric.high) == (
                        true[key].value,
                        true[key].low,
                        true[key].high,
                    )
    zoo.write("liar2", rows)
    assert zoo.auc("liar2") == true["roc-auc-per-complex"].value


@pytest.mark.parametrize("way", ["all valid", "bad poses not checked", "column left out", "figure"])
def test_changed_validity_of_poses(
    way: str, tmp_path: Path, at_hand: Add, made_index: Callable[..., Dataset]
) -> None:
    """Which pose is valid is said by the benchmark: a result's own column changes nothing, a figure is computed."""
    valid = np.where(np.arange(120) < 60, "0", "1")  # of each complex the first pose is near-native
    checked = made_index(
        tmp_path / "data", pose_valid=valid, rmsd=np.where(np.arange(120) % 6 == 0, 1.0, 6.0)
    )
    zoo = Zoo(tmp_path / "summaries", at_hand(checked))
    honest = zoo.scores(3.0, 2)
    zoo.write("honest", honest)
    true = judge(honest)
    key = "docking-success-valid"
    assert true[key].value <= 50.0 < true["docking-success"].value
    extra: dict[str, Any] = dict(honest.extra)
    if way == "all valid":
        extra["pose_valid"] = np.ones(120)
    elif way == "bad poses not checked":
        extra["pose_valid"] = np.where(valid == "1", 1.0, np.nan)
    elif way == "column left out":
        del extra["pose_valid"]
    path = zoo.write("liar", replace(honest, extra=extra))

    def better(data: dict[str, Any]) -> None:
        data["metrics"][key] |= {"value": 100.0, "low": 99.0, "high": 100.0}

    if way == "figure":
        forge(path, better)
    for thorough in (False, True):
        board = zoo.board(thorough)
        rows = {row.name: row for row in board.rows}
        assert rows["honest"].metrics[key].value == true[key].value
        if "liar" in rows:
            shown = rows["liar"].metrics[key]
            assert (shown.value, shown.low, shown.high) == (true[key].value, true[key].low, true[key].high)
        else:
            assert any("liar" in reason for reason in board.refused)


def test_three_changed_results_do_not_vote_out_the_honest(zoo: Zoo) -> None:
    zoo.write("honest too", zoo.scores(1.0, 7))
    label = zoo.dataset.column("pose_label")
    for i in range(3):
        rows = zoo.scores(1.0, 20 + i)
        zoo.write(f"liar {i}", replace(rows, pose_label=np.roll(label, 1)))
    for thorough in (False, True):
        assert {row.name for row in zoo.board(thorough).rows} >= {"honest", "honest too"}
        assert not {row.name for row in zoo.board(thorough).rows if row.name.startswith("liar")}


def test_without_the_benchmark_nobody_is_voted_out(zoo: Zoo, monkeypatch: pytest.MonkeyPatch) -> None:
    label = zoo.dataset.column("pose_label")
    for i in range(3):
        zoo.write(f"liar {i}", replace(zoo.scores(1.0, 20 + i), pose_label=np.roll(label, 1)))

    def gone(path: object) -> Dataset:
        raise AffinityZooError("gone")

    monkeypatch.setattr(Dataset, "open", gone)
    boards = build_boards([zoo.root])
    assert [{row.name for row in board.rows} for board in sorted(boards, key=lambda b: len(b.rows))] == [
        {"honest"}, {"liar 0", "liar 1", "liar 2"},
    ]  # fmt: skip
    assert all("is not available" in board.checked for board in boards)
    assert len({board.benchmark for board in boards}) == 2


def test_the_scores_of_another_benchmark(
    zoo: Zoo, at_hand: Add, made_index: Callable[..., Dataset], tmp_path: Path
) -> None:
    other = at_hand(made_index(tmp_path / "other", "q"))
    rows = from_dataset(other, other.rows("all"), other.column("pose_label"))
    zoo.write("liar", rows)
    refused(zoo, "do not belong to the benchmark poses")


def test_an_id_that_stands_there_twice(zoo: Zoo) -> None:
    rows = zoo.scores(1.0, 2)
    zoo.write("liar", replace(rows, id=np.where(np.arange(len(rows)) == 1, rows.id[0], rows.id)))
    refused(zoo, "an id occurs more than once")


def test_an_overlap_set_to_none(zoo: Zoo) -> None:
    """The training pairs are at hand and hold half of the benchmark."""
    path = zoo.write("liar", zoo.scores(1.0, 2))
    with (zoo.root / "liar.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "target", "coordinates"])
        writer.writerows([name, "t", ""] for name in zoo.dataset.column("id")[:60])

    def innocent(data: dict[str, Any]) -> None:
        check = {"verdict": "none", "rows": 0, "of": 120}
        data["overlap"] = {
            "verdict": "none",
            **dict.fromkeys(("id", "coordinates", "sequence", "ligand"), check),
        }

    forge(path, innocent)
    said = {row.name: row.overlap for row in zoo.board().rows}
    assert said["liar"].startswith("found: id 60 of 120") and said["honest"] == "cannot know"
    (zoo.root / "liar.csv").unlink()
    assert {row.name: row.overlap for row in zoo.board().rows}["liar"] == "none (as stated)"


def test_one_run_judged_by_two_outputs_is_one_training(zoo: Zoo) -> None:
    for name, output in (("run 1", ""), ("run 1 by affinity", "affinity")):
        seed = 30 + len(output)
        zoo.write(name, zoo.scores(1.0, seed), recipe_hash="r", weights="w", output=output)
    names = {row.name: row for row in zoo.board().rows}
    assert {"run 1", "run 1 by affinity"} <= set(names)
    assert not any("trainings" in note for row in names.values() for note in row.notes)


@pytest.mark.parametrize("other_weights", [False, True])
def test_copies_of_one_training_are_one(zoo: Zoo, other_weights: bool) -> None:
    rows = zoo.scores(1.0, 40)
    for i in range(5):
        weights = f"w{i}" if other_weights else "w"
        copy = replace(rows, score=rows.score * (1 + 1e-9 * i))
        zoo.write(f"copy {i}", copy, recipe_hash="r", weights=weights, seed=i)
    rows_of = [row for row in zoo.board().rows if row.name.startswith("copy") or "+" in row.name]
    assert len(rows_of) == 1 and not any("trainings" in note for note in rows_of[0].notes)


def test_two_models_with_one_recipe_hash_are_two_rows(zoo: Zoo) -> None:
    zoo.write("small", zoo.scores(0.5, 50), recipe_hash="r", architecture_options={"filters": 4}, seed=0)
    zoo.write("large", zoo.scores(1.5, 51), recipe_hash="r", architecture_options={"filters": 64}, seed=1)
    zoo.write("same seed", zoo.scores(1.5, 52), recipe_hash="r", architecture_options={"filters": 64}, seed=1)
    assert {"small", "large", "same seed"} <= {row.name for row in zoo.board().rows}


def test_seeds_of_one_recipe_are_still_one_row(zoo: Zoo) -> None:
    for seed in range(3):
        zoo.write(f"run {seed}", zoo.scores(1.0, 60 + seed), recipe_hash="r", seed=seed)
    (row,) = [row for row in zoo.board().rows if "+" in row.name]
    assert "3 trainings" in row.notes


@pytest.mark.parametrize("kind", ["model", "baseline"])
def test_a_model_that_calls_itself_a_baseline(zoo: Zoo, kind: str) -> None:
    path = zoo.write("liar", zoo.scores(3.0, 2), kind=kind)

    def rename(data: dict[str, Any]) -> None:
        data["model"]["name"] = "docking-score"

    forge(path, rename)
    words = {
        "model": "is the name of a baseline",
        "baseline": "are not the scores of the baseline docking-score",
    }
    board = zoo.board()
    assert "docking-score" not in {row.name for row in board.rows}
    assert any(words[kind] in reason for reason in board.refused)
    assert zoo.auc("docking-score", thorough=False) is None


def test_true_baselines_pass(zoo: Zoo) -> None:
    chosen = [catalog().create("baseline", name, {}) for name in ("docking-score", "contacts", "random")]
    table = zoo.scores(0.0, 0)
    write_baseline_results(
        zoo.root / "baselines",
        zoo.dataset,
        zoo.dataset.rows("all"),
        table,
        zoo.benchmark.as_result_entry(),
        chosen,
    )
    board = zoo.board()
    assert not board.refused and {"docking-score", "contacts", "random"} <= {row.name for row in board.rows}


def test_bad_figures_left_out_are_there_again(zoo: Zoo) -> None:
    def hide(data: dict[str, Any]) -> None:
        data["metrics"] = {"roc-auc": data["metrics"]["roc-auc"]}

    path = zoo.write("liar", zoo.scores(0.2, 2))
    before = set(json.loads(path.read_text())["metrics"])
    forge(path, hide)
    for thorough in (False, True):
        (row,) = [row for row in zoo.board(thorough).rows if row.name == "liar"]
        assert set(row.metrics) == before


def test_comparisons_take_the_benchmarks_truths_too(zoo: Zoo) -> None:
    """A pair of results whose tables were both changed the same way: compare judges by the benchmark."""
    label = np.roll(zoo.dataset.column("pose_label"), 1)
    for name, seed in (("a", 70), ("b", 71)):
        path = zoo.write(name, replace(zoo.scores(1.0, seed), pose_label=label))

        def bare(data: dict[str, Any]) -> None:
            data["metrics"] = {}

        forge(path, bare)
    found = compare(*find_pair("a", "b", zoo.root), replicates=20)
    first = next(d for d in found.differences if d.metric == "roc-auc-per-complex")
    assert first.a == pytest.approx(judge(zoo.scores(1.0, 70))["roc-auc-per-complex"].value, abs=1e-12)


Malform = Callable[[dict[str, Any]], Any]
MALFORMED: dict[str, Malform] = {
    "no benchmark": lambda d: d.pop("benchmark"),
    "benchmark a text": lambda d: d.update(benchmark="poses"),
    "metrics a list": lambda d: d.update(metrics=[1, 2]),
    "a metric a number": lambda d: d["metrics"].update({"top-1": 3.0}),
    "no model": lambda d: d.pop("model"),
    "no predictions": lambda d: d.pop("predictions"),
    "a metric without name": lambda d: d["metrics"]["top-1"].pop("name"),
    "a metric's value a text": lambda d: d["metrics"]["top-1"].update(value="high"),
    "a direction of its own": lambda d: d["metrics"]["top-1"].update(direction="up"),
    "a truth of its own": lambda d: d["metrics"]["top-1"].update(truth="mine"),
    "options that do not exist": lambda d: d["metrics"]["top-1"].update(options={"luck": 1}),
    "a path that leads out": lambda d: d["predictions"].update(file="../other/predictions.csv"),
    "an absolute path": lambda d: d["predictions"].update(file="/etc/passwd"),
    "version as text": lambda d: d.update(version="1"),
    "a version of the future": lambda d: d.update(version=99),
    "an unknown kind": lambda d: d["model"].update(kind="oracle"),
    "control characters": lambda d: d["model"].update(name="a\x1b[2Jb"),
    "unscored below zero": lambda d: d.update(n_unscored=-3),
    "rows a text": lambda d: d["benchmark"].update(rows="all"),
    "seeds a dict": lambda d: d.update(seeds={"a": 1}),
    "overlap a list": lambda d: d.update(overlap=["none"]),
    "training a text": lambda d: d.update(training="none"),
}  # fmt: skip


@pytest.mark.parametrize("what", list(MALFORMED))
def test_a_malformed_result_is_refused_with_a_sentence(zoo: Zoo, what: str) -> None:
    path = forge(zoo.write("liar", zoo.scores(1.0, 2)), MALFORMED[what])
    results, reasons = load_all([zoo.root])
    assert [result.model["name"] for result in results] == ["honest"]
    assert len(reasons) == 1 and str(path) in reasons[0] and "Traceback" not in reasons[0]


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"format": "affinity-zoo result"}', "[" * 100_000])
def test_what_is_no_json_object_is_refused(zoo: Zoo, text: str) -> None:
    (zoo.root / "liar_logs").mkdir()
    (zoo.root / "liar_logs/result.json").write_text(text)
    results, reasons = load_all([zoo.root])
    assert len(results) == len(reasons) == 1


def test_damaged_predictions_are_refused(zoo: Zoo) -> None:
    path = zoo.write("liar", zoo.scores(1.0, 2))
    table = path.with_name("predictions.csv")
    for text in (
        "id,score\n" + "x" * 200_000 + ",1\n",
        "id,score\np0,x\n",
        "id\np0\n",
        "id,score\np0,1,2\n",
        "",
    ):
        table.write_text(text)

        def sealed(data: dict[str, Any]) -> None:
            data["predictions"]["sha256"] = file_hash(table)

        forge(path, sealed)
        results, reasons = load_all([zoo.root])
        assert len(results) == len(reasons) == 1, text


@pytest.mark.parametrize("change", [{"rows": "many"}, {"path": 3}, {"counts": [1]}, {"sources": "docked"}])
def test_a_malformed_benchmark_is_refused_with_a_sentence(zoo: Zoo, change: dict[str, Any]) -> None:
    path = zoo.root / "benchmarks/poses.json"
    write_sealed(path, {**json.loads(path.read_text()), **change})
    with pytest.raises(AffinityZooError, match="is damaged: not a benchmark"):
        benchmarks.find(zoo.root, "poses")
    assert load_result(zoo.root / "honest_logs").model["name"] == "honest"
    assert len(build_boards([zoo.root])) == 1
