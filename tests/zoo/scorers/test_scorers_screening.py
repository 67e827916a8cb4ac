"""Enrichment, BEDROC, MAP@K, Brier: against RDKit, scikit-learn and tables worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from rdkit.ML.Scoring import Scoring
from scipy.special import expit
from sklearn.metrics import brier_score_loss

from affinity_zoo.plugins.contracts import Predictions
from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.catalog.registry import catalog
from affinity_zoo.zoo.judging.predictions import make_predictions, take
from affinity_zoo.zoo.scorers import scans, ties
from affinity_zoo.zoo.scorers.brier import Brier
from affinity_zoo.zoo.scorers.enrichment import Bedroc, Enrichment
from affinity_zoo.zoo.scorers.map_at_k import MapAtK


def screen(rows: int = 2000, targets: int = 3, seed: int = 0, levels: bool = False) -> Predictions:
    rng = np.random.default_rng(seed)
    active = (rng.random(rows) < 0.05) * 1.0
    score = rng.normal(size=rows) + active
    score = np.round(score, 1) if levels else score
    target = np.array([f"t{i % targets}" for i in range(rows)])
    return make_predictions(
        id=[f"m{i}" for i in range(rows)], score=score, active=active, target=target, group=target,
        molecule=[f"m{i}" for i in range(rows)], extra={"probability": expit(score - 3.0)},
    )  # fmt: skip


def sorted_list(table: Predictions) -> list[tuple[float, int]]:
    order = np.argsort(-table.score, kind="stable")
    return [(float(table.score[i]), int(table.active[i])) for i in order]


@pytest.mark.parametrize("percent", [0.5, 1.0, 5.0, 20.0])
def test_enrichment_is_that_of_rdkit_in_each_target(percent: float) -> None:
    table = screen(9000)
    expected = [
        Scoring.CalcEnrichment(sorted_list(take(table, table.target == t)), 1, [percent / 100.0])[0]
        for t in ("t0", "t1", "t2")
    ]
    found = Enrichment(percent=percent).score(table, "active")
    assert found.value == pytest.approx(np.mean(expected))
    assert list(found.details["per_target"].values()) == pytest.approx(expected)


def test_enrichment_is_refused_under_ten_selections() -> None:
    found = Enrichment(percent=1.0).score(screen(900, targets=1), "active")
    assert math.isnan(found.value)
    assert "fewer than 10" in found.note


def test_the_highest_possible_enrichment_is_that_of_a_perfect_ranking() -> None:
    table = screen(4000)
    perfect = make_predictions(id=table.id, score=table.active, active=table.active, target=table.target)
    found = Enrichment(percent=1.0).score(perfect, "active")
    assert found.value == pytest.approx(found.details["highest"])


@pytest.mark.parametrize("alpha", [5.0, 20.0, 160.9])
def test_bedroc_is_that_of_rdkit(alpha: float) -> None:
    table = screen(3000, targets=1)
    expected = Scoring.CalcBEDROC(sorted_list(table), 1, alpha)
    assert Bedroc(alpha=alpha).score(table, "active").value == pytest.approx(expected)


@pytest.mark.parametrize("scorer", [Bedroc(), Enrichment(percent=20.0), MapAtK(k=7)])
def test_ties_are_the_mean_over_random_orders(scorer: Bedroc) -> None:
    table = screen(300, targets=1, levels=True)
    rng = np.random.default_rng(5)
    found = []
    for _ in range(1500):
        shaken = take(table, np.arange(300))
        shaken.score[:] += 1e-6 * rng.random(300)
        found.append(scorer.score(shaken, "active").value)
    error = 5.0 * np.std(found) / math.sqrt(len(found))
    assert scorer.score(table, "active").value == pytest.approx(np.mean(found), abs=error + 1e-12)


def test_map_at_k_by_hand() -> None:
    # receptor a: + - + -, receptor b: - + ; K = 3
    table = make_predictions(
        id=list("123456"), score=[4.0, 3, 2, 1, 2, 1], pose_label=[1.0, 0, 1, 0, 0, 1], target=list("aaaabb")
    )
    first = (1 / 1 + 2 / 3) / 2
    second = (1 / 2) / 1
    assert MapAtK(k=3).score(table, "pose_label").value == pytest.approx((first + second) / 2)
    assert MapAtK(k=1).score(table, "pose_label").value == pytest.approx(0.5)


def test_brier_is_that_of_scikit_learn_with_calibration() -> None:
    table = screen(3000)
    found = Brier().score(table, "active")
    assert found.value == pytest.approx(brier_score_loss(table.active, table.extra["probability"]))
    calibration = found.details["calibration"]
    assert sum(calibration["rows"]) == 3000
    share = np.average(calibration["fraction"], weights=calibration["rows"])
    assert share == pytest.approx(table.active.mean())


def test_brier_of_a_score_that_is_no_probability_is_refused() -> None:
    table = make_predictions(id=["a", "b"], score=[1.0, 2], active=[0.0, 1])
    assert "no column 'probability'" in Brier().score(table, "active").note


@pytest.mark.parametrize("what", range(5))
@pytest.mark.parametrize("levels", [True, False])
def test_compiled_replicates_are_those_of_the_formulas(what: int, levels: bool) -> None:
    table = screen(700, levels=levels)
    rng = np.random.default_rng(1)
    group = rng.integers(0, 30, 700)
    counts = rng.multinomial(30, np.full(30, 1 / 30), size=40).astype(np.int32)
    order, starts = ties.ordered(table.score)
    parameter = (0.0, 0.0, 0.0, 5.0, 20.0)[what]
    found = scans.replicates(what, parameter, starts, table.active[order] > 0.5, group[order], counts)
    formulas = (
        ties.auc, ties.r_precision, ties.average_precision,
        lambda p, n: ties.enrichment(p, n, 5.0), lambda p, n: ties.bedroc(p, n, 20.0),
    )  # fmt: skip
    expected = formulas[what](*ties.blocks(table.score, table.active, counts[:, group].astype(float)))
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("name", ["enrichment", "bedroc", "map-at-k", "brier"])
def test_fast_replicates_are_those_of_weights(name: str) -> None:
    """Molecules drawn within targets: the unit (a target) is cut by what is drawn."""
    table = screen(3000)
    scorer = catalog().create("scorer", name, {"percent": 5.0} if name == "enrichment" else {})
    rng = np.random.default_rng(2)
    group = np.arange(3000)
    counts = rng.multinomial(3000, np.full(3000, 1 / 3000), size=5).astype(np.int32)
    found = scorer.resample(table, "active", group, counts)
    expected = [scorer.score(table, "active", drawn[group].astype(float)).value for drawn in counts]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("enrichment", {"percent": 0}),
        ("bedroc", {"alpha": -1}),
        ("map-at-k", {"k": 0}),
        ("brier", {"bins": 0}),
    ],
)
def test_options_that_make_no_sense_are_refused(name: str, options: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="must be"):
        catalog().create("scorer", name, options)
