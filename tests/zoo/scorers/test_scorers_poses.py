"""Docking success and top-1: by hand, with ties, with complexes that have no good pose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from affinity_zoo.plugins.contracts import Predictions
from affinity_zoo.zoo.board.truths import Truth
from affinity_zoo.zoo.judging.judge import default_scorers, metric_key
from affinity_zoo.zoo.judging.predictions import labels_hash, make_predictions, take
from affinity_zoo.zoo.scorers.poses import DockingSuccess, DockingSuccessValid, Top1
from affinity_zoo.zoo.scorers.rescored import with_score


def docked() -> Predictions:
    """Three complexes: a good first pose, a good third pose, no good pose; a crystal pose in the last."""
    return make_predictions(
        id=[f"p{i}" for i in range(10)],
        score=[3.0, 2, 1, 3, 2, 1, 9, 3, 2, 1],
        rmsd=[1.0, 5, 6, 7, 4, 1.9, 0, 5, 6, 7],
        pose_label=[1.0, 0, 0, 0, 0, 1, 1, 0, 0, 0],
        target=list("aaabbbcccc"), molecule=["L"] * 10, group=list("aaabbbcccc"),
        source=["docked"] * 6 + ["crystal"] + ["docked"] * 3,
    )  # fmt: skip


@pytest.mark.parametrize(("top", "percent"), [(1, 100 / 3), (2, 100 / 3), (3, 200 / 3), (5, 200 / 3)])
def test_success_counts_all_complexes_and_no_crystal_pose(top: int, percent: float) -> None:
    found = DockingSuccess(top=top).score(docked(), "rmsd")
    assert found.value == pytest.approx(percent)
    assert found.details["ceiling"] == pytest.approx(200 / 3)


def test_top_1_takes_crystal_poses_and_complexes_of_two_classes() -> None:
    found = Top1().score(docked(), "pose_label")
    assert found.value == pytest.approx(200 / 3)
    assert found.details["chance"] == pytest.approx(100 * np.mean([1 / 3, 1 / 3, 1 / 4]))


def test_a_complex_without_docked_poses_is_a_failure_not_a_gap() -> None:
    table = take(docked(), np.array([0, 1, 2, 6]))
    assert DockingSuccess().score(table, "rmsd").value == pytest.approx(50.0)


def test_equal_scores_count_by_chance() -> None:
    table = docked()
    table.score[:] = 0.0
    assert DockingSuccess(top=1).score(table, "rmsd").value == pytest.approx(100 * (1 / 3 + 1 / 3) / 3)
    # two of three drawn without the one good pose: (2 over 2) / (3 over 2) = 1/3
    assert DockingSuccess(top=2).score(table, "rmsd").value == pytest.approx(100 * (2 / 3 + 2 / 3) / 3)


def test_ties_are_the_mean_over_random_orders() -> None:
    rng = np.random.default_rng(0)
    rows = 400
    target = np.repeat([f"c{i}" for i in range(40)], 10)
    table = make_predictions(
        id=np.arange(rows).astype(str),
        score=rng.integers(0, 3, rows),
        rmsd=rng.uniform(0, 8, rows),
        target=target,
    )
    scorer = DockingSuccess(top=3)
    found = []
    for _ in range(800):
        shaken = take(table, np.arange(rows))
        shaken.score[:] += 1e-3 * rng.random(rows)
        found.append(scorer.score(shaken, "rmsd").value)
    assert scorer.score(table, "rmsd").value == pytest.approx(
        np.mean(found), abs=5 * np.std(found) / 800**0.5
    )


def test_only_crystal_poses_is_undefined_and_says_so() -> None:
    table = make_predictions(
        id=["a", "b"], score=[1.0, 2], rmsd=[0.0, 0], source=["crystal"] * 2, target=["a", "b"]
    )
    assert "no docked pose is near-native" in DockingSuccess().score(table, "rmsd").note


@pytest.mark.parametrize(
    ("valid", "top", "percent"),
    [
        ([1.0] * 10, 1, 100 / 3),  # all valid: as docking-success
        ([0.0, *[1.0] * 9], 1, 0.0),  # the near-native first pose of a is not valid
        ([0.0, *[1.0] * 9], 3, 100 / 3),  # b's third pose counts
        ([np.nan, *[1.0] * 9], 1, 0.0),  # not checked is not valid
        ([1.0, *[0.0] * 9], 5, 100 / 3),
        ([0.0] * 10, 5, 0.0),
    ],
)
def test_near_native_poses_count_only_if_valid(valid: list[float], top: int, percent: float) -> None:
    table = replace(docked(), extra={"pose_valid": np.array(valid)})
    found = DockingSuccessValid(top=top).score(table, "rmsd")
    assert found.value == pytest.approx(percent)
    assert found.details.get("not_checked", 0) == int(np.isnan(valid).sum())
    assert ("not checked" in found.note) == bool(np.isnan(valid).any())


def test_validity_stands_on_boards_where_the_benchmark_has_it() -> None:
    table = replace(docked(), extra={"pose_valid": np.ones(10)})
    with_column = [metric_key(scorer) for scorer in default_scorers(table)]
    assert with_column.index("docking-success-valid") == with_column.index("docking-success") + 1
    assert {"docking-success-valid(top=3)", "docking-success-valid(top=5)"} <= set(with_column)
    assert not any("valid" in metric_key(scorer) for scorer in default_scorers(docked()))
    assert "no column pose_valid" in DockingSuccessValid().score(docked(), "rmsd").note


def test_validity_belongs_to_the_benchmark_not_to_the_scores() -> None:
    """A result that states other validity is judged by the benchmark's."""
    pairs = replace(docked(), extra={"pose_valid": np.array([0.0, *[1.0] * 9])})
    stated = replace(docked(), extra={"pose_valid": np.ones(10)})
    truth = Truth("b", "", pairs, None, np.arange(10))
    for given in (stated, take(stated, np.arange(10)[::-1])):
        judged = truth.judged(given)
        assert DockingSuccessValid().score(judged, "rmsd").value == 0.0
    assert labels_hash(pairs) != labels_hash(stated) != labels_hash(docked())
    assert with_score(pairs, np.zeros(10)).extra["pose_valid"][0] == 0.0
