"""Calibration against scikit-learn, on groups that the fit did not see, and from its file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.models.calibration import (
    FILE,
    fit,
    on_unseen_groups,
    read_calibration,
    reliability,
    write_calibration,
)


def rows(n: int = 600, seed: int = 0) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Logits that are twice as sure as they should be."""
    rng = np.random.default_rng(seed)
    true = rng.normal(size=n)
    label = (rng.random(n) < 1 / (1 + np.exp(-true))).astype(float)
    return 2.0 * true + 1.0, label, [f"g{i // 10}" for i in range(n)]


@given(st.integers(0, 50), st.integers(20, 300))
def test_isotonic_is_scikit_learns(seed: int, n: int) -> None:
    logit, label, _ = rows(n, seed)
    if len(set(label)) < 2:
        return
    expected = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(logit, label)
    new = np.linspace(-9, 9, 101)
    np.testing.assert_allclose(fit(logit, label, "isotonic").apply(new), expected.predict(new), atol=1e-9)


def test_platt_is_scikit_learns_sigmoid() -> None:
    logit, label, _ = rows()
    expected = LogisticRegression(C=np.inf, max_iter=1000).fit(logit[:, None], label)
    new = np.linspace(logit.min(), logit.max(), 101)
    found = fit(logit, label, "platt").apply(new)
    np.testing.assert_allclose(found, expected.predict_proba(new[:, None])[:, 1], atol=1e-4)


@pytest.mark.parametrize("method", ["isotonic", "platt"])
def test_a_calibrated_probability_holds_on_unseen_groups(method: str) -> None:
    logit, label, groups = rows(4000)
    raw = reliability(1 / (1 + np.exp(-logit)), label)
    found = reliability(on_unseen_groups(logit, label, groups, method), label)  # type: ignore[arg-type]
    assert found["calibration_error"] < 0.04 < raw["calibration_error"]
    assert found["brier"] < raw["brier"]


def test_the_judged_group_is_not_seen() -> None:
    """Another label in a group leaves its own probabilities as they are."""
    logit, label, groups = rows(400)
    one = np.array(groups) == "g0"
    before = on_unseen_groups(logit, label, groups, "isotonic")[one]
    label[one] = 1 - label[one]
    np.testing.assert_array_equal(on_unseen_groups(logit, label, groups, "isotonic")[one], before)


def test_reliability_is_scikit_learns_curve() -> None:
    logit, label, _ = rows(500)
    stated = 1 / (1 + np.exp(-logit))
    true, mean = calibration_curve(label, stated, n_bins=10, strategy="quantile")
    found = reliability(stated, label)
    np.testing.assert_allclose(found["fraction"], true)
    np.testing.assert_allclose(found["probability"], mean)
    assert found["brier"] == pytest.approx(brier_score_loss(label, stated))


def test_a_file_reads_back_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    logit, label, _ = rows()
    made = fit(logit, label, "isotonic")
    assert read_calibration(tmp_path) is None
    write_calibration(tmp_path, made)
    assert read_calibration(tmp_path) == made
    assert np.isnan(made.apply(np.array([np.nan]))).all()
    data = json.loads((tmp_path / FILE).read_text())
    for change in ({"probability": data["probability"][::-1]}, {"score": []}, {"method": "magic"}, {"low": "x"},
                   {"probability": data["probability"][:-1]}, {"probability": [2.0] * len(data["score"])}):  # fmt: skip
        (tmp_path / FILE).write_text(json.dumps({**data, **change}))
        with pytest.raises(AffinityZooError, match="is not a (valid )?calibration"):
            read_calibration(tmp_path)


def test_what_cannot_be_calibrated_is_said() -> None:
    logit, label, _ = rows(100)
    with pytest.raises(AffinityZooError, match="both classes"):
        fit(logit, np.ones(100), "isotonic")
    with pytest.raises(AffinityZooError, match="this model cannot be calibrated"):
        fit(-logit, label, "platt")
    with pytest.raises(AffinityZooError, match="two groups"):
        on_unseen_groups(logit, label, ["g"] * 100, "platt")
