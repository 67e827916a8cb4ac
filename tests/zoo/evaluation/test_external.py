"""Scores of other programs: read by documented names, judged like any row, missing ones counted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from affinity_zoo import evaluate_scores
from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.board import benchmarks
from affinity_zoo.zoo.board.comparison import compare, find_pair
from affinity_zoo.zoo.board.leaderboard import build_boards
from affinity_zoo.zoo.board.leaderboard_text import as_markdown
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.evaluation.external import DirectionUnknownError
from affinity_zoo.zoo.evaluation.score_files import read_scores

Made = SimpleNamespace


@pytest.fixture
def made(
    tmp_path: Path,
    at_hand: Callable[[Dataset], Dataset],
    made_index: Callable[..., Dataset],
    few_baselines: Callable[..., None],
) -> Made:
    """A benchmark and scores of its pairs, of which lower is better; two baselines that cost little."""
    few_baselines("contacts", "random")
    dataset = at_hand(made_index(tmp_path / "data"))
    runs = tmp_path / "summaries"
    benchmarks.add(runs, benchmarks.describe("poses", dataset))
    label = dataset.column("pose_label")
    score = np.random.default_rng(1).normal(size=len(label)).round(3) - 1.5 * label
    return Made(
        dataset=dataset, runs=runs, ids=dataset.column("id").tolist(), label=label, score=score, path=tmp_path
    )


def table(made: Made, path: Path, head: str = "id,score", sign: float = 1.0, leave: int = 0) -> Path:
    rows = [f"{name},{sign * value!r}" for name, value in zip(made.ids, made.score.tolist(), strict=True)]
    path.write_text("\n".join([head, *rows[leave:]]) + "\n")
    return path


def test_a_table_is_a_row_like_any_other(made: Made) -> None:
    result = evaluate_scores(table(made, made.path / "g.csv"), "poses", name="Glide SP", direction="lower",
                             runs=made.runs)  # fmt: skip
    assert result.metrics["roc-auc"].value == pytest.approx(roc_auc_score(made.label, -made.score))
    (board,) = build_boards([made.runs], recompute=True)
    (row,) = [row for row in board.rows if not row.baseline]
    assert (row.name, row.kind, row.overlap, row.featurizer) == (
        "Glide SP",
        "external",
        "cannot know",
        "external",
    )
    assert not board.refused and "confusion" not in row.metrics  # no logit, so no threshold
    assert row.metrics["roc-auc"].low < row.metrics["roc-auc"].value < row.metrics["roc-auc"].high
    assert "| Glide SP | external |" in as_markdown([board])
    found = compare(*find_pair("Glide SP", "contacts", made.runs), replicates=50)
    assert found.differences[0].winner == "a"


def test_near_native_and_valid_stands_on_the_board_of_an_index_with_validity(
    made: Made, made_index: Callable[..., Dataset], at_hand: Callable[[Dataset], Dataset]
) -> None:
    """The column of the index decides; what a result's table says of it does not."""
    valid = np.where(np.arange(len(made.ids)) % 12 < 6, "1", "0")
    valid[:6] = ""  # the poses of the first complex were not checked
    checked = at_hand(made_index(made.path / "checked", pose_valid=valid))
    benchmarks.add(made.runs, benchmarks.describe("checked", checked))
    perfect = dict(zip(made.ids, made.label.tolist(), strict=True))
    result = evaluate_scores(perfect, "checked", name="best", direction="higher", runs=made.runs)
    plain, strict = result.metrics["docking-success"], result.metrics["docking-success-valid"]
    assert (plain.value, strict.value) == (100.0, 45.0)  # 9 of 20 complexes: 10 have valid poses, 1 unchecked
    assert strict.details["not_checked"] == 6 and "6 of 120 poses were not checked" in strict.note
    (board,) = build_boards([made.runs], recompute=True)
    assert "docking-success-valid" in next(row for row in board.rows if row.name == "best").metrics
    path = result.path.parent / "predictions.csv"
    text = path.read_text()
    head, first = text.splitlines()[:2]
    assert head.split(",")[-1] == "pose_valid" and first.split(",")[-1] == ""
    wrong = at_hand(made_index(made.path / "wrong", prefix="w", pose_valid=np.full(len(made.ids), "perhaps")))
    with pytest.raises(AffinityZooError, match="'perhaps': it must be 1, 0 or empty"):
        benchmarks.describe("wrong", wrong)


