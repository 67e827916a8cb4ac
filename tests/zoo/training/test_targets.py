"""What a row teaches: wrong poses, bounds, gaps; and what an entry weighs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.models.recipe import Recipe, check_training
from affinity_zoo.zoo.training.targets import Targets, entry_weights, targets_of
from affinity_zoo.zoo.training.validation import validation_scores


class _Table:
    """Columns of an index."""

    def __init__(self, **columns: list) -> None:
        self._columns = {name: np.array(cells) for name, cells in columns.items()}
        self.columns = list(self._columns)

    def column(self, name: str) -> np.ndarray:
        return self._columns[name]


N = np.nan
#      right  wrong  wrong, >  no label  2.5 Å off  right, <  wrong, gnina's way
TABLE = _Table(
    pose_label=[1.0, 0, 0, N, N, 1, 0],
    active=[1.0, 1, N, N, 0, N, N],
    affinity=[7.0, 7, 8, 6, 6, 4, N],
    affinity_relation=["=", "", ">", "", "=", "<", ""],
    rmsd=[0.5, 5, 5, N, 2.5, 1, 5],
    affinity_masked=["", "", "", "", "", "", "6.5"],
)
ROWS = np.arange(7)


def _targets(**training: object) -> Targets:
    return targets_of(TABLE, ROWS, Recipe().with_training(**training).training)  # type: ignore[arg-type]


def test_affinity_of_wrong_poses_is_masked() -> None:
    targets = _targets(tasks=("pose", "affinity"))
    assert np.array_equal(targets.of("affinity"), [7, N, N, 6, N, 4, N], equal_nan=True)
    assert targets.sides[:, 1].tolist()[0] == 0 and targets.sides[5, 1] == -1
    assert targets.measured.tolist() == [True, False, False, True, False, False, False]


def test_affinity_of_wrong_poses_is_an_upper_bound() -> None:
    targets = _targets(tasks=("affinity",), affinity_on_wrong_poses="one-sided")
    assert np.array_equal(targets.of("affinity"), [7, 7, N, 6, 6, 4, 6.5], equal_nan=True)
    assert targets.sides[[0, 1, 3, 4, 5, 6], 0].tolist() == [0, -1, 0, -1, -1, -1]


def test_labels_are_as_they_stand() -> None:
    targets = _targets(tasks=("activity", "pose"))
    assert np.array_equal(targets.of("activity"), TABLE.column("active"), equal_nan=True)
    assert targets.label_task == "pose" and not targets.measured.any()


def test_shuffling_keeps_what_is_known_and_takes_relations_along() -> None:
    targets = _targets(tasks=("pose", "affinity"))
    shuffled = targets.shuffled(np.random.default_rng(0))
    assert np.array_equal(shuffled.known, targets.known)
    pairs = [
        sorted(zip(t.of("affinity")[t.known[:, 1]], t.sides[t.known[:, 1], 1], strict=True))
        for t in (targets, shuffled)
    ]
    assert pairs[0] == pairs[1]


@given(
    known=st.lists(st.booleans(), min_size=4, max_size=60).filter(any),
    batch=st.integers(1, 16),
    weight=st.floats(0.1, 9),
)
def test_a_task_is_the_mean_over_its_known_entries(known: list[bool], batch: int, weight: float) -> None:
    mask = np.array(known)
    values = np.stack([np.ones(len(mask)), np.where(mask, 6.0, np.nan)], axis=1)
    targets = Targets(("pose", "affinity"), values, np.zeros(values.shape, np.int8))
    found = entry_weights(targets, np.arange(len(mask)), batch, (1.0, weight))
    assert found[0] == 1.0
    # the mean over all rows of entries so weighted is the weighted mean over known ones, or less where they are rare
    share = found[1] * mask.sum() / len(mask)
    assert share == pytest.approx(weight) if mask.mean() >= 1 / batch else share < weight
    assert found[1] <= weight * batch * (1 + 1e-12)


def test_validation_knows_bounds_from_values() -> None:
    values = np.array([[1, 5.0], [0, np.nan], [np.nan, 6.0], [1, 7.0], [0, 4.0]])
    sides = np.array([[0, 0], [0, 0], [0, 0], [0, 0], [0, -1]], np.int8)
    targets = Targets(("pose", "affinity"), values, sides)
    outputs = np.array([[2.0, 5.0], [-2, 0], [9, 7.0], [-3, 6.0], [-1, 99.0]])
    training = Recipe().with_training(tasks=("pose", "affinity"), task_weights=(1.0, 0.5)).training
    scores = validation_scores(outputs, targets, np.array(["a", "a", "b", "b", "b"]), training, 0)
    assert scores["rmse"] == pytest.approx(np.sqrt((0 + 1 + 1) / 3))  # the bound is not among them
    assert scores["spearman"] == pytest.approx(0.5)
    assert scores["roc-auc"] == pytest.approx(2 / 4)
    assert scores["roc-auc-per-complex"] == pytest.approx((1.0 + 0.0) / 2)
    assert scores["loss-affinity"] == pytest.approx((0 + 0.5 + 0.5 + 94.5) / 4)
    assert scores["loss"] == pytest.approx(scores["loss-pose"] + 0.5 * scores["loss-affinity"])


def test_rmsd_beyond_the_cap_is_a_bound() -> None:
    targets = _targets(tasks=("rmsd",), rmsd_cap=3.0)
    assert np.array_equal(targets.of("rmsd"), [0.5, 3, 3, N, 2.5, 1, 3], equal_nan=True)
    assert targets.sides[:, 0].tolist() == [0, 1, 1, 0, 0, 0, 1]
    assert not targets.measured.any() and targets.label_task is None
    training = Recipe().with_training(tasks=("rmsd",), rmsd_cap=3.0).training
    outputs = np.array([[1.5], [9.0], [3.0], [0.0], [2.5], [1.0], [2.0]])
    scores = validation_scores(outputs, targets, np.array(["a"] * 7), training, 0)
    # beyond the cap nothing is lost; 1 Å and 1 Å are, of six rows
    assert scores["rmse-rmsd"] == pytest.approx(np.sqrt(2 / 6))
    assert scores["loss"] == pytest.approx((0.5 + 0.5) / 6)


@pytest.mark.parametrize(
    ("training", "says"),
    [
        ({"tasks": ()}, "`tasks`"),
        ({"tasks": ("pose", "pose")}, "each once"),
        ({"tasks": ("pose", "pk")}, "pose, activity, affinity"),
        ({"tasks": ("pose", "affinity"), "task_weights": (1.0,)}, "`task_weights`"),
        ({"tasks": ("affinity",), "monitor": "roc-auc"}, "choose one of rmse, pearson, spearman, loss"),
        ({"monitor": "rmse"}, "`monitor='rmse'` cannot be measured for `tasks=pose`"),
        ({"huber_delta": 0.0}, "`huber_delta`"),
        ({"rmsd_cap": 0.0}, "`rmsd_cap`"),
        ({"tasks": ("rmsd",), "monitor": "roc-auc"}, "choose one of rmse-rmsd, spearman-rmsd, loss"),
    ],
)
def test_impossible_tasks_are_refused(training: dict, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        check_training(Recipe().with_training(**training).training)
