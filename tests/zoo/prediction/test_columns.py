"""Columns: documented as they are, the same in every format, and left out where the model cannot fill them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from affinity_zoo.zoo.prediction import columns
from affinity_zoo.zoo.prediction.columns import COLUMNS, NAMES, columns_of
from affinity_zoo.zoo.prediction.rows import FIELDS, RANKINGS

DOCS = Path(__file__).resolve().parents[3] / "docs" / "columns.md"


def _documented() -> list[list[str]]:
    lines = [line for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_docs_say_what_the_code_does(cli) -> None:  # type: ignore[no-untyped-def]
    assert NAMES[: len(FIELDS)] == FIELDS
    assert [c.name for c in COLUMNS if c.kind] == list(NAMES[len(FIELDS) :])
    table = [[f"`{c.name}`", c.unit, c.better, c.meaning, c.when] for c in COLUMNS]
    assert _documented() == table
    done = cli("show", "columns", "--json")
    assert [row["name"] for row in json.loads(done.out)] == list(NAMES)
    assert all(name in cli("show", "columns").out for name in NAMES)


def test_directions_agree_with_the_ranking() -> None:
    better = {column.name: column.better for column in COLUMNS}
    for field, sign in RANKINGS.values():
        assert better[field] == ("higher" if sign > 0 else "lower")


def test_columns_that_a_model_cannot_fill_are_left_out() -> None:
    pose = columns_of([("pose",)], 1)
    assert "pose_logit" in pose and "pose_probability" in pose
    assert not {"pose_logit_sd", "affinity_pk", "rmsd_expected", "product", "poses", "activity_logit"} & {
        *pose
    }
    assert "pose_logit_sd" in columns_of([("pose",)], 2)
    both = columns_of([("pose", "affinity"), ("pose",)], 1, "molecule")
    assert {"pose_logit_sd", "affinity_pk", "product", "poses"} <= {*both}
    assert "affinity_sd" not in both  # one model has it, in one view
    assert set(columns_of([("activity", "rmsd", "affinity")], 3)) >= {
        "rmsd_sd",
        "activity_probability",
        "product",
    }


def test_every_format_has_the_same_rows(make_model, receptor, block, write_sdf, tmp_path, cli) -> None:  # type: ignore[no-untyped-def]
    """CSV, Parquet, Arrow, JSON and SDF: names, order and numbers."""
    from rdkit import Chem

    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    poses = write_sdf(tmp_path / "poses.sdf", block, 4, corrupt=1)
    model = make_model("both-1", ("pose", "affinity"), seed=1)
    found = {}
    for ending in ("csv", "parquet", "arrow"):
        out = tmp_path / f"ranked.{ending}"
        done = cli(
            "predict",
            model,
            "-r",
            receptor,
            "-l",
            poses,
            "-o",
            out,
            "--views",
            2,
            "--json",
            "--sdf",
            tmp_path / "out.sdf",
        )
        assert done.code == 3, done.err
        found[ending] = out
    with found["csv"].open() as file:
        table = list(csv.DictReader(file))
    names = list(table[0])
    assert tuple(names) == columns_of([("pose", "affinity")], 2)
    rows = json.loads(done.out)
    frames = [pandas.read_parquet(found["parquet"]), pandas.read_feather(found["arrow"])]
    assert all(list(frame) == names for frame in frames) and list(rows[0]) == names
    for i, row in enumerate(rows):
        for name in names:
            numbers = [frame[name].iloc[i] for frame in frames]
            if row[name] is None:
                assert table[i][name] == "" and all(pandas.isna(number) for number in numbers)
            elif isinstance(row[name], float):
                assert float(table[i][name]) == pytest.approx(row[name], rel=1e-6)
                assert all(number == row[name] for number in numbers)
            else:
                assert table[i][name] == str(row[name]) and all(number == row[name] for number in numbers)
    molecules = list(Chem.SDMolSupplier(str(tmp_path / "out.sdf"), sanitize=False))
    for molecule, cells in zip(molecules, table, strict=False):
        for name in ("rank", "pose_logit", "affinity_pk", "affinity_sd", "id"):
            assert molecule.GetProp(f"affinity_zoo_{name}") == cells[name]


def test_a_column_of_the_table_is_computed_from_each_pose(  # type: ignore[no-untyped-def]
    make_model, receptor, block, write_sdf, tmp_path, cli, monkeypatch
) -> None:
    added = columns.PredictionColumn(
        "atoms", "", "", "Number of heavy atoms.", kind="int", value=lambda pose: len(pose.atoms)
    )
    monkeypatch.setattr(columns, "COLUMNS", (*COLUMNS, added))
    monkeypatch.setattr(columns, "NAMES", (*NAMES, "atoms"))
    poses = write_sdf(tmp_path / "poses.sdf", block, 2, corrupt=1)
    done = cli("predict", make_model("pose-1", ("pose",), seed=1), receptor, poses, "-o", "-", "--views", 1)
    rows = list(csv.DictReader(done.out.splitlines()))
    assert {row["status"]: row["atoms"] != "" for row in rows} == {"ok": True, "failed": False}
    assert int(rows[0]["atoms"]) == sum(
        line[31:32].isalpha() and line[31:33] != "H " for line in block.splitlines()
    )
