"""Training targets of each row for each task: a value, a bound (affinity or RMSD), or missing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Truth
from affinity_zoo.zoo.judging.outputs import lower_is_better, unit_of
from affinity_zoo.zoo.models.recipe import Training

if TYPE_CHECKING:
    from affinity_zoo.zoo.data.store.dataset import Dataset

#: task -> the truth of the index that teaches it
TRUTH: dict[str, Truth] = {"pose": "pose_label", "activity": "active", "affinity": "affinity", "rmsd": "rmsd"}
#: tasks that learn a number with a unit; the others learn a label
REGRESSIONS = ("affinity", "rmsd")
#: relation of an affinity -> what is known of the truth: a value, an upper bound, a lower bound
SIDES = {"": 0, "=": 0, "~": 0, "<": -1, "<=": -1, ">": 1, ">=": 1}
#: Å; a pose without label that lies farther off is not taken for the right one
RIGHT_POSE = 2.0


def one_label(tasks: tuple[str, ...]) -> bool:
    """Return whether the only task is a label: plain cross-entropy without missing values.

    Args:
        tasks: Output that is learnt: ``pose``, ``activity``, ``affinity`` or ``rmsd``.
    """
    return tasks in (("pose",), ("activity",))


def output_entry(task: str) -> dict[str, str]:
    """Return the card's entry of an output.

    Args:
        task: Output that is learnt: ``pose``, ``activity``, ``affinity`` or ``rmsd``.
    """
    return {
        "name": task,
        "unit": unit_of(task),
        "direction": f"{'lower' if lower_is_better(task) else 'higher'} is better",
    }


@dataclass(frozen=True, eq=False)
class Targets:
    """Targets of n rows for T tasks."""

    tasks: tuple[str, ...]
    values: NDArray[np.float64]  #: (n, T) label, pK or Å; NaN: not known
    sides: NDArray[np.int8]  #: (n, T) 0: that value, -1: the truth is below it, 1: above it

    def __len__(self) -> int:
        return len(self.values)

    @property
    def known(self) -> NDArray[np.bool_]:
        """(n, T): which targets are known."""
        return np.isfinite(self.values)

    def of(self, task: str) -> NDArray[np.float64]:
        """The values of one task, (n,).

        Args:
            task: Output that is learnt: ``pose``, ``activity``, ``affinity`` or ``rmsd``.
        """
        return self.values[:, self.tasks.index(task)]

    @property
    def measured(self) -> NDArray[np.bool_]:
        """(n,): rows whose affinity is known as a value, not as a bound; none without that task."""
        if "affinity" not in self.tasks:
            return np.zeros(len(self), bool)
        at = self.tasks.index("affinity")
        return self.known[:, at] & (self.sides[:, at] == 0)

    @property
    def label_task(self) -> str | None:
        """The task whose labels are balanced: pose, else activity, else none."""
        return next((task for task in ("pose", "activity") if task in self.tasks), None)

    def take(self, rows: NDArray[Any]) -> Targets:
        """The rows that a mask or row numbers select.

        Args:
            rows: (n,) row numbers.
        """
        return replace(self, values=self.values[rows], sides=self.sides[rows])

    def shuffled(self, rng: np.random.Generator) -> Targets:
        """Permute the known targets of each task: a control that must not be learnt.

        Args:
            rng: Random generator.
        """
        values, sides = self.values.copy(), self.sides.copy()
        for t in range(len(self.tasks)):
            rows = np.flatnonzero(self.known[:, t])
            other = rng.permutation(rows)
            values[rows, t], sides[rows, t] = self.values[other, t], self.sides[other, t]
        return replace(self, values=values, sides=sides)

    def arrays(self, task_weights: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return the input of the loss: (n, T, 3) of value, weight and side; 0 for unknown targets.

        Args:
            task_weights: (T,) weight of a known entry of each task.
        """
        weights = np.where(self.known, task_weights, 0.0)
        values = np.where(self.known, self.values, 0.0)
        return np.stack([values, weights, np.where(self.known, self.sides, 0)], axis=-1).astype(np.float32)


def targets_of(dataset: Dataset, rows: NDArray[np.int64], training: Training) -> Targets:
    """Read the targets of rows of an index for the tasks of a recipe.

    A wrong pose is one with pose_label 0, or without a label and with an RMSD above 2 Å. Its affinity is left out,
    or taken as an upper bound (a network should not find a wrong pose better than the right one can be); gnina's
    way of writing it (a negative pK, kept as ``affinity_masked``) is understood then. Of a pose at ``rmsd_cap`` or
    beyond it only the bound is learnt: the exact RMSD of a wrong pose carries no more information.

    Args:
        dataset: The index.
        rows: (n,) row numbers.
        training: Training table of the recipe.
    """
    values = np.stack([dataset.column(TRUTH[task])[rows] for task in training.tasks], axis=1)
    sides = np.zeros(values.shape, np.int8)
    if "affinity" in training.tasks:
        at = training.tasks.index("affinity")
        values[:, at], sides[:, at] = _affinities(dataset, rows, training.affinity_on_wrong_poses)
    if "rmsd" in training.tasks:
        at = training.tasks.index("rmsd")
        far = values[:, at] >= training.rmsd_cap
        values[far, at], sides[far, at] = training.rmsd_cap, 1
    return Targets(training.tasks, values, sides)


def _affinities(
    dataset: Dataset, rows: NDArray[np.int64], on_wrong_poses: str
) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    value = dataset.column("affinity")[rows].copy()
    relations = dataset.column("affinity_relation")[rows]
    side = np.array([SIDES.get(str(relation), 0) for relation in relations], np.int8)
    label, rmsd = dataset.column("pose_label")[rows], dataset.column("rmsd")[rows]
    wrong = (label == 0) | (np.isnan(label) & (rmsd > RIGHT_POSE))
    if on_wrong_poses == "masked":
        value[wrong] = np.nan
        return value, side
    if "affinity_masked" in dataset.columns:
        kept = np.array([float(cell) if cell else np.nan for cell in dataset.column("affinity_masked")[rows]])
        value = np.where(wrong & np.isnan(value), kept, value)
    value[wrong & (side == 1)] = np.nan  # a lower bound does not apply to a wrong pose
    side[wrong] = -1
    return value, side


def entry_weights(
    targets: Targets, order: NDArray[np.int64], batch_size: int, task_weights: tuple[float, ...]
) -> NDArray[np.float64]:
    """Weight of a known entry of each task, (T,), so that the loss of a task is the mean over its known entries.

    The mean is over an epoch, not over a batch: so a row pulls as hard in every batch and on any number of
    devices. A task that fewer rows know than one a batch is not blown up beyond one whole batch a row.

    Args:
        targets: of the training rows.
        order: positions among them, in the order of an epoch, copies included.
        batch_size: rows of a step.
        task_weights: of the recipe; empty: 1 each.
    """
    share = np.maximum(targets.known[order].mean(axis=0), 1.0 / batch_size)
    return np.asarray(task_weights or (1.0,) * len(targets.tasks)) / share
