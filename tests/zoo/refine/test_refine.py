"""Refining: the slope is the score's, no score falls, no clash is new, and every record comes out or says why."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from affinity_zoo.featurizers.views import fixed_views, rotations_of
from affinity_zoo.zoo.chem.geometry import clashes
from affinity_zoo.zoo.data.readers import read_poses, read_receptor
from affinity_zoo.zoo.models.loading import Model, load_model
from affinity_zoo.zoo.refine.field import Field
from affinity_zoo.zoo.refine.refine import Options, at, refine_pose
from affinity_zoo.zoo.see.molecules import from_geometry, molecule_of

QUICK = Options(steps=6, views=2, search_views=2, max_move=1.0)


@pytest.fixture(scope="module")
def model(small_model: Path) -> Model:
    return load_model(small_model)


@pytest.fixture(scope="module")
def poses(small_set: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A receptor, and an SDF file with the crystal pose, a decoy, a broken record, and another decoy."""
    from rdkit import Chem

    from affinity_zoo.zoo.see.molecules import sdf_text

    crystal = min((small_set / "crystal_ligands").rglob("*.pdb"))
    name = crystal.parent.name
    files = [crystal, *sorted((small_set / "docked_ligands" / name).glob("*.pdb"))[:2]]
    texts = []
    for file in files:
        atoms = next(iter(read_poses(file))).atoms
        assert atoms is not None
        made = Chem.AddHs(from_geometry(atoms), addCoords=True)
        texts.append(sdf_text(made, file.stem, {"REMARK": f"from {file.stem}"}))
    texts.insert(2, "broken\n\n\n  9  9  0  0  0  0  0  0  0  0999 V2000\nM  END\n$$$$\n")
    out = tmp_path_factory.mktemp("poses") / "poses.sdf"
    out.write_text("".join(texts))
    return small_set / "receptors" / f"{name}.pdb", out


def test_the_slope_agrees_with_finite_differences(model: Model, poses: tuple[Path, Path]) -> None:
    """Of the score as predict gives it: the box follows the ligand."""
    receptor, ligand = read_receptor(poses[0]).atoms, next(iter(read_poses(poses[1]))).atoms
    assert ligand is not None
    field = Field(model, 0, receptor, ligand)
    xyz, rotations = ligand.xyz.astype(np.float64), rotations_of(fixed_views(0, 3))
    score, slope = field.slope(xyz, rotations)
    assert score == pytest.approx(field.scores(xyz, rotations).mean(), abs=1e-4)
    rng, step = np.random.default_rng(0), 2e-3
    for way in (
        rng.normal(size=xyz.shape),
        np.tile([1.0, 0, 0], (len(xyz), 1)),
        np.tile([0, 0.6, 0.8], (len(xyz), 1)),
    ):
        ahead, back = (field.scores(xyz + sign * step * way, rotations).mean() for sign in (1, -1))
        assert (slope * way).sum() == pytest.approx((ahead - back) / (2 * step), rel=0.05, abs=3e-3)


def test_no_score_falls_no_clash_is_new_and_hydrogens_come_along(
    model: Model, poses: tuple[Path, Path]
) -> None:
    receptor = read_receptor(poses[0]).atoms
    improved = 0
    for pose in read_poses(poses[1]):
        if pose.atoms is None:
            continue
        for torsions in (True, False):
            molecule, place, note = molecule_of(pose.atoms, poses[1], pose.record)
            assert note == "" and molecule.GetNumAtoms() > len(place)
            start = molecule.GetConformer().GetPositions()
            found = refine_pose(
                model,
                0,
                receptor,
                pose.atoms,
                molecule,
                place,
                replace(QUICK, torsions=torsions),
            )
            assert found.after >= found.before
            assert found.improved == (found.after > found.before) == (found.moved > 0)
            assert found.moved <= QUICK.max_move + 1e-3
            moved_atoms = at(pose.atoms, found.xyz[place])
            assert clashes(receptor, moved_atoms) <= clashes(receptor, pose.atoms)
            bonds = np.array([(b.GetBeginAtomIdx(), b.GetEndAtomIdx()) for b in molecule.GetBonds()])
            length = [np.linalg.norm(x[bonds[:, 0]] - x[bonds[:, 1]], axis=1) for x in (start, found.xyz)]
            np.testing.assert_allclose(*length, atol=1e-3)
            improved += found.improved
    assert improved >= 3


def test_predict_gives_the_scores_that_are_written(
    small_model: Path, poses: tuple[Path, Path], tmp_path: Path, cli: Any
) -> None:
    out, table = tmp_path / "refined.sdf", tmp_path / "rows.csv"
    done = cli(
        "refine", small_model, "-r", poses[0], "-l", poses[1], "-o", out, "--table", table, "--steps", 4,
        "--views", 2, "--search-views", 2, "--json",
    )  # fmt: skip
    assert done.code == 3, done.err  # the broken record
    rows = json.loads(done.out)
    assert [row["record"] for row in rows] == [0, 1, 2, 3]
    assert rows[2]["status"] == "failed" and rows[2]["reason"] and rows[2]["after"] is None
    written = list(csv.DictReader(table.open()))
    assert len(written) == 4 and any("logit of pose, higher is better" in name for name in written[0])
    from rdkit import Chem

    from affinity_zoo.zoo.prediction import predict

    ready = list(Chem.SDMolSupplier(str(out), removeHs=False))
    good = [row for row in rows if row["status"] != "failed"]
    assert [m.GetProp("_Name") for m in ready] == [row["name"] for row in good]
    assert ready[0].GetProp("REMARK").startswith("from")
    loaded = load_model(small_model)
    before = {p.record: p.pose_logit for p in predict(loaded, poses[0], poses[1], views=2)}
    after = {p.record: p.pose_logit for p in predict(loaded, poses[0], out, views=2)}
    for place, row in enumerate(good):
        assert row["before"] == pytest.approx(before[row["record"]], abs=2e-4)
        # a failed record is not in the SDF file: the ones after it move up, and are scored alike
        assert row["after"] == pytest.approx(after[place], abs=2e-4)
        assert row["after"] >= row["before"]
        assert float(ready[place].GetProp("refined_pose_after (logit)")) == pytest.approx(
            row["after"], abs=1e-5
        )


def test_a_model_whose_image_jumps_is_refused(
    make_model: Callable[..., Path], poses: tuple[Path, Path], tmp_path: Path, cli: Any
) -> None:
    folder = make_model(tmp_path / "tags", "element-tag")
    done = cli("refine", folder, "-r", poses[0], "-l", poses[1], "-o", tmp_path / "out.sdf")
    assert done.code == 1
    assert "element-tag" in done.err and "jumps" in done.err and "atom-types" in done.err
    assert not (tmp_path / "out.sdf").exists()


def test_wrong_options_and_unreadable_poses(
    small_model: Path, poses: tuple[Path, Path], tmp_path: Path, cli: Any
) -> None:
    broken = tmp_path / "broken.sdf"
    broken.write_text("nothing\n$$$$\n")
    done = cli("refine", small_model, "-r", poses[0], "-l", broken, "-o", tmp_path / "out.sdf")
    assert done.code == 1 and "not refined" in done.err
    done = cli("refine", small_model, "-r", poses[0], "-l", poses[1], "--max-move", 0)
    assert done.code == 2 and "max-move" in done.err
    done = cli("refine", small_model, "-r", poses[0], "-l", poses[1], "--output", "affinity")
    assert done.code == 2 and "this model has pose" in done.err
