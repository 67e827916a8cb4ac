"""The loss against a formula in float64, its gradient against differences, the probability correction."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from affinity_zoo.zoo.runtime.gradients import value_and_gradient
from affinity_zoo.zoo.training.losses import WeightedCrossEntropy, logit_correction

LOGITS = np.array([-60.0, -3.0, -0.5, 0.0, 0.7, 4.0, 60.0], np.float32)


def _reference(y: np.ndarray, z: np.ndarray, w: float) -> np.ndarray:
    log_p, log_q = -np.logaddexp(0, -z.astype(float)), -np.logaddexp(0, z.astype(float))
    return -y * log_p - w * (1 - y) * log_q


@pytest.mark.parametrize("w", [1.0, 10.0, 0.3])
@pytest.mark.parametrize("label", [0.0, 1.0])
def test_value_is_the_weighted_cross_entropy(w: float, label: float) -> None:
    y = np.full((len(LOGITS), 1), label, np.float32)
    loss = WeightedCrossEntropy(w, reduction="none")(y, LOGITS[:, None])
    assert np.allclose(np.asarray(loss), _reference(y[:, 0], LOGITS, w), rtol=1e-6)


@pytest.mark.parametrize("w", [1.0, 10.0])
def test_gradient_equals_sigmoid_form(w: float) -> None:
    y = np.array([0, 1, 0, 1, 0, 1, 0], np.float32)[:, None]
    loss = WeightedCrossEntropy(w, reduction="none")
    _, found = value_and_gradient(lambda z: loss(y, z), LOGITS[:, None])
    assert found is not None
    gradient = found[:, 0]
    p = 1.0 / (1.0 + np.exp(-LOGITS.astype(float)))
    # d/dz of -y log p - w (1-y) log(1-p) is -y (1-p) + w (1-y) p
    assert np.allclose(gradient, -y[:, 0] * (1 - p) + w * (1 - y[:, 0]) * p, atol=1e-6)


def test_a_false_positive_costs_ten_times_a_false_negative() -> None:
    loss = WeightedCrossEntropy(10.0, reduction="none")
    z = np.array([[2.0]], np.float32)
    false_positive, false_negative = loss(np.zeros((1, 1)), z), loss(np.ones((1, 1)), -z)
    assert float(false_positive[0]) == pytest.approx(10 * float(false_negative[0]), rel=1e-6)


def test_rows_of_weight_zero_do_not_change_the_sum() -> None:
    loss = WeightedCrossEntropy(1.0, reduction="sum")
    y, z = np.array([[1.0], [0.0], [1.0]], np.float32), np.array([[0.3], [1.0], [9.0]], np.float32)
    padded = float(loss(y, z, sample_weight=np.array([1.0, 1.0, 0.0])))
    assert padded == pytest.approx(float(loss(y[:2], z[:2])), rel=1e-6)


def test_config_round_trip() -> None:
    loss = WeightedCrossEntropy(7.5)
    assert WeightedCrossEntropy.from_config(loss.get_config()).false_positive_weight == 7.5


@given(prevalence=st.floats(0.02, 0.98), w=st.floats(0.1, 20.0), copies=st.floats(0.1, 20.0))
def test_corrected_optimum_is_the_prevalence(prevalence: float, w: float, copies: float) -> None:
    """A constant model trained to the optimum of the weighted, oversampled loss gives back the prevalence."""

    def expected_loss(z: float) -> float:
        return copies * prevalence * np.logaddexp(0, -z) + w * (1 - prevalence) * np.logaddexp(0, z)

    best = minimize_scalar(expected_loss, bounds=(-30, 30), method="bounded", options={"xatol": 1e-10}).x
    corrected = best + logit_correction(w, copies)
    assert 1 / (1 + math.exp(-corrected)) == pytest.approx(prevalence, abs=1e-4)
