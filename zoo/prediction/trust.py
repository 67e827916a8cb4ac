"""How far a predicted row can be trusted: a calibrated probability, and rows that are left unranked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.models.calibration import FILE, Calibration, read_calibration
from affinity_zoo.zoo.prediction.rows import PosePrediction


def calibration_for(models: Sequence[str], abstain: float | None) -> Calibration | None:
    """The calibration of a prediction's model; None: there is none, or several models are combined.

    Args:
        models: model directories.
        abstain: as asked for; it needs a calibration.

    Raises:
        UsageError: ``abstain`` is asked for without a calibration.
    """
    found = read_calibration(Path(models[0])) if len(models) == 1 else None
    if abstain is not None and found is None:
        what = (
            "several models have no calibration together" if len(models) > 1 else f"{models[0]} has no {FILE}"
        )
        raise UsageError(f"`abstain` needs a calibrated model: {what}; `affinity-zoo calibrate` makes one")
    return found


def trusted(rows: Sequence[PosePrediction], calibration: Calibration | None) -> list[PosePrediction]:
    """The rows with the probability of a near-native pose, and a warning outside the range of the calibration.

    Args:
        rows: Predictions, one per pose.
        calibration: Fitted curve of the model; None: it has none.
    """
    if calibration is None:
        return list(rows)
    logits = np.array([row.pose_logit for row in rows], np.float64)
    found = calibration.apply(logits)
    made = []
    for row, logit, probability in zip(rows, logits.tolist(), found.tolist(), strict=True):
        warnings = row.warnings
        if logit < calibration.low or logit > calibration.high:
            text = f"outside: calibrated on logits of {calibration.low:.2f} to {calibration.high:.2f}"
            warnings = f"{warnings}; {text}" if warnings else text
        made.append(replace(row, near_native_probability=probability, warnings=warnings))
    return made


def abstained(rows: Sequence[PosePrediction], risk: float | None) -> list[PosePrediction]:
    """The rows; those whose risk of being wrong is above the stated one have status ``abstained``.

    Args:
        rows: with ``near_native_probability``.
        risk: largest probability of a wrong pose that is ranked; None: all rows are ranked.
    """
    if risk is None:
        return list(rows)
    made = []
    for row in rows:
        wrong = 1.0 - row.near_native_probability
        left_out = row.status == "ok" and not math.isnan(wrong) and wrong > risk
        reason = f"risk {wrong:.2f} is above {risk:g}"
        made.append(replace(row, status="abstained", reason=reason) if left_out else row)
    return made
