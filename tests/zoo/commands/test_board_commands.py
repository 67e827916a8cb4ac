"""leaderboard, compare, report and benchmarks from the command line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from affinity_zoo.cli import app
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.board.results import write_result
from affinity_zoo.zoo.judging.predictions import make_predictions

BENCHMARK = {"name": "toy", "hash": "feed" * 16, "path": "toy"}


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    group = np.repeat([f"{i}abc" for i in range(20)], 6)
    label = np.tile([1.0, 0, 0, 0, 0, 0], 20)
    for x, skill in ((1, 0.5), (2, 2.5)):
        score = np.random.default_rng(x).normal(size=120) + skill * label
        rows = make_predictions(id=[f"p{i}" for i in range(120)], score=score, pose_label=label, target=group)
        model = {"name": f"run {x}", "featurizer": "element-tag", "architecture": "cnn4", "weights": str(x)}
        place = tmp_path / f"summaries/{x}_logs/results/toy"
        write_result(place, model=model, predictions=rows, benchmark=BENCHMARK, replicates=100)
    return tmp_path / "summaries"


def run(*words: str) -> str:
    result = CliRunner().invoke(app, list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_leaderboard_is_printed_best_first(runs: Path) -> None:
    shown = run("leaderboard")
    assert shown.index("run 2") < shown.index("run 1")
    assert "element-tag" in shown and "20 groups" in shown and "↑" in shown
    by_name = run("leaderboard", str(runs), "--benchmark", "toy", "--sort", "confusion", "--all", "--verify")
    assert "best first by confusion, MCC ↑" in by_name


def test_the_leaderboard_is_written_for_machines_and_people(runs: Path, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("board.csv", "board.md", "board.html")]
    printed = run("leaderboard", "--csv", str(files[0]), "--markdown", str(files[1]), "--html", str(files[2]))
    assert all(file.name in printed for file in files)
    with files[0].open() as file:
        records = list(csv.DictReader(file))
    assert {record["unit"] for record in records if record["metric"] == "top-1"} == {"%"}
    assert "| run 2 | element-tag | cnn4 |" in files[1].read_text()
    assert "<table class='board'>" in files[2].read_text()
    board = json.loads(run("leaderboard", "--json"))["boards"][0]
    assert [row["name"] for row in board["rows"]] == ["run 2", "run 1"]


def test_compare_answers_in_words(runs: Path) -> None:
    assert "run 2 is better" in run("compare", "1", "2")
    found = json.loads(run("compare", "1", "2", "--json", "--scorer", "roc-auc"))
    assert [d["metric"] for d in found["differences"]] == ["roc-auc"]
    assert found["differences"][0]["high"] < 0


def test_a_report_of_a_run_is_written_beside_it(runs: Path) -> None:
    assert "report.html" in run("report", "1")
    assert "run 1" in (runs / "1_logs/report.html").read_text()


def test_an_edited_result_is_left_out_and_named(runs: Path) -> None:
    path = runs / "1_logs/results/toy/predictions.csv"
    path.write_text(path.read_text().replace(",1.0,", ",0.0,", 1))
    result = CliRunner().invoke(app, ["leaderboard"])
    assert "run 1" not in result.stdout
    assert "was edited" in result.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("leaderboard", "nowhere"), "nowhere does not exist"),
        (("leaderboard", "--benchmark", "other"), "no result is on a benchmark 'other'"),
        (("leaderboard", "--sort", "luck"), "no result has the metric 'luck'"),
        (("compare", "1", "nobody"), "no result of 'nobody'"),
        (("benchmarks", "show", "other"), "there is no benchmark 'other'"),
        (("benchmarks", "add", "x", "nowhere"), "nowhere does not exist"),
    ],
)
def test_mistakes_get_a_sentence(runs: Path, words: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(AffinityZooError, match=sentence):
        run(*words)
