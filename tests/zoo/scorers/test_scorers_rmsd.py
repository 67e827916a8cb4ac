"""The scorers of RMSD, against complexes counted by hand and against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from affinity_zoo.plugins.contracts import Predictions
from affinity_zoo.zoo.judging.judge import default_scorers, judge
from affinity_zoo.zoo.judging.predictions import make_predictions
from affinity_zoo.zoo.scorers.rmsd import FirstRmsd, RmsdError, RmsdOrder

RMSD = [0.5, 3.0, 6.0, 12.0, 1.0, 5.0]


def _poses(score: list[float], rmsd: list[float] = RMSD, **columns: object) -> Predictions:
    n = len(score)
    return make_predictions(
        id=[f"p{i}" for i in range(n)],
        target=["a"] * n,
        molecule=["m"] * n,
        score=score,
        rmsd=rmsd,
        **columns,
    )


def test_the_first_pose_counts_and_ties_share() -> None:
    assert FirstRmsd().score(_poses([0, 9, 0, 0, 0, 0]), "rmsd").value == 3.0
    assert FirstRmsd().score(_poses([0, 0, 0, 9, 0, 0]), "rmsd").value == 8.0  # capped
    found = FirstRmsd().score(_poses([1, 1, 0, 0, 0, 0]), "rmsd")
    assert found.value == 1.75
    assert found.details["floor"] == 0.5 and found.details["chance"] == pytest.approx(
        (0.5 + 3 + 6 + 8 + 1 + 5) / 6
    )


def test_crystal_poses_do_not_compete() -> None:
    source = ["crystal", "docked", "docked", "docked", "crystal_relaxed", "docked"]
    assert FirstRmsd().score(_poses([9, 2, 1, 0, 8, 1], source=source), "rmsd").value == 3.0
    nothing = FirstRmsd().score(_poses([9, 2, 1, 0, 8, 1], source=["crystal"] * 6), "rmsd")
    assert np.isnan(nothing.value) and nothing.note


@given(st.lists(st.tuples(st.integers(0, 9), st.floats(0, 20)), min_size=5, max_size=12))
def test_order_is_spearman_of_the_nearness(rows: list[tuple[int, float]]) -> None:
    score, rmsd = (np.array(column, float) for column in zip(*rows, strict=True))
    near = -np.minimum(rmsd, 8.0)
    value = RmsdOrder().score(_poses(score.tolist(), rmsd.tolist()), "rmsd").value
    if np.ptp(near) == 0:
        assert np.isnan(value)
    elif np.ptp(score) == 0:
        assert value == 0.0
    else:
        assert value == pytest.approx(spearmanr(score, near).statistic)


def test_error_is_that_of_the_output_and_only_with_one() -> None:
    predicted = np.array(RMSD) + 1.0
    poses = _poses((-predicted).tolist(), extra={"rmsd_output": predicted})
    # 12 Å counts as 8, and so does its prediction
    assert RmsdError().score(poses, "rmsd").value == pytest.approx(5 / 6)
    found = judge(poses, replicates=0)
    assert found["rmsd-error"].value == pytest.approx(5 / 6)
    assert found["rmsd-order"].value == pytest.approx(1.0) and found["first-rmsd"].value == 0.5
    names = {scorer.name for scorer in default_scorers(_poses([0.0] * 6))}
    assert "rmsd-error" not in names and "first-rmsd" in names


def test_caps_must_be_distances() -> None:
    for scorer in (FirstRmsd, RmsdOrder, RmsdError):
        with pytest.raises(ValueError, match="above 0 Å"):
            scorer(cap=0.0)


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), weighted=st.booleans())
def test_order_of_many_complexes_is_scipys_in_each(seed: int, weighted: bool) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 60))
    complexes = rng.integers(0, 6, n).astype(str)
    scores, rmsd = rng.integers(0, rng.choice([2, 30]), n) / 3.0, rng.integers(0, 12, n) / 1.5
    table = make_predictions(id=np.arange(n).astype(str), target=complexes, score=scores, rmsd=rmsd)
    weights = rng.integers(0, 4, n).astype(float) if weighted else None
    scorer = RmsdOrder()
    where = scorer.places(table, "rmsd")
    found = scorer.values(table, "rmsd", where, weights)
    for unit, rows in enumerate(where.rows()):
        times = np.ones(len(rows), int) if weights is None else weights[rows].astype(int)
        x, y = np.repeat(scores[rows], times), np.repeat(-np.minimum(rmsd[rows], scorer.cap), times)
        if len(rows) < scorer.fewest or len(y) < 3 or len(set(y)) < 2:
            assert np.isnan(found[unit])
        else:
            expected = spearmanr(x, y).statistic if len(set(x)) > 1 else 0.0
            assert found[unit] == pytest.approx(expected, abs=1e-12)
