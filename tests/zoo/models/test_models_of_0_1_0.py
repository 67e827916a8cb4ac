"""A model directory written by version 0.1.0 still loads, and gives the scores that it gave then."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "data" / "model-0.1.0"


def test_a_model_of_version_0_1_0_gives_its_scores(tmp_path: Path, cli) -> None:  # type: ignore[no-untyped-def]
    poses = [part for path in sorted(FOLDER.glob("pose_*.pdb")) for part in ("-l", path)]
    code, printed, err = cli(
        "predict", FOLDER, "-r", FOLDER / "receptor.pdb", *poses, "--views", 1, "-o", tmp_path / "p.csv"
    )  # fmt: skip
    assert code == 0, printed + err
    with open(tmp_path / "p.csv", newline="", encoding="utf-8") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    wanted = json.loads((FOLDER / "predictions.json").read_text(encoding="utf-8"))
    assert rows.keys() == wanted.keys()
    for name, was in wanted.items():
        found = [float(v) for v in rows[name].values() if _is(v, was["score"])]
        assert found, f"{name}: no column holds {was['score']}: {rows[name]}"
        assert any(_is(v, was["probability"]) for v in rows[name].values())


def _is(text: str, value: float) -> bool:
    try:
        return float(text) == pytest.approx(value, abs=1e-5)
    except ValueError:
        return False
