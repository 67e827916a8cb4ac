"""How far a predicted row can be trusted: a calibrated probability, and rows that are left unranked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.models.calibration import FILE, Calibration, read_calibration
from affinity_zoo.zoo.models.ensembles import ensemble_of
from affinity_zoo.zoo.prediction.rows import OF_OUTPUTS, RANKINGS, PosePrediction


def calibration_for(models: Sequence[str], abstain: float | None) -> Calibration | None:
    """The calibration of a prediction's model or ensemble; None: there is none.

    Args:
        models: model directories.
        abstain: as asked for; it needs a calibration.

    Raises:
        UsageError: ``abstain`` is asked for without a calibration.
    """
    folder = calibrated_folder(models)
    found = None if folder is None else read_calibration(folder)
    if abstain is not None and found is None:
        what = (
            "several models have a calibration as an ensemble directory only"
            if folder is None
            else f"{folder} has no {FILE}"
        )
        raise UsageError(f"`abstain` needs a calibrated model: {what}; `affinity-zoo calibrate` makes one")
    return found


def calibrated_folder(models: Sequence[str]) -> Path | None:
    """Folder with the calibration of a model, or of an ensemble with exactly these members; None: there is none.

    Args:
        models: model directories.
    """
    if len(models) == 1:
        return Path(models[0])
    ensemble = ensemble_of([Path(model) for model in models])
    return None if ensemble is None else ensemble.folder


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


def in_range(rows: Sequence[PosePrediction], cards: Sequence[Mapping[str, Any]]) -> list[PosePrediction]:
    """The rows, with a warning where a score lies outside of what the model gave on its validation set.

    Args:
        rows: The rows.
        cards: of the models. The scores of several models are not of one range: they get no warning. A card from an
            earlier version does not say the range.
    """
    ranges = (cards[0].get("output_ranges") or {}) if len(cards) == 1 else {}
    fields = [(RANKINGS[name].field, *pair) for name, pair in ranges.items() if name in OF_OUTPUTS]
    made = []
    for row in rows:
        found = [
            f"range: {field} {row.value(field):.2f} is outside {low:.2f} to {high:.2f}"
            for field, low, high in fields
            if row.value(field) < low or row.value(field) > high
        ]
        warnings = "; ".join(text for text in (row.warnings, *found) if text)
        made.append(replace(row, warnings=warnings) if found else row)
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
