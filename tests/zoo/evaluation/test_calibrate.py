"""Calibrating from a result: which truth is taken, what is reported, and the command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from affinity_zoo.plugins.contracts import Predictions
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.evaluation.calibrate import calibration_of
from affinity_zoo.zoo.judging.predictions import make_predictions
from affinity_zoo.zoo.reports.calibration import write_calibration_page


def table(**columns: Any) -> Predictions:
    rng = np.random.default_rng(0)
    rmsd = rng.uniform(0, 8, 300)
    logit = 3.0 - rmsd + rng.normal(size=300)
    made: dict[str, Any] = {
        "rmsd": rmsd,
        "pose_label": np.ones(300),
        "target": np.repeat([f"t{i}" for i in range(30)], 10),
    }
    return make_predictions(
        id=[f"p{i}" for i in range(300)], score=logit, extra={"pose_output": logit}, **{**made, **columns}
    )


def test_the_truth_is_an_rmsd_below_two_angstrom() -> None:
    made = calibration_of(table(), "isotonic")
    assert made.about["truth"] == "RMSD < 2 Å" and (made.about["rows"], made.about["groups"]) == (300, 30)
    near = made.apply(np.array([-6.0, 1.0, 4.0]))
    assert near[0] < 0.05 < near[1] < near[2] and near[2] > 0.9
    assert made.about["near_native"] == pytest.approx(np.mean(table().rmsd < 2))
    near_label = (table().rmsd < 2).astype(float)
    by_label = calibration_of(table(rmsd=np.full(300, np.nan), pose_label=near_label), "platt")
    assert by_label.about["truth"] == "pose label"


def test_the_page_shows_the_reliability(tmp_path: Path) -> None:
    made = calibration_of(table(), "platt")
    made.about |= {"benchmark": "kept <set>", "overlap": "none"}
    page = write_calibration_page(tmp_path / "c.html", "mine", made.method, made.about).read_text()
    assert (
        "Reliability on unseen groups" in page
        and "kept &lt;set&gt;" in page
        and "300 poses of 30 groups" in page
    )


def test_too_few_rows_and_no_pose_output_are_said() -> None:
    few = np.where(np.arange(300) < 40, 1.0, np.nan)
    with pytest.raises(AffinityZooError, match="40 rows have a score and a true value"):
        calibration_of(table(rmsd=few, pose_label=few), "isotonic")
    rows = make_predictions(id=["a"], score=[1.0], pose_label=[1.0], target=["t"])
    with pytest.raises(AffinityZooError, match="no pose output"):
        calibration_of(rows, "isotonic")


def test_the_command_line(toy_model: Path, small_data: Path, tmp_path: Path, cli: Callable[..., Any]) -> None:
    done = cli("calibrate", toy_model, small_data, "--views", "1", "--runs", tmp_path / "runs")
    assert done.code == 1 and "a calibration needs 50 or more" in done.err
    done = cli("calibrate", toy_model, small_data, "--method", "magic")
    assert done.code == 2 and "isotonic or platt" in done.err