def test_the_same_scores_by_every_way_in(made: Made) -> None:
    pandas = pytest.importorskip("pandas")
    by_file = evaluate_scores(
        table(made, made.path / "a.csv"), "poses", name="a", direction="lower", runs=made.runs
    )
    known = table(made, made.path / "b.csv", "name,minimizedAffinity")
    ways: list[Any] = [
        evaluate_scores(known, "poses", name="b", runs=made.runs),
        evaluate_scores(dict(zip(made.ids, -made.score, strict=True)), "poses", name="c", direction="higher",
                        runs=made.runs),
        evaluate_scores(pandas.DataFrame({"id": made.ids, "score": made.score})[::-1], "poses", name="d",
                        direction="lower", runs=made.runs),
        evaluate_scores(table(made, made.path / "e.csv", "pair,other"), "poses", name="e", direction="lower",
                        column="other", id_column="pair", runs=made.runs),
    ]  # fmt: skip
    for result in ways:
        assert {key: m.value for key, m in result.metrics.items()} == {
            k: m.value for k, m in by_file.metrics.items()
        }


def test_pairs_that_are_not_in_the_file_count_as_last(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    result = evaluate_scores(table(made, made.path / "g.csv", leave=30), "poses", name="short", direction="lower",
                             runs=made.runs)  # fmt: skip
    assert "30 of 120 pairs have no score of short" in capsys.readouterr().err
    filled = np.where(np.arange(120) < 30, -99.0, -made.score)
    assert result.metrics["roc-auc"].value == pytest.approx(roc_auc_score(made.label, filled))
    (board,) = build_boards([made.runs])
    assert next(row.coverage for row in board.rows if row.name == "short") == 0.75
    assert "| 75.0 % |" in as_markdown([board])


def test_a_constant_score_gets_chance(made: Made) -> None:
    result = evaluate_scores(
        dict.fromkeys(made.ids, 3.0), "poses", name="flat", direction="higher", runs=made.runs
    )
    assert result.metrics["roc-auc"].value == result.metrics["roc-auc-per-complex"].value == 0.5
    assert result.metrics["top-1"].value == pytest.approx(100.0 / 6)


def sdf(records: list[tuple[str, dict[str, object]]]) -> str:
    text = ""
    for title, properties in records:
        text += f"{title}\n  made\n\n  0  0  0  0  0  0  0  0  0  0999 V2000\nM  END\n"
        text += "".join(f">  <{key}>\n{value}\n\n" for key, value in properties.items()) + "$$$$\n"
    return text


def test_properties_of_an_sdf(made: Made) -> None:
    """gnina writes several scores: the first known one is taken, another by name, each in its own direction."""
    path = made.path / "docked.sdf"
    path.write_text(
        sdf(
            [
                (name, {"minimizedAffinity": value, "CNNscore": -value})
                for name, value in zip(made.ids, made.score, strict=True)
            ]
        )
    )
    found = read_scores(path)
    assert (found.column, found.known and found.known.direction) == ("CNNscore", "higher")
    one = evaluate_scores(path, "poses", name="gnina", runs=made.runs)
    two = evaluate_scores(path, "poses", name="smina", column="minimizedAffinity", runs=made.runs)
    expected = pytest.approx(roc_auc_score(made.label, -made.score))
    assert one.metrics["roc-auc"].value == expected and two.metrics["roc-auc"].value == expected
    assert one.model["program"] == "gnina"


def test_sdf_files_are_matched_by_file_and_record(made: Made) -> None:
    files = made.dataset.column("ligand").copy().astype("U40")
    files[:] = [f"poses/{target}.sdf" for target in made.dataset.column("target")]
    records = np.tile(np.arange(6), 20)
    columns = {"ligand": files, "record": records}
    column = made.dataset.column
    made.dataset.column = lambda name: columns[name] if name in columns else column(name)
    folder = made.path / "scored"
    folder.mkdir()
    for target in np.unique(column("target")):
        rows = np.flatnonzero(column("target") == target)
        (folder / f"{target}.sdf").write_text(sdf([("ligand", {"vina_score": made.score[r]}) for r in rows]))
    result = evaluate_scores(folder, "poses", name="vina", runs=made.runs)
    assert result.metrics["roc-auc"].value == pytest.approx(roc_auc_score(made.label, -made.score))


def test_outputs_of_boltz_and_diffdock(tmp_path: Path) -> None:
    boltz = tmp_path / "boltz/predictions/complex_1"
    boltz.mkdir(parents=True)
    affinity = {"affinity_pred_value": -1.2, "affinity_probability_binary": 0.8}
    (boltz / "affinity_complex_1.json").write_text(json.dumps(affinity))
    (boltz / "confidence_complex_1_model_0.json").write_text(
        json.dumps({"confidence_score": 0.9, "ptm": 0.5})
    )
    (boltz / "confidence_complex_1_model_1.json").write_text(json.dumps({"confidence_score": 0.1}))
    for column, value, direction in (
        (None, 0.8, "higher"), ("affinity_pred_value", -1.2, "lower"), ("confidence_score", 0.9, "higher"),
    ):  # fmt: skip
        found = read_scores(tmp_path / "boltz", column)
        assert [(row.id, row.score) for row in found.rows] == [("complex_1", value)]
        assert found.known is not None and found.known.direction == direction
    for rank, confidence in ((1, "0.41"), (2, "-1.30")):
        place = tmp_path / f"diffdock/1abc/rank{rank}_confidence{confidence}.sdf"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("")
    found = read_scores(tmp_path / "diffdock")
    assert [(row.id, row.score) for row in found.rows] == [("1abc/rank1", 0.41), ("1abc/rank2", -1.3)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id,score\np0,high\n", "line 2: score is 'high', which is not a number"),
        ("id,score\np0,inf\n", "is infinite"),
        ("id,score\np0,1,2\n", "line 2 has 3 cells"),
        ("id,score\np0,1\np0,2\n", "the pair p0 has a score already"),
        ("id,score\nq0,1\n", "no score belongs to a pair"),
        ("id,value\np0,1\n", "no known column of scores"),
        ("x,score\np0,1\n", "that identifies the pairs"),
        ("", "no known column of scores"),
    ],
)
def test_a_wrong_table_gets_a_sentence(made: Made, text: str, words: str) -> None:
    path = made.path / "wrong.csv"
    path.write_text(text)
    with pytest.raises(AffinityZooError, match=words):
        evaluate_scores(path, "poses", name="x", direction="higher", runs=made.runs)


