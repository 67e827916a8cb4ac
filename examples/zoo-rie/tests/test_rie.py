"""The scorer conforms, agrees with RDKit's, and gives chance for ties."""

import dataclasses

import numpy as np
import pytest
from rdkit.ML.Scoring.Scoring import CalcRIE
from zoo_rie import RobustInitialEnhancement

from affinity_zoo.plugins.testing import check_scorer, sample_predictions


def test_conformance():
    check_scorer(RobustInitialEnhancement)


@pytest.mark.parametrize("alpha", [1.0, 20.0, 100.0])
def test_agrees_with_rdkit_where_there_are_no_ties(alpha):
    predictions = sample_predictions(decimals=15)
    order = np.argsort(-predictions.score)
    expected = CalcRIE(predictions.active[order, None].tolist(), 0, alpha)
    found = RobustInitialEnhancement(alpha).score(predictions, "active")
    assert found.value == pytest.approx(expected, rel=1e-9)
    assert found.value <= found.details["ceiling"]


def test_ties_get_the_mean_over_all_orders():
    predictions = sample_predictions(groups=2, decimals=0)
    random = np.random.default_rng(0)
    values = []
    for _ in range(4000):
        order = np.lexsort((random.random(len(predictions)), -predictions.score))
        values.append(CalcRIE(predictions.active[order, None].tolist(), 0, 20.0))
    found = RobustInitialEnhancement().score(predictions, "active").value
    assert found == pytest.approx(np.mean(values), abs=5 * np.std(values) / len(values) ** 0.5)


def test_a_constant_score_is_chance():
    predictions = sample_predictions()
    constant = dataclasses.replace(predictions, score=np.zeros(len(predictions)))
    assert RobustInitialEnhancement().score(constant, "active").value == pytest.approx(1.0)


def test_weights_are_repetitions():
    predictions = sample_predictions()
    counts = np.random.default_rng(1).integers(0, 4, len(predictions))
    rows = np.repeat(np.arange(len(predictions)), counts)
    repeated = dataclasses.replace(
        predictions, **{f: getattr(predictions, f)[rows] for f in ("id", "score", "active")}
    )
    scorer = RobustInitialEnhancement()
    weighted = scorer.score(predictions, "active", counts.astype(np.float64)).value
    assert weighted == pytest.approx(scorer.score(repeated, "active").value)
