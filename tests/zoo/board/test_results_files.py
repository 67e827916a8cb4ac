"""Result files: written whole, read back, refused when edited; the board built from them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from affinity_zoo.plugins.contracts import Predictions
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.board.leaderboard import build_boards
from affinity_zoo.zoo.board.leaderboard_text import as_csv, as_json, as_markdown, headings, table_rows
from affinity_zoo.zoo.board.results import load_result, write_result, write_sealed
from affinity_zoo.zoo.evaluation.ancestor_files import write_ancestor_files
from affinity_zoo.zoo.judging.predictions import (
    labels_hash,
    make_predictions,
    read_predictions,
    write_predictions,
)
from affinity_zoo.zoo.scorers.rescored import with_score

BENCHMARK = {"name": "toy", "hash": "c0ffee" * 8, "path": "toy"}


def toy(seed: int = 0, skill: float = 1.5) -> Predictions:
    rng = np.random.default_rng(seed)
    group = np.repeat([f"{i}abc" for i in range(20)], 6)
    label = np.tile([1.0, 0, 0, 0, 0, 0], 20)
    return make_predictions(
        id=[f"{g}/{i}" for i, g in enumerate(group)], score=rng.normal(size=120) + skill * label,
        pose_label=label, target=group, molecule=np.full(120, "LIG"), group=group,
        source=np.full(120, "docked"), extra={"passes": rng.normal(size=120), "text": np.full(120, "a,b")},
    )  # fmt: skip


def write_toy(folder: Path, name: str = "ours", skill: float = 1.5, **more: object) -> Path:
    model = {"name": name, "featurizer": "atom-types", "architecture": "cnn4", "weights": name, **more}
    return write_result(
        folder, model=model, predictions=toy(skill=skill), benchmark=BENCHMARK, seeds=[1], replicates=200
    )


def test_predictions_survive_csv_bit_for_bit(tmp_path: Path) -> None:
    table = toy()
    table.score[3] = np.nan
    again = read_predictions(write_predictions(tmp_path / "p.csv", table))
    for name in ("id", "score", "group", "pose_label", "active", "source"):
        np.testing.assert_array_equal(getattr(again, name), getattr(table, name))
    np.testing.assert_array_equal(again.extra["passes"], table.extra["passes"])
    np.testing.assert_array_equal(again.extra["text"], table.extra["text"])
    assert labels_hash(again) == labels_hash(table)


def test_a_table_without_score_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("id,pose_label\na,1\n")
    with pytest.raises(AffinityZooError, match=r"p\.csv .*id and score"):
        read_predictions(tmp_path / "p.csv")


def test_a_result_reads_back_with_intervals(tmp_path: Path) -> None:
    result = load_result(write_toy(tmp_path / "r"), recompute=True)
    auc = result.metrics["roc-auc"]
    assert auc.low < auc.value < auc.high
    assert auc.interval["over"] == "groups"
    assert auc.interval["drawn"] == 20
    assert result.data["versions"]["numpy"] == np.__version__
    assert len(result.predictions()) == 120


@pytest.mark.parametrize("what", ["score", "label"])
def test_an_edited_prediction_or_label_is_found(tmp_path: Path, what: str) -> None:
    path = write_toy(tmp_path)
    table = tmp_path / "predictions.csv"
    lines = table.read_text().splitlines()
    cells = lines[1].split(",")
    column = lines[0].split(",").index("score" if what == "score" else "pose_label")
    cells[column] = "9.0"
    table.write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]) + "\n")
    with pytest.raises(AffinityZooError, match="was edited"):
        load_result(path)


def test_an_edited_metric_is_found(tmp_path: Path) -> None:
    path = write_toy(tmp_path)
    data = json.loads(path.read_text())
    data["metrics"]["roc-auc"]["value"] = 0.999
    path.write_text(json.dumps(data))
    with pytest.raises(AffinityZooError, match="its checksum differs"):
        load_result(path)
    write_sealed(path, data)  # somebody who knows how the seal is made
    load_result(path)
    with pytest.raises(AffinityZooError, match=r"roc-auc is stated as 0\.999 but"):
        load_result(path, recompute=True)


def test_missing_predictions_and_foreign_files_are_refused(tmp_path: Path) -> None:
    path = write_toy(tmp_path)
    (tmp_path / "predictions.csv").unlink()
    with pytest.raises(AffinityZooError, match="are missing"):
        load_result(path)
    path.write_text('{"format": "other"}')
    with pytest.raises(AffinityZooError, match="not a result"):
        load_result(path)


def test_a_folder_keeps_the_result_of_another_model(tmp_path: Path) -> None:
    write_toy(tmp_path, "ours")
    write_toy(tmp_path, "ours")
    with pytest.raises(AffinityZooError, match="already contains the result of ours"):
        write_toy(tmp_path, "theirs")


def test_the_ancestors_files(tmp_path: Path) -> None:
    result = load_result(write_toy(tmp_path / "r"))
    predictions, scores = write_ancestor_files(tmp_path / "3_logs", 3, result)
    assert predictions.name == "3_predictions.txt"
    ranked = [float(line.split("\t")[1]) for line in predictions.read_text().splitlines()[1:]]
    assert ranked == sorted(ranked, reverse=True)
    text = scores.read_text()
    assert "top_100_score" in text and "P 20, N 100, chance 16.67" in text
    assert "confusion matrix: [[" in text


def test_the_board_is_best_first_and_names_its_parts(tmp_path: Path) -> None:
    write_toy(tmp_path / "summaries/1_logs/toy", "weak", 0.2)
    write_toy(tmp_path / "summaries/2_logs/toy", "strong", 3.0)
    baseline = with_score(toy(), np.zeros(120))
    model = {"name": "random", "kind": "baseline"}
    write_result(tmp_path / "b", model=model, predictions=baseline, benchmark=BENCHMARK, replicates=50)
    [board] = build_boards([tmp_path], recompute=True)
    assert [row.name for row in board.rows] == ["strong", "weak", "random"]
    assert board.rows[0].featurizer == "atom-types"
    assert "roc-auc, fraction ↑" in headings(board)
    assert table_rows(board)[2][0] == "(random)"
    assert "| strong | atom-types | cnn4 |" in as_markdown([board])
    assert as_csv([board]).count("\n") == 1 + 3 * len(board.columns)
    json.dumps(as_json([board]))


def test_seeds_of_one_recipe_are_one_row(tmp_path: Path) -> None:
    for seed in range(3):
        write_toy(tmp_path / f"{seed}", f"run {seed}", 1.0 + seed / 10, recipe_hash="same")
    [board] = build_boards([tmp_path])
    [row] = board.rows
    assert row.notes == ["3 trainings"]
    values = row.metrics["roc-auc"].details["seeds"]
    assert row.metrics["roc-auc"].value == pytest.approx(np.mean(values))
    assert f"± {np.std(values, ddof=1):.3f} [" in "".join(table_rows(board)[0])


def test_a_model_with_a_name_keeps_its_row_beside_the_runs_of_its_recipe(tmp_path: Path) -> None:
    for run in (1, 2, 3):
        write_toy(tmp_path / f"{run}", f"run {run}", 1.0 + run / 10, recipe_hash="same", run=run)
    # the shipped copy of run 2
    write_toy(tmp_path / "shipped", "ours", 1.2, recipe_hash="same", run="ours")
    [board] = build_boards([tmp_path])
    rows = {row.name: row for row in board.rows}
    assert len(rows) == 2 and rows["ours"].notes == []
    (several,) = [row for name, row in rows.items() if name != "ours"]
    assert several.notes == ["3 trainings"]


def test_refused_results_are_named_not_dropped(tmp_path: Path) -> None:
    write_toy(tmp_path / "good")
    bad = write_toy(tmp_path / "bad")
    bad.write_text(bad.read_text().replace('"views": null', '"views": 8'))
    [board] = build_boards([tmp_path])
    assert len(board.rows) == 1
    assert "checksum" in board.refused[0]
    bad.with_name("predictions.csv").unlink()
    with pytest.raises(AffinityZooError, match="no usable result"):
        build_boards([tmp_path / "bad"])
    with pytest.raises(AffinityZooError, match="does not exist"):
        build_boards([tmp_path / "nowhere"])
