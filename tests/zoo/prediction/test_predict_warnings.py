"""Warnings of ``predict``: each names what is wrong with a pose; on poses in order there is none."""

from __future__ import annotations

import shutil

import numpy as np

from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.models.training_ligands import FILE, load_fingerprints, write_training_ligands
from affinity_zoo.zoo.prediction import predict
from affinity_zoo.zoo.prediction.checks import REMEDIES, kind_of, other_reading


def _kinds(rows) -> list[list[str]]:  # type: ignore[no-untyped-def]
    ordered = sorted(rows, key=lambda row: row.record)
    return [[kind_of(text) for text in row.warnings.split("; ") if text] for row in ordered]


def test_clash_and_distance(make_model, receptor, block, moved, tmp_path) -> None:  # type: ignore[no-untyped-def]
    poses = tmp_path / "poses.sdf"
    poses.write_text("".join(moved(block, shift, "m") + "$$$$\n" for shift in (0.0, 2.5, 500.0)))
    crystal, pushed, away = _kinds(predict(make_model("pose"), receptor, poses, views=1))
    assert crystal == [] and pushed == ["clash"] and away == ["far"]


def test_a_box_too_small(make_model, receptor, block, tmp_path, cli) -> None:  # type: ignore[no-untyped-def]
    """The summary says how many and what to do."""
    poses = tmp_path / "poses.sdf"
    poses.write_text(block + "$$$$\n")
    small = make_model("small", side=4)
    code, _, err = cli("predict", small, "-r", receptor, "-l", poses, "-o", tmp_path / "o.csv", "--views", 1)
    assert code == 0 and "1 of 1 rows cropped: the ligand does not fit into the box" in err
    # of an ensemble the smallest box counts
    rows = predict([make_model("pose"), small], receptor, poses, views=1)
    assert _kinds(rows) == [["cropped"]] and "the box 3 Å" in rows[0].warnings


def test_ligands_unlike_the_training_set(
    make_model, receptor, block, small_data, small_set, tmp_path
) -> None:  # type: ignore[no-untyped-def]
    """Only a model directory that knows its training ligands can say so."""
    dataset = Dataset.open(small_data)
    targets = dataset.column("target")
    poses = tmp_path / "poses.sdf"
    poses.write_text(block + "$$$$\n")
    own, foreign = tmp_path / "own", tmp_path / "foreign"
    for folder in (own, foreign):
        shutil.copytree(make_model("pose"), folder)
    rows = np.flatnonzero(np.char.startswith(np.char.lower(targets), "7pbl"))
    assert 1 <= write_training_ligands(own, dataset, rows) < len(rows)
    bits = np.zeros((3, 2048), np.uint8)
    bits[:, :5] = 1
    np.savez(foreign / FILE, bits=np.packbits(bits, axis=1))
    assert _kinds(predict(own, receptor, poses, views=1)) == [[]]
    assert _kinds(predict(foreign, receptor, poses, views=1)) == [["unlike"]]
    assert load_fingerprints(str(make_model("pose"))) is None
    assert _kinds(predict(make_model("pose"), receptor, poses, views=1)) == [[]]
    both = [foreign, make_model("pose")]
    assert _kinds(predict(both, receptor, poses, views=1)) == [[]], "one of them cannot know"


def test_models_that_read_in_different_ways(make_model, receptor, block, tmp_path, cli) -> None:  # type: ignore[no-untyped-def]
    """Each model reads the poses in its own way, and the output says so."""
    from affinity_zoo.zoo.data.readers import ReadOptions

    poses = tmp_path / "poses.sdf"
    poses.write_text(block + "$$$$\n")
    plain = make_model("types", featurizer="atom-types")
    dry = ReadOptions(ligand_bonds="perceive").as_dict()
    other = make_model("perceive", featurizer="atom-types", read_options=dry)
    code, _, err = cli(
        "predict", plain, other, "-r", receptor, "-l", poses, "-o", tmp_path / "o.csv", "--views", 1
    )
    assert code == 0 and "read with different ligand_bonds" in err
    alone = [predict(model, receptor, poses, views=1)[0].pose_probability for model in (plain, other)]
    joint = predict([plain, other], receptor, poses, views=1)[0].pose_probability
    assert joint == np.mean(alone) or abs(joint - np.mean(alone)) < 1e-9
    assert other_reading({}) == ""


def test_every_kind_has_a_remedy() -> None:
    assert set(REMEDIES) == {
        "cropped",
        "untyped",
        "clash",
        "far",
        "bound",
        "unlike",
        "outside",
        "range",
        "note",
    }
