"""Combining views and models: against formulas written down again, and row by row the same to the last bit."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit, logit

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.inference.choices import ScoringChoices
from affinity_zoo.zoo.inference.combine import combine


def model(names: tuple[str, ...], correction: float = 0.0) -> Any:
    """What :func:`combine` asks of a model."""
    return SimpleNamespace(names=names, corrections=dict.fromkeys(names, correction))


def _outputs(models: int, n: int, views: int, outputs: int) -> st.SearchStrategy[list[np.ndarray]]:
    numbers = st.floats(-20, 20, allow_nan=False, width=32)
    one = arrays(np.float64, (n, views, outputs), elements=numbers)
    return st.lists(one, min_size=models, max_size=models)


@given(st.data())
def test_probabilities_affinities_and_spreads(data: st.DataObject) -> None:
    count, n, views = (
        data.draw(st.integers(1, 10)),
        data.draw(st.integers(1, 4)),
        data.draw(st.integers(1, 10)),
    )
    outputs = data.draw(_outputs(count, n, views, 2))
    corrections = data.draw(st.lists(st.floats(-3, 3), min_size=count, max_size=count))
    models = [model(("pose", "affinity"), c) for c in corrections]
    found = combine(models, outputs)
    pose = np.stack([o[:, :, 0] for o in outputs])  # (models, n, views)
    affinity = np.stack([o[:, :, 1] for o in outputs])
    shift = np.array(corrections)[:, None]
    probability = expit(pose.mean(axis=2) + shift).mean(axis=0)
    np.testing.assert_allclose(found["pose_probability"], probability, atol=1e-12)
    if count == 1:
        np.testing.assert_allclose(found["pose_logit"], pose[0].mean(axis=1), atol=1e-9)
    else:
        inside = (probability > 1e-9) & (probability < 1 - 1e-9)
        np.testing.assert_allclose(found["pose_logit"][inside], logit(probability[inside]), atol=1e-5)
    np.testing.assert_allclose(found["affinity_pk"], affinity.mean(axis=(0, 2)), atol=1e-9)
    np.testing.assert_allclose(found["product"], probability * affinity.mean(axis=(0, 2)), atol=1e-9)
    if count * views == 1:
        assert set(found) == {"pose_logit", "pose_probability", "affinity_pk", "product"}
    else:
        deviation = (pose + shift[:, :, None]).std(axis=(0, 2))
        np.testing.assert_allclose(found["pose_logit_sd"], deviation, atol=1e-9)
        np.testing.assert_allclose(found["affinity_sd"], affinity.std(axis=(0, 2)), atol=1e-9)


@settings(max_examples=25)
@given(st.data())
def test_a_row_does_not_depend_on_the_others(data: st.DataObject) -> None:
    count, n, views = (
        data.draw(st.integers(1, 12)),
        data.draw(st.integers(2, 40)),
        data.draw(st.integers(1, 12)),
    )
    outputs = data.draw(_outputs(count, n, views, 2))
    models = [model(("pose", "rmsd"), 0.1 * i) for i in range(count)]
    together = combine(models, outputs)
    order = data.draw(st.permutations(range(n)))
    mixed = combine(models, [one[order] for one in outputs])
    for name, column in together.items():
        alone = [combine(models, [one[i : i + 1] for one in outputs])[name][0] for i in range(n)]
        assert np.array_equal(column, alone) and np.array_equal(column[order], mixed[name])


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_row_with_an_output_that_is_no_finite_number_has_no_numbers(wrong: float) -> None:
    """One output of one model in one view is enough: an infinite logit must not rank first."""
    outputs = [np.zeros((3, 2, 2)), np.zeros((3, 2, 1))]
    outputs[0][1, 1, 1] = wrong
    outputs[1][2, 0, 0] = wrong
    found = combine([model(("pose", "affinity")), model(("pose",))], outputs)
    for column in found.values():
        assert np.isfinite(column).tolist() == [True, False, False]


def test_a_model_without_an_output_does_not_count_for_it() -> None:
    outputs = [np.full((1, 1, 2), 2.0), np.full((1, 1, 1), 4.0)]
    found = combine([model(("pose", "affinity")), model(("affinity",))], outputs)
    assert found["affinity_pk"] == 3.0 and found["affinity_sd"] == 1.0
    assert found["pose_logit"] == 2.0 and "pose_logit_sd" not in found


def test_choices_are_checked_and_the_card_says_how_many_views() -> None:
    assert ScoringChoices().resolved([{"views": 1}]).n_views == 1
    assert ScoringChoices().resolved([{"views": 1}, {"views": 3}]).n_views == 3
    assert ScoringChoices().resolved([{}]).n_views == 4
    assert ScoringChoices(views=2).resolved([{"views": 1}]).n_views == 2
    for wrong in ({"views": 0}, {"batch_size": 0}, {"threads": 0}, {"voxelize": "moon"}):
        with pytest.raises(UsageError, match=next(iter(wrong))):
            ScoringChoices(**wrong)