def test_what_must_be_said(made: Made) -> None:
    path = table(made, made.path / "g.csv")
    with pytest.raises(DirectionUnknownError, match="higher or lower"):
        evaluate_scores(path, "poses", name="x", runs=made.runs)
    with pytest.raises(AffinityZooError, match="'docking-score' is the name of a baseline"):
        evaluate_scores(path, "poses", name="docking-score", direction="lower", runs=made.runs)
    with pytest.raises(UsageError, match="not 'up'"):
        evaluate_scores(path, "poses", name="x", direction="up", runs=made.runs)  # type: ignore[arg-type]
    with pytest.raises(AffinityZooError, match="does not exist"):
        evaluate_scores(made.path / "none.csv", "poses", name="x", direction="lower", runs=made.runs)


def test_the_command_line(made: Made, cli: Callable[..., Any]) -> None:
    path = table(made, made.path / "glide.csv")
    done = cli(
        "evaluate",
        "poses",
        "--scores",
        path,
        "--name",
        "Glide SP",
        "--direction",
        "lower",
        "--runs",
        made.runs,
    )
    assert done.code == 0 and "Glide SP on poses" in done.out
    done = cli("evaluate", "poses", "--scores", path, "--runs", made.runs)
    assert done.code == 2 and "higher or lower" in done.err
