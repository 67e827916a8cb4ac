"""Predictions of a calibrated model: a probability that holds, and poses that are left unranked."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.models.calibration import Calibration, write_calibration
from affinity_zoo.zoo.prediction.choices import Choices
from affinity_zoo.zoo.prediction.ranking import ranked
from affinity_zoo.zoo.prediction.rows import PosePrediction
from affinity_zoo.zoo.prediction.trust import abstained, calibration_for, trusted

MADE = Calibration("isotonic", [-1.0, 0.0, 1.0], [0.1, 0.5, 0.9], -1.0, 1.0)


def test_rows_get_a_probability_and_a_warning_outside_the_calibration() -> None:
    rows = [PosePrediction(pose_logit=value) for value in (-3.0, 0.5, 1.0, float("nan"))]
    found = trusted(rows, MADE)
    np.testing.assert_allclose([row.near_native_probability for row in found], [0.1, 0.7, 0.9, np.nan])
    assert [row.warnings.startswith("outside") for row in found] == [True, False, False, False]
    assert trusted(rows, None) == rows


def test_poses_above_the_risk_are_unranked() -> None:
    rows = trusted([PosePrediction(id=str(v), pose_logit=v) for v in (-1.0, 0.0, 1.0)], MADE)
    rows.append(PosePrediction(id="failed", status="failed", reason="no atoms"))
    order = [row for _, row in ranked(abstained(rows, 0.5), "pose")]
    assert [(row.id, row.rank, row.status) for row in order] == [
        ("1.0", 1, "ok"), ("0.0", 2, "ok"), ("-1.0", 0, "abstained"), ("failed", 0, "failed"),
    ]  # fmt: skip
    assert order[2].reason == "risk 0.90 is above 0.5" and order[2].pose_logit == -1.0
    assert [row.rank for _, row in ranked(abstained(rows, None), "pose")] == [1, 2, 3, 0]


def test_abstaining_needs_a_calibrated_model(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs a calibrated model"):
        calibration_for([str(tmp_path)], 0.5)
    with pytest.raises(UsageError, match="several models"):
        calibration_for([str(tmp_path), "other"], 0.5)
    with pytest.raises(UsageError, match="a risk from 0 to 1"):
        Choices(abstain=1.5)
    assert calibration_for([str(tmp_path)], None) is None


def test_the_command_line(toy_model: Path, small_set: Path, tmp_path: Path, cli: Callable[..., Any]) -> None:
    folder = tmp_path / "model"
    shutil.copytree(toy_model, folder)
    receptor = next((small_set / "receptors").glob("*.pdb"))
    poses = small_set / "docked_ligands" / receptor.stem
    command = ["predict", folder, "-r", receptor, "-l", poses, "--views", "1", "-o", tmp_path / "out.csv"]
    done = cli(*command, "--abstain", "0.5")
    assert done.code == 2 and "--abstain needs a calibrated model" in done.err
    write_calibration(folder, Calibration("platt", [-100.0, 100.0], [0.2, 0.4], -100.0, 100.0))
    done = cli(*command, "--abstain", "0.5")
    assert done.code == 0 and "left unranked: their risk is above 0.5" in done.err, done.err
    with (tmp_path / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows and all(row["status"] == "abstained" and row["rank"] == "0" for row in rows)
    assert all(0.2 < float(row["near_native_probability"]) < 0.4 for row in rows)
    done = cli(*command)
    with (tmp_path / "out.csv").open() as file:
        assert [row["status"] for row in csv.DictReader(file)] == ["ok"] * len(rows)
