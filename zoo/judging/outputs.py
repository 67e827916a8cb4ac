"""Models with several outputs: choice of the output for each truth.

A model's predictions hold each output in a column of its own, ``pose_output``, ``activity_output`` (logits),
``affinity_output`` (pK) and ``rmsd_output`` (Å). ``score`` is the output that ranks the pairs by default;
larger is better, so an RMSD enters with a minus sign.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Predictions, Truth

#: outputs that fit a truth; the first that the model has is used
PREFERENCE: dict[Truth, tuple[str, ...]] = {
    "pose_label": ("pose", "rmsd", "activity", "affinity", "product"),
    "rmsd": ("rmsd", "pose", "activity", "affinity", "product"),
    "active": ("activity", "pose", "affinity", "rmsd", "product"),
    "affinity": ("affinity", "activity", "pose", "rmsd", "product"),
}
PRODUCT = "product"  #: probability times affinity, gnina's CNN_VS: made of two outputs, judged where it is asked for
#: output -> its unit
UNITS = {"pose": "logit", "activity": "logit", "affinity": "pK", "rmsd": "Å", PRODUCT: "probability x pK"}
#: the output that has the scale of a truth
_TRUTH_UNITS: dict[Truth, str] = {"pose_label": "logit", "active": "logit", "affinity": "pK", "rmsd": "Å"}
NAMES = tuple(UNITS)


def unit_of(output: str) -> str:
    """Return the unit of an output.

    Args:
        output: ``pose``, ``activity``, ``affinity``, ``rmsd`` or ``product``.
    """
    return UNITS[output]


def lower_is_better(output: str) -> bool:
    """Return whether smaller values are better.

    Args:
        output: ``pose``, ``activity``, ``affinity``, ``rmsd`` or ``product``.
    """
    return output == "rmsd"


def as_score(output: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert an output to a score: larger is better.

    Args:
        output: ``pose``, ``activity``, ``affinity``, ``rmsd`` or ``product``.
        values: (N,) values of the output.
    """
    return -values if lower_is_better(output) else values


def column_of(output: str) -> str:
    """Return the name of the prediction column of an output.

    Args:
        output: ``pose``, ``activity``, ``affinity``, ``rmsd`` or ``product``.
    """
    return f"{output}_output"


def outputs_of(card: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of a model's outputs from its card.

    Args:
        card: The model's card.
    """
    return tuple(str(output["name"]) for output in card.get("outputs") or ({"name": "pose"},))


def present_outputs(predictions: Predictions) -> tuple[str, ...]:
    """Return the outputs in predictions; predictions of a baseline or an earlier version have none.

    Args:
        predictions: Predictions of N rows.
    """
    return tuple(name for name in NAMES if column_of(name) in predictions.extra)


def output_for(truth: Truth, outputs: Iterable[str]) -> str | None:
    """Return the output for a truth; None if there are no outputs.

    Args:
        truth: Column of true values.
        outputs: Names of the model's outputs.
    """
    there = set(outputs)
    return next((name for name in PREFERENCE[truth] if name in there), None)


def for_truth(predictions: Predictions, truth: Truth) -> Predictions:
    """Return predictions ranked by the output that fits a truth.

    Args:
        predictions: Predictions of N rows.
        truth: Column of true values.
    """
    output = output_for(truth, present_outputs(predictions))
    if output is None:
        return predictions
    values: NDArray[np.float64] = np.asarray(predictions.extra[column_of(output)], np.float64)
    return replace(predictions, score=as_score(output, values))


def fits_scale(predictions: Predictions, truth: Truth) -> bool:
    """Return whether the score has the scale of a truth: a logit for a label, pK, or minus an RMSD in Å.

    Predictions without named outputs count as fitting, except for an RMSD, which scores rarely are.

    Args:
        predictions: Predictions of N rows.
        truth: Column of true values.
    """
    output = output_for(truth, present_outputs(predictions))
    if output is None:
        return truth != "rmsd"
    return unit_of(output) == _TRUTH_UNITS[truth]
