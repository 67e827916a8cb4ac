"""Intervals: what is drawn, that they cover, that they are the same twice, that they are fast."""

from __future__ import annotations

import time

import numpy as np
import pytest

from affinity_zoo.plugins.contracts import Predictions, Score, Scorer, Truth
from affinity_zoo.zoo.judging.bootstrap import interval, replicate_values, resampling
from affinity_zoo.zoo.judging.judge import judge
from affinity_zoo.zoo.judging.predictions import make_predictions
from affinity_zoo.zoo.scorers.affinity import Pearson
from affinity_zoo.zoo.scorers.poses import Top1
from affinity_zoo.zoo.scorers.roc_auc import RocAuc, RocAucPerComplex


def complexes(groups: int, poses: int, seed: int, spread: float = 0.6) -> Predictions:
    """Poses whose scores share a shift by complex and whose skill differs from complex to complex."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), poses)
    label = np.tile(np.r_[1.0, 1.0, np.zeros(poses - 2)], groups)
    skill = 1.0 + spread * rng.normal(size=groups)
    score = rng.normal(size=len(group)) + rng.normal(size=groups)[group] + skill[group] * label
    names = np.char.add("c", group.astype(str))
    return make_predictions(
        id=np.arange(len(group)).astype(str), score=score, pose_label=label, target=names, molecule=names
    )


@pytest.mark.parametrize("scorer", [RocAucPerComplex(), RocAuc(), Top1()], ids=lambda s: s.name)
def test_the_interval_covers_the_truth_as_often_as_it_says(scorer: Scorer) -> None:
    """95 % intervals of 300 simulated benchmarks of 60 complexes; the truth is the value on 40,000 complexes."""
    truth = scorer.score(complexes(40_000, 8, seed=10_000), "pose_label").value
    inside = 0
    for seed in range(300):
        table = complexes(60, 8, seed)
        found = interval(scorer, table, "pose_label", resampling(table, 400, seed))
        inside += found.low <= truth <= found.high
    # binomial, 300 draws at 0.94 (60 groups cost a percent): three standard deviations are 0.041
    assert 0.90 <= inside / 300 <= 0.985


def test_rows_instead_of_groups_would_promise_too_much() -> None:
    """Where whole groups share a label and a shift, drawing rows sees ten times more data than there is."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(40), 10)
    label = (group % 2) * 1.0
    score = rng.normal(size=40)[group] + 0.3 * rng.normal(size=400) + 0.8 * label
    ids, names = np.arange(400).astype(str), np.char.add("g", group.astype(str))
    table = make_predictions(id=ids, score=score, pose_label=label, target=names)
    rows = make_predictions(id=ids, score=score, pose_label=label, target=ids)
    by_group = interval(RocAuc(), table, "pose_label", resampling(table, 500))
    by_row = interval(RocAuc(), rows, "pose_label", resampling(rows, 500))
    assert by_group.high - by_group.low > 2.0 * (by_row.high - by_row.low)
    assert (by_group.over, by_group.drawn) == ("groups", 40)


def test_few_targets_draw_molecules_within_each_and_say_so() -> None:
    rng = np.random.default_rng(0)
    target = np.repeat(["A", "B"], [200, 50])
    active = (rng.random(250) < 0.3) * 1.0
    table = make_predictions(
        id=np.arange(250).astype(str), score=rng.normal(size=250) + active, active=active, target=target,
        molecule=[f"m{i // 2}" for i in range(250)],
    )  # fmt: skip
    draws = resampling(table, 20)
    assert draws.over == "molecules within targets"
    assert draws.counts.shape == (20, 125)
    assert (draws.counts[:, :100].sum(1) == 100).all()
    assert (draws.counts[:, 100:].sum(1) == 25).all()
    found = judge(table, [RocAucPerComplex()], replicates=50)["roc-auc-per-complex"]
    assert found.low < found.value < found.high
    assert found.interval["over"] == "molecules within targets"


def test_poses_of_few_complexes_draw_the_complexes_and_warn() -> None:
    draws = resampling(complexes(6, 8, 0), 50)
    assert draws.over == "groups (only 6: too narrow)"
    found = interval(RocAuc(), complexes(6, 8, 0), "pose_label", draws)
    assert found.low < found.high


def test_the_same_seed_gives_the_same_draws() -> None:
    table = complexes(30, 5, 1)
    one, two, other = (resampling(table, 10, seed).counts for seed in (4, 4, 5))
    np.testing.assert_array_equal(one, two)
    assert (one != other).any()
    assert (one.sum(1) == 30).all()


def test_a_scorer_of_a_plugin_needs_no_fast_way() -> None:
    class Mean(Scorer):
        name, summary, truths, unit, direction = "mean", "", ("pose_label",), "", "higher"

        def options(self) -> dict[str, object]:
            return {}

        def score(self, predictions: Predictions, truth: Truth, weights: np.ndarray | None = None) -> Score:
            return Score(float(np.average(predictions.score, weights=weights)))

    table = complexes(30, 5, 1)
    draws = resampling(table, 8)
    expected = [np.average(table.score, weights=counts[draws.group]) for counts in draws.counts]
    np.testing.assert_allclose(replicate_values(Mean(), table, "pose_label", draws), expected)


@pytest.mark.slow
def test_a_million_predictions_in_5000_groups_take_seconds() -> None:
    rng = np.random.default_rng(0)
    group = np.char.add("g", rng.integers(0, 5000, 1_000_000).astype(str))
    label = (rng.random(1_000_000) < 0.1) * 1.0
    table = make_predictions(
        id=np.arange(1_000_000).astype(str), score=rng.normal(size=1_000_000) + label, pose_label=label,
        affinity=label, target=group, molecule=group,
    )  # fmt: skip
    started = time.process_time()
    found = judge(table, [RocAucPerComplex(), RocAuc(), Top1(), Pearson()])
    assert len(found) == 4
    assert time.process_time() - started < 60  # s of processor time, which a busy machine changes little
