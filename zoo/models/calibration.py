"""Calibration of a score to a probability: isotonic or Platt's, stored beside a model.

``calibration.json`` in a model directory holds the map from the model's pose logit to P(RMSD < 2 Å), on what it was
fitted, and how reliable it was on proteins that the fit did not see.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.runtime.files import whole

Array = NDArray[np.float64]
Method = Literal["isotonic", "platt"]

FILE = "calibration.json"
FOLDS = 5

_Number = Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)]
_Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]


class Calibration(msgspec.Struct):
    """A rising function from a logit to a probability: straight lines between knots, flat outside.

    Attributes:
        method: how it was fitted.
        score: (K,) logits, ascending.
        probability: (K,) what each becomes, never falling.
        low: lowest logit of the rows that it was fitted on.
        high: highest.
        about: benchmark, number of rows and groups, reliability on groups that the fit did not see.
    """

    method: Method
    score: Annotated[list[_Number], msgspec.Meta(min_length=1, max_length=10_000)]
    probability: Annotated[list[_Share], msgspec.Meta(min_length=1, max_length=10_000)]
    low: _Number
    high: _Number
    about: dict[str, Any] = {}
    format: Literal["affinity-zoo calibration"] = "affinity-zoo calibration"

    def apply(self, logit: Array) -> Array:
        """The calibrated probability of logits, (N,); NaN where the logit is NaN.

        Args:
            logit: (N,) logits.
        """
        found = np.interp(logit, self.score, self.probability)
        return np.where(np.isnan(logit), np.nan, found)


def fit(logit: Array, label: Array, method: Method) -> Calibration:
    """Fit a calibration.

    Args:
        logit: (N,) scores.
        label: (N,) 1 and 0.
        method: ``isotonic``: any rising function (scikit-learn's); ``platt``: a sigmoid.

    Raises:
        AffinityZooError: there is one class only.
    """
    if len(np.unique(label)) < 2:
        raise AffinityZooError("a calibration needs rows of both classes")
    if method == "isotonic":
        from sklearn.isotonic import IsotonicRegression

        fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(logit, label)
        score, probability = fitted.X_thresholds_, fitted.y_thresholds_
    else:
        from sklearn.linear_model import LogisticRegression

        sigmoid = LogisticRegression(C=np.inf, max_iter=1000).fit(logit[:, None], label)
        middle = float(logit.mean())
        reach = 3.0 * float(np.ptp(logit)) + 1.0
        score = np.linspace(middle - reach, middle + reach, 2001)
        probability = sigmoid.predict_proba(score[:, None])[:, 1]
        if sigmoid.coef_[0, 0] < 0:
            raise AffinityZooError(
                "near-native poses have lower scores than wrong poses: this model cannot be calibrated"
            )
    return Calibration(
        method, np.asarray(score, float).tolist(), np.asarray(probability, float).tolist(),
        float(logit.min()), float(logit.max()),
    )  # fmt: skip


def on_unseen_groups(logit: Array, label: Array, groups: Sequence[Any], method: Method) -> Array:
    """Calibrated probabilities of rows by calibrations that did not see their group.

    Args:
        logit: (N,) scores.
        label: (N,) 1 and 0.
        groups: (N,) for example proteins.
        method: as for :func:`fit`.

    Raises:
        AffinityZooError: there are fewer than two groups.
    """
    from sklearn.model_selection import GroupKFold

    number = len(set(groups))
    if number < 2:
        raise AffinityZooError("a calibration needs two groups or more: one to fit it, one to test it")
    found = np.full(len(logit), np.nan)
    for learnt, judged in GroupKFold(min(FOLDS, number)).split(logit, label, list(groups)):
        found[judged] = fit(logit[learnt], label[learnt], method).apply(logit[judged])
    return found


def reliability(probability: Array, label: Array, bins: int = 10) -> dict[str, Any]:
    """How far stated probabilities hold: in bins of equal size, and as one error.

    Args:
        probability: (N,) stated.
        label: (N,) 1 and 0.
        bins: how many.
    """
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, min(bins, len(order))) if len(part)]
    stated = [float(probability[part].mean()) for part in parts]
    true = [float(label[part].mean()) for part in parts]
    sizes = [len(part) for part in parts]
    error = float(np.average(np.abs(np.subtract(stated, true)), weights=sizes))
    brier = float(np.mean((probability - label) ** 2))
    return {
        "probability": stated,
        "fraction": true,
        "rows": sizes,
        "calibration_error": error,
        "brier": brier,
    }


def write_calibration(folder: Path, calibration: Calibration) -> Path:
    """Write it beside a model.

    Args:
        folder: The model directory.
        calibration: Fitted curve from logits to probabilities.
    """
    path = Path(folder) / FILE
    with whole(path) as file:
        json.dump(msgspec.to_builtins(calibration), file, indent=1)
        file.write("\n")
    return path


def read_calibration(folder: Path) -> Calibration | None:
    """The calibration beside a model; None: there is none.

    Args:
        folder: The model directory.

    Raises:
        AffinityZooError: the file is damaged, or its function falls.
    """
    path = Path(folder) / FILE
    if not path.is_file():
        return None
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Calibration)
    except (OSError, msgspec.DecodeError) as error:
        raise AffinityZooError(
            f"{path} is not a calibration ({error}): `affinity-zoo calibrate` makes one"
        ) from error
    rising = np.all(np.diff(found.score) >= 0) and np.all(np.diff(found.probability) >= -1e-12)
    if len(found.score) != len(found.probability) or not rising:
        raise AffinityZooError(
            f"{path} is not a valid calibration (its function decreases); `affinity-zoo calibrate` makes one"
        )
    return found
