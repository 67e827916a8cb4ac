"""The loss of several tasks: a table worked by hand, bounds, gaps that leave no trace in value or gradient."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from affinity_zoo.zoo.models.recipe import Recipe
from affinity_zoo.zoo.training.losses import MaskedTasks, WeightedCrossEntropy, loss_of
from affinity_zoo.zoo.training.targets import Targets
from affinity_zoo.zoo.training.validation import affinity_loss

LOG2 = math.log(2.0)

#: (value, side, predicted) -> huber with delta 1, squared error; worked by hand
AFFINITIES = [
    ((6.0, 0, 6.5), 0.125, 0.25),
    ((6.0, 0, 4.0), 1.5, 4.0),
    ((6.0, -1, 5.0), 0.0, 0.0),  # the truth is below 6 and so is the prediction
    ((6.0, -1, 9.0), 2.5, 9.0),
    ((6.0, 1, 9.0), 0.0, 0.0),
    ((6.0, 1, 5.5), 0.125, 0.25),
]


def _rows(loss: MaskedTasks, y: ArrayLike, z: ArrayLike) -> np.ndarray:
    return np.asarray(loss(np.asarray(y, np.float32), np.asarray(z, np.float32)))


@pytest.mark.parametrize(("entry", "huber", "mse"), AFFINITIES)
def test_affinity_is_worked_by_hand(entry: tuple[float, int, float], huber: float, mse: float) -> None:
    value, side, predicted = entry
    y, z = [[[value, 1.0, side]]], [[predicted]]
    assert _rows(MaskedTasks(["affinity"], reduction="none"), y, z) == pytest.approx([huber], abs=1e-6)
    squared = MaskedTasks(["affinity"], affinity_loss="mse", reduction="none")
    assert _rows(squared, y, z) == pytest.approx([mse], abs=1e-6)
    # what validation says is the same loss in float64
    training = Recipe().with_training(tasks=("affinity",)).training
    arguments = (np.array([predicted]), np.array([value]), np.array([side], np.int8))
    assert affinity_loss(*arguments, training) == pytest.approx(huber)


def test_a_batch_of_two_tasks_is_worked_by_hand() -> None:
    y = [
        [[1.0, 1.0, 0.0], [7.0, 2.0, 0.0]],
        [[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]],  # wrong pose, affinity masked
        [[0.0, 0.0, 0.0], [5.0, 2.0, -1.0]],  # no label, an upper bound
    ]
    z = [[0.0, 8.0], [0.0, 99.0], [50.0, 6.0]]
    loss = MaskedTasks(["pose", "affinity"], false_positive_weight=3.0, reduction="none")
    assert _rows(loss, y, z) == pytest.approx([LOG2 + 2 * 0.5, 3 * LOG2, 2 * 0.5], rel=1e-6)


def test_one_label_task_is_the_plain_cross_entropy() -> None:
    assert type(loss_of(Recipe().training)) is WeightedCrossEntropy
    assert type(loss_of(Recipe().with_training(tasks=("activity",)).training)) is WeightedCrossEntropy
    both = loss_of(Recipe().with_training(tasks=("pose", "affinity"), affinity_loss="mse").training)
    again = MaskedTasks.from_config(both.get_config())
    assert (again.tasks, again.affinity_loss) == (("pose", "affinity"), "mse")
    labels, logits = np.array([1.0, 0.0, 1.0]), np.array([0.3, -2.0, 5.0])
    y = np.stack([labels, np.ones(3), np.zeros(3)], axis=-1)[:, None]
    plain = WeightedCrossEntropy(10.0, reduction="none")(labels[:, None], logits[:, None].astype(np.float32))
    assert _rows(MaskedTasks(["pose"], 10.0, reduction="none"), y, logits[:, None]) == pytest.approx(
        np.asarray(plain), rel=1e-6
    )


NUMBERS = st.floats(-20, 20, width=32)
WHATEVER = st.sampled_from([math.nan, math.inf, -math.inf, 1e30, 0.0])


@settings(max_examples=30, deadline=None)
@given(
    known=st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=6),
    junk=WHATEVER,
    data=st.data(),
)
def test_what_is_not_known_leaves_no_trace(
    known: list[tuple[bool, bool]], junk: float, data: st.DataObject
) -> None:
    """Value and gradient are finite, and those of the known entries alone, whatever stands in the gaps."""
    tf = pytest.importorskip("tensorflow")
    mask = np.array(known)
    z = np.array([[data.draw(NUMBERS) for _ in row] for row in known], np.float32)
    value = np.array([[float(data.draw(st.booleans())), data.draw(NUMBERS)] for _ in known], np.float32)
    side = np.array([[0, data.draw(st.sampled_from([-1, 0, 1]))] for _ in known], np.float32)
    loss = MaskedTasks(["pose", "affinity"], reduction="sum")

    def run(values: np.ndarray) -> tuple[float, np.ndarray]:
        y = np.stack([values, mask.astype(np.float32), side], axis=-1)
        variable = tf.Variable(z)
        with tf.GradientTape() as tape:
            total = loss(y, variable)
        return float(total), tape.gradient(total, variable).numpy()

    total, gradient = run(np.where(mask, value, junk))
    clean, clean_gradient = run(np.where(mask, value, 0.0))
    assert math.isfinite(total) and np.isfinite(gradient).all()
    assert total == clean and np.array_equal(gradient, clean_gradient)
    assert (gradient[~mask] == 0).all()
    # a bound pushes in one direction only
    below, above = mask[:, 1] & (side[:, 1] < 0), mask[:, 1] & (side[:, 1] > 0)
    assert (gradient[below, 1] >= 0).all() and (gradient[above, 1] <= 0).all()


def test_targets_become_arrays_without_nan() -> None:
    values = np.array([[1.0, np.nan], [np.nan, 5.5]])
    targets = Targets(("pose", "affinity"), values, np.array([[0, 0], [0, -1]], np.int8))
    arrays = targets.arrays(np.array([1.0, 4.0]))
    assert arrays.dtype == np.float32 and arrays.shape == (2, 2, 3)
    assert arrays.tolist() == [[[1, 1, 0], [0, 0, 0]], [[0, 0, 0], [5.5, 4, -1]]]
