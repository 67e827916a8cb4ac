"""The training loss: cross-entropy on a logit in which false positives may weigh more."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


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


def logit_correction(false_positive_weight: float, positive_copies: float) -> float:
    """What to add to a trained logit so that its sigmoid is a probability at the data's own prevalence.

    At its optimum the loss gives ``p / (1 - p) = k P(1|x) / (w P(0|x))`` where positives are shown
    ``k`` times as often as in the data and the negative term weighs ``w``; so add ``log w - log k``
    (Elkan, The Foundations of Cost-Sensitive Learning, IJCAI 2001, theorem 2).

    Args:
        false_positive_weight: w.
        positive_copies: k, how many times a positive is shown for each time a negative is.
    """
    import math

    return math.log(false_positive_weight) - math.log(positive_copies)
