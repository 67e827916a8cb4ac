"""Which epoch is the best, also where the monitor has no value; what is saved is strict JSON."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affinity_zoo.zoo.training.history import History

VALUES = st.one_of(st.floats(0, 1), st.just(math.nan))


def _add(history: History, values: list[float]) -> History:
    for epoch, value in enumerate(values, start=len(history.epochs) + 1):
        history.add(epoch, {"loss": 1.0}, {history.monitor: value})
    return history


@pytest.mark.parametrize(("monitor", "best"), [("roc-auc", 2), ("loss", 3)])
def test_best_is_highest_of_a_score_and_lowest_of_a_loss(monitor: str, best: int) -> None:
    assert _add(History(monitor), [0.5, 0.9, 0.2, 0.9]).best_epoch == best


def test_an_epoch_without_a_value_is_never_better() -> None:
    history = _add(History("roc-auc"), [math.nan, 0.6, math.nan, 0.5])
    assert (history.best_epoch, history.best_value) == (2, 0.6)


@pytest.mark.parametrize("validation", [{}, {"roc-auc": math.nan}])
def test_without_a_value_the_last_epoch_is_taken(validation: dict[str, float]) -> None:
    history = History("roc-auc")
    for epoch in (1, 2, 3):
        history.add(epoch, {"loss": 1.0}, validation)
    assert history.best_epoch == 3


@given(st.lists(VALUES, min_size=1, max_size=8), st.lists(VALUES, max_size=8))
def test_a_restart_changes_nothing(before: list[float], after: list[float]) -> None:
    whole = _add(History("roc-auc"), before + after)
    text = json.dumps(_add(History("roc-auc"), before).state(), allow_nan=False)
    again = _add(History.from_state(json.loads(text)), after)
    assert again.state() == whole.state() and again.best_epoch == whole.best_epoch
