"""Models with several outputs: which of them ranks by which truth.

A model's predictions hold each output in a column of its own, ``pose_output``, ``activity_output`` (logits),
``affinity_output`` (pK) and ``rmsd_output`` (Å). ``score`` is the one that the pairs are ranked by where nothing else
is said; larger is better, so it is minus the RMSD.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Predictions, Truth

#: the output that a truth is judged by: the first that the model has
PREFERENCE: dict[Truth, tuple[str, ...]] = {
    "pose_label": ("pose", "rmsd", "activity", "affinity", "product"),
    "rmsd": ("rmsd", "pose", "activity", "affinity", "product"),
    "active": ("activity", "pose", "affinity", "rmsd", "product"),
    "affinity": ("affinity", "activity", "pose", "rmsd", "product"),
}
PRODUCT = "product"  #: probability times affinity, gnina's CNN_VS: made of two outputs, judged where it is asked for
#: output -> its unit
UNITS = {"pose": "logit", "activity": "logit", "affinity": "pK", "rmsd": "Å", PRODUCT: "probability x pK"}
#: the scale of a truth, as the output that predicts it has it
_TRUTH_UNITS: dict[Truth, str] = {"pose_label": "logit", "active": "logit", "affinity": "pK", "rmsd": "Å"}
NAMES = tuple(UNITS)


def unit_of(output: str) -> str:
    """The unit of an output."""
    return UNITS[output]


def lower_is_better(output: str) -> bool:
    """Whether the smaller value is the better one."""
    return output == "rmsd"


def as_score(output: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """An output as a score: larger is better."""
    return -values if lower_is_better(output) else values


def column_of(output: str) -> str:
    """The column of predictions that holds an output."""
    return f"{output}_output"


def outputs_of(card: Mapping[str, Any]) -> tuple[str, ...]:
    """What the columns of a model mean, by its card."""
    return tuple(str(output["name"]) for output in card.get("outputs") or ({"name": "pose"},))


def present_outputs(predictions: Predictions) -> tuple[str, ...]:
    """The outputs that predictions hold; none in those of a baseline or of an earlier version."""
    return tuple(name for name in NAMES if column_of(name) in predictions.extra)


def output_for(truth: Truth, outputs: Iterable[str]) -> str | None:
    """The output that a truth is judged by; None where there are none to choose from."""
    there = set(outputs)
    return next((name for name in PREFERENCE[truth] if name in there), None)


def for_truth(predictions: Predictions, truth: Truth) -> Predictions:
    """The predictions ranked by the output that fits a truth."""
    output = output_for(truth, present_outputs(predictions))
    if output is None:
        return predictions
    values: NDArray[np.float64] = np.asarray(predictions.extra[column_of(output)], np.float64)
    return replace(predictions, score=as_score(output, values))


def fits_scale(predictions: Predictions, truth: Truth) -> bool:
    """Whether the score for a truth is on the truth's own scale: a logit for a label, pK, or minus an RMSD in Å.

    Predictions that do not say what their outputs are count as fitting, except for an RMSD: scores are seldom that.
    """
    output = output_for(truth, present_outputs(predictions))
    if output is None:
        return truth != "rmsd"
    return unit_of(output) == _TRUTH_UNITS[truth]
