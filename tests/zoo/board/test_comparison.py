"""Comparing two results: a real difference is named, none is not claimed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from affinity_zoo.plugins.contracts import Predictions
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.board.comparison import compare, find_pair
from affinity_zoo.zoo.board.results import Result, load_result, write_result
from affinity_zoo.zoo.board.rows import merge_seeds
from affinity_zoo.zoo.judging.predictions import make_predictions, take
from affinity_zoo.zoo.scorers.roc_auc import RocAuc

BENCHMARK = {"name": "toy", "hash": "abcd" * 16, "path": "toy"}


def table(skill: float, seed: int, noise: float = 1.0) -> Predictions:
    shared = np.random.default_rng(99).normal(size=400)
    group = np.repeat([f"g{i}" for i in range(40)], 10)
    label = np.tile([1.0, 1, 0, 0, 0, 0, 0, 0, 0, 0], 40)
    score = shared + noise * np.random.default_rng(seed).normal(size=400) + skill * label
    return make_predictions(id=[f"p{i}" for i in range(400)], score=score, pose_label=label, target=group)


def result(folder: Path, rows: Predictions, name: str, benchmark: dict[str, str] = BENCHMARK) -> Result:
    model = {"name": name, "weights": name}
    return load_result(write_result(folder, model=model, predictions=rows, benchmark=benchmark, replicates=0))


def test_a_real_difference_is_named(tmp_path: Path) -> None:
    a, b = (
        result(tmp_path / "a", table(1.0, 1, 0.1), "weak"),
        result(tmp_path / "b", table(1.6, 2, 0.1), "strong"),
    )
    found = compare(a, b, replicates=300)
    auc = next(d for d in found.differences if d.metric == "roc-auc")
    assert auc.winner == "b"
    assert auc.verdict.startswith("strong is better")
    assert auc.high < 0.0 and "-" not in auc.verdict.replace("roc-auc", "")  # the size, whichever way it goes
    assert auc.difference == pytest.approx(auc.a - auc.b)


def test_noise_is_no_difference(tmp_path: Path) -> None:
    a, b = (
        result(tmp_path / "a", table(1.0, 1, 0.3), "one"),
        result(tmp_path / "b", table(1.0, 2, 0.3), "two"),
    )
    found = compare(a, b, scorers=[RocAuc()], replicates=300)
    assert found.differences[0].verdict.startswith("no difference is shown")
    assert found.differences[0].winner == ""


def test_pairing_sees_more_than_two_intervals(tmp_path: Path) -> None:
    """Both models share most of their noise: the difference is far narrower than either figure."""
    a, b = (
        result(tmp_path / "a", table(1.0, 1, 0.1), "one"),
        result(tmp_path / "b", table(1.2, 2, 0.1), "two"),
    )
    paired = compare(a, b, scorers=[RocAuc()], replicates=300).differences[0]
    single = load_result(
        write_result(tmp_path / "c", model={"name": "x"}, predictions=table(1.0, 1, 0.1), benchmark=BENCHMARK)
    )
    alone = single.metrics["roc-auc"]
    assert (paired.high - paired.low) < 0.6 * (alone.high - alone.low)


def test_a_pair_that_one_side_lacks_counts_against_it(tmp_path: Path) -> None:
    """Both rank perfectly; one gives no score to every second near-native pose, or does not even list it."""
    good = table(50.0, 1)
    hard = (good.pose_label == 1) & (np.arange(400) % 2 == 0)
    evading = replace(good, score=np.where(hard, np.nan, good.score))
    a = result(tmp_path / "a", good, "whole")
    for name, rows in (("nan", evading), ("shorter", take(good, np.flatnonzero(~hard)))):
        b = result(tmp_path / name, rows, name)
        found = compare(a, b, replicates=50)
        assert (found.rows, found.unscored_a, found.unscored_b) == (400, 0, hard.sum())
        auc = next(d for d in found.differences if d.metric == "roc-auc-per-complex")
        assert auc.a == 1.0 and auc.b == 0.5 and auc.winner == "a"  # one of two positives is last
        turned = compare(b, a, replicates=50)
        assert turned.unscored_a == hard.sum() and turned.differences[0].winner == "b"


def test_results_without_a_common_pair_are_refused(tmp_path: Path) -> None:
    a = result(tmp_path / "a", take(table(1.0, 1), np.arange(200)), "one")
    b = result(tmp_path / "b", take(table(1.0, 1), np.arange(200, 400)), "two")
    with pytest.raises(AffinityZooError, match="no pair in common"):
        compare(a, b)


def test_different_truths_are_refused(tmp_path: Path) -> None:
    other = table(1.0, 2)
    other.pose_label[0] = 0.0
    with pytest.raises(AffinityZooError, match="have different true values"):
        compare(result(tmp_path / "a", table(1.0, 1), "one"), result(tmp_path / "b", other, "two"))


def test_results_are_found_by_number_folder_and_name(tmp_path: Path) -> None:
    result(tmp_path / "3_logs/results/toy", table(1.0, 1), "one")
    result(tmp_path / "baselines/toy/contacts", table(0.5, 2), "contacts")
    a, b = find_pair("3", "contacts", tmp_path)
    assert (a[0].model["name"], b[0].model["name"]) == ("one", "contacts")
    assert find_pair(str(tmp_path / "3_logs"), "3", tmp_path)[0][0].path == a[0].path
    with pytest.raises(AffinityZooError, match="no result of 'nobody'"):
        find_pair("nobody", "3", tmp_path)


def test_several_benchmarks_need_a_choice(tmp_path: Path) -> None:
    for name in ("x", "y"):
        for x in (1, 2):
            benchmark = {"name": name, "hash": name * 64}
            result(tmp_path / f"{x}_logs" / name, table(1.0, x), f"run {x}", benchmark)
    with pytest.raises(AffinityZooError, match="results on x, y: choose one"):
        find_pair("1", "2", tmp_path)
    assert find_pair("1", "2", tmp_path, "y")[0][0].benchmark["name"] == "y"
    with pytest.raises(AffinityZooError, match="no such benchmark"):
        find_pair("1", "2", tmp_path, "z")


def trainings(folder: Path, skills: list[float], name: str) -> list[Result]:
    made = []
    for i, skill in enumerate(skills):
        model = {"name": f"{name} run {i}", "featurizer": name, "architecture": "net", "recipe_hash": name}
        rows = table(skill, 10 + i, 0.1)
        path = write_result(
            folder / f"{i}_logs", model=model, predictions=rows, benchmark=BENCHMARK, replicates=0
        )
        made.append(load_result(path))
    return made


def test_several_trainings_are_compared_by_their_mean_and_drawn_too(tmp_path: Path) -> None:
    steady = trainings(tmp_path / "steady", [1.4, 1.4, 1.4], "steady")
    fickle = trainings(tmp_path / "fickle", [0.6, 1.1, 2.5], "fickle")
    other = result(tmp_path / "other", table(1.0, 2, 0.1), "other")
    one = compare(steady, other, scorers=[RocAuc()], replicates=400).differences[0]
    singles = [compare(r, other, scorers=[RocAuc()], replicates=10).differences[0].a for r in steady]
    assert one.a == pytest.approx(np.mean(singles)) and one.over.endswith("groups, and 3 trainings")
    two = compare(fickle, other, scorers=[RocAuc()], replicates=400).differences[0]
    assert two.high - two.low > 2 * (one.high - one.low)  # trainings that disagree make the answer unsure
    assert one.winner == "a" and two.winner == ""


def test_a_row_of_several_trainings_is_found_by_its_name(tmp_path: Path) -> None:
    trainings(tmp_path, [1.4, 1.4], "steady")
    result(tmp_path / "base", table(1.0, 2, 0.1), "burial")
    a, b = find_pair("steady+net", "burial", tmp_path)
    assert len(a) == 2 and len(b) == 1
    single, _ = find_pair("steady run 1", "burial", tmp_path)
    assert [r.model["name"] for r in single] == ["steady run 1"]
    assert len(find_pair("0", "burial", tmp_path)[0]) == 1


def test_changed_options_stand_in_the_name_of_the_row_and_copies_are_one(tmp_path: Path) -> None:
    model = {"name": "r", "featurizer": "atom-types", "architecture": "resnet3d", "recipe_hash": "x"}
    model["architecture_options"] = {"filters": 16, "depth": 10}
    places = [tmp_path / name for name in ("1_logs", "2_logs", "copy_of_2")]
    made = [
        load_result(
            write_result(p, model=model, predictions=table(1.0, s), benchmark=BENCHMARK, replicates=0)
        )
        for p, s in zip(places, (1, 2, 2), strict=True)
    ]
    (row,) = merge_seeds(made)
    assert row.name == "atom-types+resnet3d(filters=16)" and row.notes[0] == "2 trainings"
