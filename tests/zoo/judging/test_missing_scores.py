"""A missing score counts against a model in every figure: a table made by hand, and independent libraries."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import brier_score_loss, roc_auc_score

from affinity_zoo.plugins.contracts import Predictions
from affinity_zoo.zoo.catalog.registry import catalog
from affinity_zoo.zoo.judging.judge import Metric, judge
from affinity_zoo.zoo.judging.predictions import make_predictions

NAN = np.nan
#: two complexes; the near-native pose of the first and a wrong pose of the second have no score
SCORE = np.array([NAN, 5.0, 2.0, -1.0, 6.0, NAN, 3.0, -2.0])
LABEL = np.array([1.0, 0, 0, 0, 1, 0, 0, 0])
PROBABILITY = np.array([NAN, 0.9, 0.6, 0.2, 0.8, NAN, 0.7, 0.1])


def poses(truth: str = "pose_label") -> Predictions:
    columns: dict[str, Any] = {truth: LABEL if truth != "rmsd" else np.where(LABEL > 0, 1.0, 7.0)}
    return make_predictions(
        id=[f"p{i}" for i in range(8)], score=SCORE, target=np.repeat(["a", "b"], 4),
        molecule=np.repeat(["m", "n"], 4), extra={"probability": PROBABILITY}, **columns,
    )  # fmt: skip


def one(name: str, predictions: Predictions, options: dict[str, Any] | None = None, **judging: Any) -> Metric:
    scorer = catalog().create("scorer", name, options or {})
    (metric,) = judge(predictions, [scorer], replicates=20, **judging).values()
    return metric


@pytest.mark.parametrize(
    ("name", "truth", "expected"),
    [
        ("roc-auc-per-complex", "pose_label", (0.0 + 1.0) / 2),
        ("roc-auc-per-complex", "active", (0.0 + 1.0) / 2),
        ("top-1", "pose_label", 50.0),
        ("docking-success", "rmsd", 50.0),
        ("docking-success", "pose_label", 50.0),
        ("r-precision", "pose_label", 50.0),  # the first two rows: 6.0, a positive, and 5.0, a negative
        ("roc-auc", "pose_label", (6.0 + 0.5) / 12),  # the missing positive ties with the missing negative
        (
            "average-precision",
            "pose_label",
            (1.0 + (2 / 7 + 2 / 8) / 2) / 2,
        ),  # the missing positive is 7th or 8th
        ("map-at-k", "pose_label", (1.0 / 4 + 1.0) / 2),
        # called positive: 5, 2, 6, 3: TP 1, FP 3, FN 1, TN 3
        ("confusion", "pose_label", (1 * 3 - 3 * 1) / (4 * 2 * 6 * 4) ** 0.5),
        ("brier", "pose_label", brier_score_loss(LABEL, np.nan_to_num(PROBABILITY))),
    ],
)
def test_a_missing_score_ranks_last(name: str, truth: str, expected: float) -> None:
    metric = one(name, poses(truth))
    assert metric.value == pytest.approx(expected)
    assert (metric.rows, metric.missing) == (8, 2)
    assert "2 of 8 pairs have no score: counted as last" in metric.note
    assert metric.low <= metric.high


@pytest.mark.parametrize(("name", "options"), [("enrichment", {"percent": 10.0}), ("bedroc", {})])
def test_missing_scores_of_a_screen_stand_at_its_end(name: str, options: dict[str, Any]) -> None:
    from rdkit.ML.Scoring.Scoring import CalcBEDROC, CalcEnrichment

    rng = np.random.default_rng(3)
    active = (np.arange(200) % 8 == 0).astype(float)
    score = rng.normal(size=200) + active
    score[(active == 1) & (rng.random(200) < 0.5)] = np.nan
    rows = make_predictions(id=[f"m{i}" for i in range(200)], score=score, active=active, target=["t"] * 200)
    metric = one(name, rows, options)
    order = np.argsort(-np.nan_to_num(score, nan=-99.0), kind="stable")
    listed = [
        [bool(active[i])] for i in order
    ]  # all missing rows are actives: ties at the end change nothing
    expected = CalcEnrichment(listed, 0, [0.1])[0] if name == "enrichment" else CalcBEDROC(listed, 0, 20.0)
    assert metric.value == pytest.approx(expected)
    assert metric.missing == np.isnan(score).sum() > 5


TRUE = np.array([5.0, 6, 7, 8, 9, 4, 5, 6, 7, 8])
SAID = np.array([5.5, 6, NAN, 8, 8.5, 4, 4, NAN, 6, 9])


def affinities(**columns: Any) -> Predictions:
    return make_predictions(
        id=[f"p{i}" for i in range(10)], score=SAID, affinity=TRUE, target=np.repeat(["a", "b"], 5), **columns
    )


@pytest.mark.parametrize("mean", [6.2, None])
def test_a_missing_affinity_is_worth_the_mean(mean: float | None) -> None:
    filled = np.where(np.isnan(SAID), np.nanmean(SAID) if mean is None else mean, SAID)
    halves = [slice(0, 5), slice(5, 10)]
    error = filled - TRUE
    centred = [np.sqrt(np.mean((error[h] - error[h].mean()) ** 2)) for h in halves]
    expected = {
        "rmse": np.sqrt(np.mean(error**2)),
        "mae": np.mean(np.abs(error)),
        "pearson": stats.pearsonr(filled, TRUE).statistic,
        "spearman": stats.spearmanr(filled, TRUE).statistic,
        "kendall": stats.kendalltau(filled, TRUE).statistic,
        "kendall-per-series": np.mean([stats.kendalltau(filled[h], TRUE[h]).statistic for h in halves]),
        "centred-rmse-per-series": np.mean(centred),
    }
    for name, value in expected.items():
        metric = one(name, affinities(), training_mean=mean)
        assert metric.value == pytest.approx(value), name
        assert metric.missing == 2 and "counted as the mean" in metric.note


def test_a_pose_logit_has_no_training_mean() -> None:
    """Where the score is no pK a missing one is the mean of the scores, not of affinities."""
    rows = affinities(extra={"pose_output": SAID})
    filled = np.where(np.isnan(SAID), np.nanmean(SAID), SAID)
    assert one("pearson", rows, training_mean=20.0).value == pytest.approx(
        stats.pearsonr(filled, TRUE).statistic
    )


def test_every_scorer_counts_missing_scores() -> None:
    """Leaving out what is hard never helps: every built-in figure of an honest model is at least as good."""
    rng = np.random.default_rng(0)
    n = 2000
    label = (np.arange(n) % 10 == 0).astype(float)
    score = rng.normal(size=n) + 1.5 * label
    hard = (label == 1) & (score < 1.0)
    target = np.repeat([f"t{i}" for i in range(10)], n // 10)
    columns: dict[str, Any] = {"id": [f"p{i}" for i in range(n)], "target": target}
    columns |= {
        "pose_label": label,
        "active": label,
        "rmsd": np.where(label > 0, 1.0, 7.0),
        "affinity": 5 + 2 * label,
    }
    checked = {"pose_valid": np.ones(n)}
    with_all = make_predictions(
        score=score, extra={"probability": 1 / (1 + np.exp(-score)), **checked}, **columns
    )
    evaded = np.where(hard, np.nan, score)
    without = make_predictions(
        score=evaded, extra={"probability": 1 / (1 + np.exp(-evaded)), **checked}, **columns
    )
    for name in catalog().names("scorer"):
        options = {"percent": 10.0} if name == "enrichment" else {}  # by default so few rows are refused
        honest, evading = one(name, with_all, options), one(name, without, options)
        assert evading.missing == hard.sum(), name
        sign = 1.0 if honest.direction == "higher" else -1.0
        if honest.truth != "affinity":
            assert sign * evading.value <= sign * honest.value + 1e-9, name


def test_without_any_score_nothing_is_defined() -> None:
    rows = make_predictions(id=["a", "b"], score=[NAN, NAN], pose_label=[1, 0], target=["t", "t"])
    metric = one("roc-auc", rows)
    assert np.isnan(metric.value) and "no row has a score" in metric.note and metric.missing == 2


def test_an_infinite_score_is_none() -> None:
    rows = make_predictions(
        id=list("abcd"), score=[np.inf, 1.0, 0.5, -np.inf], pose_label=[0, 1, 0, 0], target=["t"] * 4
    )
    metric = one("roc-auc", rows)
    assert metric.value == roc_auc_score([0, 1, 0, 0], [-9, 1, 0.5, -9]) and metric.missing == 2
