"""Consensus scores against scipy and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata, zscore
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from affinity_zoo.plugins.contracts import Predictions
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.judging.consensus import cross_validated, features, mean_rank, mean_z, unit_of
from affinity_zoo.zoo.judging.predictions import make_predictions


def table(score: np.ndarray, truth: str = "pose_label", groups: int = 20) -> Predictions:
    n = len(score)
    rng = np.random.default_rng(0)
    values = (np.arange(n) % 6 == 0).astype(float) if truth != "affinity" else rng.normal(7, 1, n)
    target = np.array([f"t{i * groups // n:02}" for i in range(n)])
    return make_predictions(id=[f"p{i}" for i in range(n)], score=score, target=target, **{truth: values})


@given(st.integers(2, 4), st.integers(0, 999), st.booleans())
def test_ranks_and_z_scores_are_scipys_within_each_unit(members: int, seed: int, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    scores = [rng.normal(size=120).round(0 if ties else 9) for _ in range(members)]
    where = unit_of(table(scores[0]), "pose_label")
    ranks, z = np.zeros(120), np.zeros(120)
    for rows in where.rows():
        ranks[rows] = np.mean([(rankdata(s[rows]) - 0.5) / len(rows) for s in scores], axis=0)
        z[rows] = np.mean(
            [np.nan_to_num(zscore(s[rows])) if np.ptp(s[rows]) else 0 * s[rows] for s in scores], axis=0
        )
    np.testing.assert_allclose(mean_rank(scores, where), ranks, atol=1e-12)
    np.testing.assert_allclose(mean_z(scores, where), z, atol=1e-9)


def test_a_flat_member_adds_nothing() -> None:
    score = np.random.default_rng(1).normal(size=120)
    where = unit_of(table(score), "pose_label")
    np.testing.assert_allclose(2 * mean_z([score, np.full(120, 0.1)], where), mean_z([score], where))


@pytest.mark.parametrize("truth", ["pose_label", "active", "affinity"])
def test_the_stacked_model_is_scikit_learns_cross_validated_over_groups(truth: str) -> None:
    rng = np.random.default_rng(2)
    base = table(np.zeros(120), truth)
    values = getattr(base, truth)
    members = [table(values + rng.normal(size=120), truth), table(0.5 * values + rng.normal(size=120), truth)]
    x = features(members, truth)
    if truth == "affinity":
        np.testing.assert_allclose(x[:, 2], zscore(members[0].score))  # over all rows
        model, how = RidgeCV(np.logspace(-3, 3, 13)), "predict"
    else:
        model, how = LogisticRegression(max_iter=1000), "decision_function"
    _, groups = np.unique(base.group, return_inverse=True)
    expected = cross_val_predict(
        make_pipeline(StandardScaler(), model), x, values, groups=groups, cv=GroupKFold(5), method=how
    )
    np.testing.assert_allclose(cross_validated(members, truth), expected)  # type: ignore[arg-type]


def test_labels_of_the_judged_group_are_never_learnt() -> None:
    """Labels that are noise by group stay noise: a model fitted on the judged rows would know them."""
    rng = np.random.default_rng(3)
    rows = table(rng.normal(size=600), groups=60)
    rows.pose_label[:] = rng.random(600) < 0.5
    other = table(rng.normal(size=600), groups=60)
    other.pose_label[:] = rows.pose_label
    assert abs(roc_auc_score(rows.pose_label, cross_validated([rows, other], "pose_label")) - 0.5) < 0.08
    turned = rows.pose_label.copy()
    one = rows.target == "t00"
    before = cross_validated([rows, other], "pose_label")[one]
    rows.pose_label[one] = other.pose_label[one] = 1 - turned[one]
    np.testing.assert_allclose(cross_validated([rows, other], "pose_label")[one], before)


def test_what_cannot_be_learnt_is_said() -> None:
    rows = table(np.arange(12.0), groups=1)
    with pytest.raises(AffinityZooError, match="two groups or more"):
        cross_validated([rows, rows], "pose_label")
    rows = table(np.arange(12.0), groups=2)
    rows.pose_label[:6] = 0.0
    with pytest.raises(AffinityZooError, match="one class only"):
        cross_validated([rows, rows], "pose_label")
