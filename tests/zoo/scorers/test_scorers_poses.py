"""Docking success and top-1: by hand, with ties, with complexes that have no good pose."""

from __future__ import annotations

import numpy as np
import pytest

from affinity_zoo.plugins.contracts import Predictions
from affinity_zoo.zoo.judging.predictions import make_predictions, take
from affinity_zoo.zoo.scorers.poses import DockingSuccess, Top1


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
