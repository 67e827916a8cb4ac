"""Ranking within series: against scipy, target by target."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from affinity_zoo.plugins.contracts import Predictions
from affinity_zoo.zoo.catalog.registry import catalog
from affinity_zoo.zoo.judging.judge import judge
from affinity_zoo.zoo.judging.predictions import make_predictions


def series(sizes: list[int], seed: int, ties: bool = False) -> Predictions:
    rng = np.random.default_rng(seed)
    target = np.repeat([f"t{i}" for i in range(len(sizes))], sizes)
    n = len(target)
    affinity = rng.normal(7, 1, n)
    score = affinity + rng.normal(0, 1, n)
    score, affinity = (score.round(), affinity.round()) if ties else (score, affinity)
    return make_predictions(id=[f"p{i}" for i in range(n)], score=score, affinity=affinity, target=target)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=6), st.integers(0, 99), st.booleans())
def test_spearman_per_series_is_the_mean_of_scipys(sizes: list[int], seed: int, ties: bool) -> None:
    rows = series(sizes, seed, ties)
    values = []
    for name in np.unique(rows.target):
        x, y = rows.score[rows.target == name], rows.affinity[rows.target == name]
        if len(x) >= 5 and len(set(y)) > 1:
            values.append(spearmanr(x, y).statistic if len(set(x)) > 1 else 0.0)
    found = catalog().create("scorer", "ranking-power", {}).score(rows, "affinity")
    assert found.value == pytest.approx(np.mean(values)) if values else np.isnan(found.value) and found.note


def test_a_constant_score_is_worth_nothing_and_small_series_are_counted() -> None:
    rows = series([5, 5, 4], 1)
    rows.score[:] = 1.0
    metric = judge(rows, [catalog().create("scorer", "spearman-per-series", {})], replicates=10)[
        "spearman-per-series"
    ]
    assert metric.value == 0.0 and metric.counted == "2 of 3 targets"
