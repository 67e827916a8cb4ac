"""Combination of outputs over views and models into one row per pose: means, probabilities, spreads.

The rules, the same for all commands:

- An output of one model is the mean of its outputs over the views.
- A probability is the sigmoid of a logit plus the model's correction (``logit_correction`` of its card), which turns
  the logit into a probability at the prevalence of the training data.
- Of several models, a probability is the mean of the models' probabilities, and the logit is the logit of that mean.
  An affinity or a distance is the mean of the models'. A model that lacks an output does not count for it.
- A spread is one population standard deviation over all single answers, each model in each view: for a probability
  that of the corrected logits, which do not saturate, else in the unit of the output. A single answer has none.
- A pose has numbers only if every output of every model in every view is a finite number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.zoo.inference.columns import COLUMNS, PRODUCT, OutputColumns
from affinity_zoo.zoo.models.ensembles import mean_logit

if TYPE_CHECKING:
    from affinity_zoo.zoo.inference.ready import ReadyModel

Array = NDArray[np.float64]


def combine(models: Sequence[ReadyModel], outputs: Sequence[Array]) -> dict[str, Array]:
    """Combine the outputs of models over views and models, by the rules of this module.

    Args:
        models: one or more.
        outputs: of each model (n, views, outputs), as :meth:`ReadyModel.outputs` gives them.

    Returns:
        Column -> (n,) float64; NaN in all columns of a row with an output that is no finite number. A row's numbers
        do not depend on the other rows.
    """
    found: dict[str, Array] = {}
    for name, columns in COLUMNS.items():
        having = [(m, o) for m, o in zip(models, outputs, strict=True) if name in m.names]
        answers = [output[:, :, model.names.index(name)] for model, output in having]
        if not answers:
            continue
        corrections = [model.corrections[name] for model, _ in having]
        if columns.probability:
            found |= _of_logits(columns, answers, corrections)
        else:
            found |= _of_values(columns, answers)
    probability = next((found[c.probability] for c in COLUMNS.values() if c.probability in found), None)
    if probability is not None and COLUMNS["affinity"].value in found:
        found[PRODUCT] = probability * found[COLUMNS["affinity"].value]
    wrong = ~finite(outputs)
    return {name: np.where(wrong, np.nan, column) for name, column in found.items()}


def finite(outputs: Sequence[Array]) -> NDArray[np.bool_]:
    """Which rows have a finite number in every output of every model in every view: (n,).

    Args:
        outputs: of each model (n, views, outputs).
    """
    return np.all([np.isfinite(one).all(axis=(1, 2)) for one in outputs], axis=0)


def _of_logits(columns: OutputColumns, answers: list[Array], corrections: list[float]) -> dict[str, Array]:
    means = [_mean(one.T) for one in answers]
    with np.errstate(invalid="ignore", over="ignore"):
        joint = mean_logit(np.stack(means), corrections)
        probability = 1.0 / (1.0 + np.exp(-joint))
    corrected = [one + correction for one, correction in zip(answers, corrections, strict=True)]
    return {
        columns.value: means[0] if len(means) == 1 else joint,
        columns.probability: probability,
        **_spread(columns, corrected),
    }


def _of_values(columns: OutputColumns, answers: list[Array]) -> dict[str, Array]:
    return {columns.value: _mean(_mean(one.T) for one in answers), **_spread(columns, answers)}


def _spread(columns: OutputColumns, answers: list[Array]) -> dict[str, Array]:
    """The deviation over all single answers; nothing where there is but one."""
    single = [view for one in answers for view in one.T]
    if len(single) == 1:
        return {}
    with np.errstate(invalid="ignore", over="ignore"):
        mean = _mean(single)
        return {columns.spread: np.sqrt(_mean((one - mean) ** 2 for one in single))}


def _mean(parts: Iterable[Array]) -> Array:
    """The mean of arrays (n,), added in their order, so that no digit depends on n."""
    parts = list(parts)
    total = np.zeros_like(parts[0])
    with np.errstate(invalid="ignore", over="ignore"):
        for part in parts:
            total = total + part
    return total / len(parts)
