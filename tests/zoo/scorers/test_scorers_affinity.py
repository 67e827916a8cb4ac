"""Affinity scorers: against scipy and scikit-learn, with ties, weights, constant columns, per series."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from affinity_zoo.plugins.contracts import Predictions, Scorer
from affinity_zoo.zoo.judging.bootstrap import resampling
from affinity_zoo.zoo.judging.predictions import make_predictions, take
from affinity_zoo.zoo.scorers.affinity import Kendall, Mae, Pearson, Rmse, Spearman
from affinity_zoo.zoo.scorers.series import SeriesKendall, SeriesRmse

REFERENCES = {
    Pearson(): lambda x, y: stats.pearsonr(x, y).statistic,
    Spearman(): lambda x, y: stats.spearmanr(x, y).statistic,
    Kendall(): lambda x, y: stats.kendalltau(x, y).statistic,
    Rmse(): lambda x, y: root_mean_squared_error(y, x),
    Mae(): lambda x, y: mean_absolute_error(y, x),
}


def series(rows: int = 240, targets: int = 12, ties: bool = True, seed: int = 0) -> Predictions:
    rng = np.random.default_rng(seed)
    affinity = rng.normal(6.5, 1.2, rows)
    score = 0.5 * affinity + rng.normal(3, 0.8, rows)
    if ties:
        affinity, score = np.round(affinity, 1), np.round(score, 1)
    target = np.array([f"t{i % targets}" for i in range(rows)])
    return make_predictions(id=np.arange(rows).astype(str), score=score, affinity=affinity, target=target)


@pytest.mark.parametrize("scorer", REFERENCES, ids=lambda s: s.name)
def test_the_figure_is_that_of_the_library(scorer: Scorer) -> None:
    table = series()
    expected = REFERENCES[scorer](table.score, table.affinity)
    assert scorer.score(table, "affinity").value == pytest.approx(expected)


@pytest.mark.parametrize("scorer", REFERENCES, ids=lambda s: s.name)
def test_replicates_are_those_of_repeated_rows(scorer: Scorer) -> None:
    table = series()
    draws = resampling(table, 6, seed=3)
    assert draws.over == "groups"
    found = scorer.resample(table, "affinity", draws.group, draws.counts)  # type: ignore[attr-defined]
    for value, counts in zip(found, draws.counts, strict=True):
        rows = np.repeat(np.arange(len(table)), counts[draws.group])
        assert value == pytest.approx(REFERENCES[scorer](table.score[rows], table.affinity[rows]))
        weights = counts[draws.group].astype(float)
        assert value == pytest.approx(scorer.score(table, "affinity", weights).value)


@pytest.mark.parametrize("scorer", [Pearson(), Spearman(), Kendall()], ids=lambda s: s.name)
def test_a_constant_score_has_no_correlation_and_says_so(scorer: Scorer) -> None:
    table = series()
    table.score[:] = 1.0
    found = scorer.score(table, "affinity")
    assert math.isnan(found.value)
    assert "constant" in found.note


def test_per_series_figures_are_means_over_targets() -> None:
    table = series()
    parts = [take(table, table.target == f"t{t}") for t in range(12)]
    tau = [stats.kendalltau(p.score, p.affinity).statistic for p in parts]
    assert SeriesKendall().score(table, "affinity").value == pytest.approx(np.mean(tau))
    rmse = [np.std(p.score - p.affinity) for p in parts]
    assert SeriesRmse().score(table, "affinity").value == pytest.approx(np.mean(rmse))


def test_small_series_are_left_out_and_counted() -> None:
    table = make_predictions(
        id=list("1234567"),
        score=[1.0, 2, 3, 4, 5, 1, 2],
        affinity=[1.0, 2, 3, 4, 5, 2, 1],
        target=list("aaaaabb"),
    )
    found = SeriesKendall().score(table, "affinity")
    assert (found.value, found.details["units"], found.details["left_out"]) == (pytest.approx(1.0), 1, 1)
    assert "no target" in SeriesKendall(fewest=9).score(table, "affinity").note
