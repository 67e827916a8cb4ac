"""Training losses: cross-entropy with a weight of false positives, and several tasks with missing values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from affinity_zoo.zoo.models.recipe import Training
from affinity_zoo.zoo.training.targets import REGRESSIONS, one_label


@keras.saving.register_keras_serializable(package="affinity_zoo")
class WeightedCrossEntropy(keras.losses.Loss):
    """``-y log p - w (1 - y) log(1 - p)`` with ``p = sigmoid(logit)``.

    ``w`` weights the *negative* term, so ``w > 1`` makes a false positive cost more (the ancestor's 10).
    TensorFlow's ``pos_weight`` weights the other term.

    Args:
        false_positive_weight: w, at least 0.
    """

    def __init__(
        self, false_positive_weight: float = 1.0, name: str = "weighted_cross_entropy", **kwargs: Any
    ):
        # the sum over a constant batch size: a padded row of weight 0 adds nothing, and the scale
        # of a row's gradient is the same in every step
        kwargs.setdefault("reduction", "sum_over_batch_size")
        super().__init__(name=name, **kwargs)
        self.false_positive_weight = float(false_positive_weight)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each row.

        Args:
            y_true: ``(batch, 1)``, 0 or 1.
            y_pred: ``(batch, 1)``, logits.

        Returns:
            ``(batch,)``.
        """
        y = ops.cast(y_true, y_pred.dtype)
        # softplus(-z) = -log sigmoid(z); softplus(z) = -log(1 - sigmoid(z)): exact for large |z|
        loss = y * ops.softplus(-y_pred) + self.false_positive_weight * (1.0 - y) * ops.softplus(y_pred)
        return ops.mean(loss, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Return the options, for serialisation."""
        return {**super().get_config(), "false_positive_weight": self.false_positive_weight}


def loss_of(training: Training) -> keras.losses.Loss:
    """The loss of a recipe.

    Args:
        training: Training table of the recipe.
    """
    if one_label(training.tasks):
        return WeightedCrossEntropy(training.false_positive_weight)
    return MaskedTasks(
        training.tasks, training.false_positive_weight, training.affinity_loss, training.huber_delta
    )


def logit_correction(false_positive_weight: float, positive_copies: float) -> float:
    """Return the correction of a logit that makes its sigmoid a probability at the prevalence of the data.

    At its optimum the loss gives ``p / (1 - p) = k P(1|x) / (w P(0|x))`` where positives are shown
    ``k`` times as often as in the data and the negative term weighs ``w``; so add ``log w - log k``
    (Elkan, The Foundations of Cost-Sensitive Learning, IJCAI 2001, theorem 2).

    Args:
        false_positive_weight: w.
        positive_copies: k, how many times a positive is shown for each time a negative is.
    """
    import math

    return math.log(false_positive_weight) - math.log(positive_copies)


@keras.saving.register_keras_serializable(package="affinity_zoo")
class MaskedTasks(keras.losses.Loss):
    """The sum over tasks of cross-entropy (pose, activity) and of a robust regression (affinity in pK, RMSD in Å).

    Every entry carries its own weight, 0 where the truth is missing: it then adds nothing to the loss nor to any
    gradient, for any placeholder value. A value with a side is a bound: no penalty if the bound is satisfied.

    Args:
        tasks: what the columns of the prediction mean.
        false_positive_weight: w of :class:`WeightedCrossEntropy`.
        affinity_loss: ``huber``: e^2 / 2 up to ``huber_delta``, linear beyond; ``mse``: e^2.
        huber_delta: pK, Å.
    """

    def __init__(
        self,
        tasks: Sequence[str],
        false_positive_weight: float = 1.0,
        affinity_loss: str = "huber",
        huber_delta: float = 1.0,
        name: str = "masked_tasks",
        **kwargs: Any,
    ):
        kwargs.setdefault("reduction", "sum_over_batch_size")
        super().__init__(name=name, **kwargs)
        self.tasks = tuple(tasks)
        self.false_positive_weight = float(false_positive_weight)
        self.affinity_loss = affinity_loss
        self.huber_delta = float(huber_delta)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each row.

        Args:
            y_true: ``(batch, tasks, 3)``: value, weight (0: not known), side (0: a value, -1: the truth is below it,
                1: above it).
            y_pred: ``(batch, tasks)``: logits, pK and Å.

        Returns:
            ``(batch,)``.
        """
        y = ops.cast(y_true, y_pred.dtype)
        total = ops.zeros_like(y_pred[:, 0])
        for t, task in enumerate(self.tasks):
            weight = y[:, t, 1]
            known = weight > 0.0
            # chosen before anything is computed: where() on the result alone would let a NaN into the gradient
            value = ops.where(known, y[:, t, 0], ops.zeros_like(weight))
            z = ops.where(known, y_pred[:, t], ops.zeros_like(weight))
            entry = self._regression(value, y[:, t, 2], z) if task in REGRESSIONS else self._labels(value, z)
            total = total + weight * entry
        return total

    def _labels(self, y: Any, z: Any) -> Any:
        return y * ops.softplus(-z) + self.false_positive_weight * (1.0 - y) * ops.softplus(z)

    def _regression(self, value: Any, side: Any, predicted: Any) -> Any:
        over = ops.maximum(predicted - value, 0.0) * ops.cast(side <= 0.0, predicted.dtype)
        under = ops.maximum(value - predicted, 0.0) * ops.cast(side >= 0.0, predicted.dtype)
        error = over + under
        if self.affinity_loss == "mse":
            return error * error
        near = ops.minimum(error, self.huber_delta)
        return near * (error - 0.5 * near)

    def get_config(self) -> dict[str, Any]:
        """Return the options, for serialisation."""
        own = {
            "tasks": list(self.tasks),
            "false_positive_weight": self.false_positive_weight,
            "affinity_loss": self.affinity_loss,
            "huber_delta": self.huber_delta,
        }
        return {**super().get_config(), **own}
