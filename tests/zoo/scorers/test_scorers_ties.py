"""Ranking figures: against scikit-learn, against all orders of tied rows, with weights, on sorted data."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, confusion_matrix, matthews_corrcoef, roc_auc_score

from affinity_zoo.plugins.contracts import Predictions
from affinity_zoo.zoo.judging.bootstrap import Resampling
from affinity_zoo.zoo.judging.predictions import make_predictions, take
from affinity_zoo.zoo.scorers import ties
from affinity_zoo.zoo.scorers.base import PooledRanking
from affinity_zoo.zoo.scorers.confusion import Confusion
from affinity_zoo.zoo.scorers.r_precision import RPrecision
from affinity_zoo.zoo.scorers.roc_auc import RocAuc, RocAucPerComplex
from affinity_zoo.zoo.scorers.units import units

RANKINGS = st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=40).filter(
    lambda rows: len({label for _, label in rows}) == 2
)


def pose_table(score: np.ndarray, label: np.ndarray, group: np.ndarray | None = None) -> Predictions:
    group = np.full(len(score), "a") if group is None else group
    ids = [f"p{i}" for i in range(len(score))]
    return make_predictions(id=ids, score=score, pose_label=label, target=group, molecule=group, group=group)


def random_table(rows: int, groups: int, levels: int = 12, seed: int = 0) -> Predictions:
    rng = np.random.default_rng(seed)
    label = rng.random(rows) < 0.3
    score = np.round(rng.normal(size=rows) + label, 1) if levels else rng.normal(size=rows) + label
    return pose_table(score, label * 1.0, np.char.add("g", rng.integers(0, groups, rows).astype(str)))


@given(RANKINGS)
def test_auc_is_that_of_scikit_learn(rows: list[tuple[int, bool]]) -> None:
    score, label = np.array([r[0] for r in rows], float), np.array([r[1] for r in rows], float)
    assert float(ties.auc(*ties.blocks(score, label))) == pytest.approx(roc_auc_score(label, score))
    assert RocAuc().score(pose_table(score, label), "pose_label").value == pytest.approx(
        roc_auc_score(label, score)
    )


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=2, max_size=6))
def test_tied_rows_count_by_the_mean_over_all_orders(rows: list[tuple[int, bool]]) -> None:
    """The mean over every order of the rows that keeps the scores sorted."""
    if len({label for _, label in rows}) < 2:
        return
    positives = sum(label for _, label in rows)
    found_r, found_ap = [], []
    for order in itertools.permutations(rows):
        if [s for s, _ in order] != sorted((s for s, _ in order), reverse=True):
            continue
        labels = [label for _, label in order]
        found_r.append(sum(labels[:positives]) / positives)
        precision = [sum(labels[: i + 1]) / (i + 1) for i in range(len(labels)) if labels[i]]
        found_ap.append(sum(precision) / positives)
    score, label = np.array([r[0] for r in rows], float), np.array([r[1] for r in rows], float)
    block = ties.blocks(score, label)
    assert float(ties.r_precision(*block)) == pytest.approx(np.mean(found_r))
    assert float(ties.average_precision(*block)) == pytest.approx(np.mean(found_ap))


def test_average_precision_without_ties_is_that_of_scikit_learn() -> None:
    table = random_table(500, 5, levels=0)
    expected = average_precision_score(table.pose_label, table.score)
    assert float(ties.average_precision(*ties.blocks(table.score, table.pose_label))) == pytest.approx(
        expected
    )


@pytest.mark.parametrize("scorer", [RPrecision(), RocAuc(), RocAucPerComplex(), Confusion()])
def test_weights_are_repetitions(scorer: PooledRanking) -> None:
    table = random_table(300, 20)
    draws = np.random.default_rng(1).integers(0, 4, 20)
    where = units(table, "pose_label").of_row
    repeated = take(table, np.repeat(np.arange(300), draws[where]))
    weighted = scorer.score(table, "pose_label", draws[where].astype(float))
    if isinstance(scorer, RocAucPerComplex):  # repeated rows stay one complex: count complexes instead
        values = [RocAuc().score(take(table, where == u), "pose_label").value for u in range(20)]
        expected = np.average(values, weights=draws)
    else:
        expected = scorer.score(repeated, "pose_label").value
    assert weighted.value == pytest.approx(expected)
    resampled = scorer.resample(table, "pose_label", where, draws[None].astype(np.int32))
    assert resampled == pytest.approx([expected])


@pytest.mark.parametrize("scorer", [RPrecision(), RocAuc(), RocAucPerComplex()])
def test_a_constant_scorer_gets_chance_on_data_sorted_by_label(scorer: PooledRanking) -> None:
    label = np.r_[np.ones(30), np.zeros(70)]
    table = pose_table(np.zeros(100), label)
    found = scorer.score(table, "pose_label")
    assert found.value == pytest.approx(found.details["chance"])


def test_r_precision_says_p_n_and_chance() -> None:
    found = RPrecision().score(pose_table(np.array([3.0, 2, 1, 0]), np.array([1.0, 0, 1, 0])), "pose_label")
    assert found.value == 50.0
    assert found.details == {"P": 2, "N": 2, "chance": 50.0}


def test_per_complex_auc_is_the_mean_of_each() -> None:
    table = random_table(2000, 40, seed=3)
    names = units(table, "pose_label").of_row
    single = [roc_auc_score(table.pose_label[names == u], table.score[names == u]) for u in range(40)]
    found = RocAucPerComplex().score(table, "pose_label")
    assert found.value == pytest.approx(np.mean(single))
    assert RocAuc().score(table, "pose_label").details["per_complex_mean"] == pytest.approx(np.mean(single))


def test_a_complex_of_one_class_is_left_out_and_counted() -> None:
    table = pose_table(np.array([2.0, 1, 5, 4]), np.array([1.0, 0, 1, 1]), np.array(["a", "a", "b", "b"]))
    found = RocAucPerComplex().score(table, "pose_label")
    assert (found.value, found.details["units"], found.details["left_out"]) == (1.0, 1, 1)


def test_confusion_is_written_as_the_ancestor_did() -> None:
    table = random_table(400, 4)
    found = Confusion(threshold=0.5).score(table, "pose_label")
    (tn, fp), (fn, tp) = confusion_matrix(table.pose_label > 0, table.score > 0.5)
    assert found.details["matrix"] == [[tp, fp], [fn, tn]]
    assert found.value == pytest.approx(matthews_corrcoef(table.pose_label > 0, table.score > 0.5))


@pytest.mark.parametrize("scorer", [RPrecision(), RocAuc(), RocAucPerComplex(), Confusion()])
def test_one_class_is_undefined_and_says_so(scorer: PooledRanking) -> None:
    found = scorer.score(pose_table(np.arange(5.0), np.ones(5)), "pose_label")
    assert math.isnan(found.value)
    assert found.note


def test_replicates_with_one_class_are_nan() -> None:
    table = pose_table(np.arange(4.0), np.array([1.0, 1, 0, 0]), np.array(["a", "a", "b", "b"]))
    draws = Resampling(np.array([0, 0, 1, 1]), np.array([[2, 0], [1, 1]], np.int32), "groups", 0)
    values = RPrecision().resample(table, "pose_label", draws.group, draws.counts)
    assert np.isnan(values[0])
    assert values[1] == RPrecision().score(table, "pose_label").value
