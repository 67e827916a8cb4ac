"""Calibrating a model on a labelled set that is kept for it: the function behind ``affinity-zoo calibrate``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from affinity_zoo.plugins.contracts import Predictions
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.board.results import Result
from affinity_zoo.zoo.evaluation.run import evaluate
from affinity_zoo.zoo.judging.outputs import column_of
from affinity_zoo.zoo.models.calibration import (
    Calibration,
    Method,
    fit,
    on_unseen_groups,
    reliability,
    write_calibration,
)
from affinity_zoo.zoo.models.candidates import find_candidate
from affinity_zoo.zoo.models.ensembles import ensemble_of
from affinity_zoo.zoo.models.run_folder import DEFAULT_ROOT
from affinity_zoo.zoo.runtime.terminal import warn

NEAR = 2.0  #: Å; a pose up to this RMSD is near-native
FEWEST_ROWS = 50


def calibrate(
    run: str | int | os.PathLike[str],
    data: str | Path,
    *,
    method: Method = "isotonic",
    split: str = "all",
    sources: tuple[str, ...] = (),
    runs: str | Path = DEFAULT_ROOT,
    **options: Any,
) -> tuple[Calibration, Result]:
    """Fit P(RMSD < 2 Å) to a model's pose logit, and look at it on proteins that the fit did not see.

    The set must not be the one that the model was trained on or is judged on. ``calibration.json`` is written into
    the directory of the model or ensemble, and ``predict`` gives the column ``near_native_probability`` from then on.

    Args:
        run: as for :func:`~affinity_zoo.zoo.evaluation.run.evaluate`; a model or an ensemble.
        data: name of a benchmark, or folder of an index, with RMSDs or pose labels.
        method: ``isotonic`` or ``platt``.
        split: of a folder: ``all``, ``test``, ``validation`` or ``train``.
        sources: of a folder: only poses from these sources; empty: all.
        runs: Folder that holds ``x_logs`` and ``x_netstate`` of each run.
        options: further arguments of :func:`~affinity_zoo.zoo.evaluation.run.evaluate`, such as ``views``.

    Returns:
        The calibration and the result that it was fitted on.

    Raises:
        AffinityZooError: a model without pose output, too few rows, or no truth.
    """
    candidate = find_candidate(run, Path(runs))
    folder = candidate.model.folder
    if len(candidate.models) > 1:
        ensemble = ensemble_of([model.folder for model in candidate.models])
        assert ensemble is not None, "a candidate of several models is read from an ensemble's directory"
        folder = ensemble.folder
    result = evaluate(run, data, split=split, sources=sources, runs=runs, **options)
    made = calibration_of(result.predictions(), method)
    overlap = str((result.data.get("overlap") or {}).get("verdict") or "cannot know")
    if overlap != "none":
        warn(
            f"overlap of {result.benchmark['name']} with the training set: {overlap}; the calibration may be too good"
        )
    made.about |= {
        "benchmark": str(result.benchmark["name"]),
        "hash": str(result.benchmark["hash"]),
        "overlap": overlap,
    }
    write_calibration(folder, made)
    return made, result


def calibration_of(rows: Predictions, method: Method) -> Calibration:
    """Fit a calibration to the pose logits of a result.

    Args:
        rows: with RMSDs, or else pose labels.
        method: ``isotonic`` or ``platt``.

    Returns:
        The calibration; ``about["reliability"]`` is that on groups which the fit did not see.

    Raises:
        AffinityZooError: there is no pose logit, no truth, or fewer than 50 rows.
    """
    column = column_of("pose")
    if column not in rows.extra:
        raise AffinityZooError("the model has no pose output to calibrate")
    logit = np.asarray(rows.extra[column], np.float64)
    by_rmsd = bool(np.isfinite(rows.rmsd).any())
    truth = rows.rmsd if by_rmsd else rows.pose_label
    known = np.isfinite(truth) & np.isfinite(logit)
    if known.sum() < FEWEST_ROWS:
        raise AffinityZooError(
            f"{known.sum()} rows have a score and a true value: a calibration needs {FEWEST_ROWS} or more"
        )
    label = (truth[known] < NEAR if by_rmsd else truth[known] > 0.5).astype(np.float64)
    logit, groups = logit[known], rows.group[known].tolist()
    unseen = on_unseen_groups(logit, label, groups, method)
    made = fit(logit, label, method)
    made.about |= {
        "truth": f"RMSD < {NEAR:g} Å" if by_rmsd else "pose label",
        "rows": len(label),
        "groups": len(set(groups)),
        "near_native": float(label.mean()),
        "reliability": reliability(unseen, label),
    }
    return made
