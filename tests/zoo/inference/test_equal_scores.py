"""Equal poses have equal scores: in any row, batch, chunk and order, by ``predict``, ``evaluate`` and ``explain``."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import affinity_zoo
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.inference.choices import ScoringChoices
from affinity_zoo.zoo.inference.held import held_model
from affinity_zoo.zoo.inference.rows import score_rows
from affinity_zoo.zoo.prediction import predict

#: columns of ``predict`` beside those of ``evaluate``
BESIDE = {"pose_logit": "score", "pose_probability": "probability", "pose_logit_sd": "score_sd"}


@pytest.fixture(scope="module")
def models(
    make_model: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[Path]]:
    """A model of one output, one of two, and the two with a third as an ensemble; corrections differ."""
    root = tmp_path_factory.mktemp("scoring")
    one = make_model(root / "one", correction=-0.7)
    two = make_model(root / "two", featurizer="element-tag", outputs=("pose", "affinity"), correction=0.4)
    return {"one output": [one], "two outputs": [two], "ensemble": [one, two]}


@pytest.fixture(scope="module")
def five(small_set: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A receptor, and an SDF file of five identical poses between others."""
    from rdkit import Chem

    receptor = next((small_set / "receptors").glob("7pbl*"))
    folders = ("crystal_ligands", "docked_ligands")
    files = [path for name in folders for path in sorted((small_set / name / receptor.stem).iterdir())]
    blocks = [
        Chem.MolToMolBlock(Chem.MolFromPDBFile(str(file), sanitize=False), kekulize=False) for file in files
    ]
    poses = tmp_path_factory.mktemp("five") / "poses.sdf"
    order = [0, 1, 0, 2, 3, 0, 0, 1, 0]
    poses.write_text("".join(blocks[k] + "$$$$\n" for k in order))
    return receptor, poses


def test_five_identical_poses_have_one_score(models, five, tmp_path: Path, cli) -> None:  # type: ignore[no-untyped-def]
    out = tmp_path / "ranked.csv"
    done = cli("predict", *models["two outputs"], "-r", five[0], "-l", five[1], "-o", out, "--views", 4)
    assert done.code == 0, done.err
    with out.open() as file:
        rows = {int(row["record"]): row for row in csv.DictReader(file)}
    same = [rows[record] for record in (0, 2, 5, 6, 8)]
    for column in (
        "pose_logit",
        "pose_probability",
        "pose_logit_sd",
        "affinity_pk",
        "affinity_sd",
        "product",
    ):
        assert len({row[column] for row in same}) == 1, column
        assert rows[1][column] == rows[7][column] != same[0][column]


@pytest.mark.parametrize("which", ["one output", "two outputs", "ensemble"])
def test_evaluate_and_predict_agree_to_the_last_digit(  # type: ignore[no-untyped-def]
    which: str, models, small_data: Path, small_set: Path, tmp_path: Path
) -> None:
    """Every pose of the index: from the store in one go, and from its file alone."""
    from affinity_zoo.zoo.models.ensembles import write_ensemble

    folders = models[which]
    candidate = folders[0]
    if len(folders) > 1:
        candidate = folders[0].parent
        write_ensemble(candidate, "both", [folder.name for folder in folders])
    predictions = affinity_zoo.evaluate(
        candidate, small_data, split="all", views=3, runs=tmp_path
    ).predictions()
    data = Dataset.open(small_data)
    assert np.isfinite(predictions.score).all() and len(predictions) == len(data) == 20
    by_id = dict(zip(predictions.id, range(len(predictions)), strict=True))
    for row in range(len(data)):
        receptor = small_set / str(data.column("receptor")[row])
        ligand = small_set / str(data.column("ligand")[row])
        (found,) = predict(folders, receptor, ligand, views=3)
        place = by_id[data.column("id")[row]]
        evaluated = {"score": predictions.score, **predictions.extra}
        for ours, theirs in BESIDE.items():
            assert getattr(found, ours) == evaluated[theirs][place], (row, ours)
        if "affinity_output" in evaluated:
            assert found.affinity_pk == evaluated["affinity_output"][place]


def test_explain_gives_the_same_score(models, five) -> None:  # type: ignore[no-untyped-def]
    from affinity_zoo.zoo.see.explain import explain

    loaded = affinity_zoo.load_model(models["two outputs"][0])
    rows = {row.record: row for row in predict(loaded, *five, views=2)}
    found = explain(loaded, *five, record=3, method="occlusion", output="affinity", views=2)
    assert found.score == rows[3].affinity_pk


@settings(max_examples=8, deadline=None)
@given(
    rows=st.lists(st.integers(0, 19), min_size=1, max_size=20),
    batch_size=st.integers(1, 9),
    threads=st.integers(1, 4),
)
def test_rows_batches_and_threads_change_no_bit(models, small_data: Path, rows, batch_size, threads) -> None:  # type: ignore[no-untyped-def]
    model, data = held_model(models["two outputs"][0]), Dataset.open(small_data)
    whole = score_rows(model, data, np.arange(20), ScoringChoices(2))
    choices = ScoringChoices(2, batch_size=batch_size, threads=threads)
    assert np.array_equal(score_rows(model, data, np.array(rows), choices), whole[rows])


def test_chunks_processes_and_order_change_no_bit(models, five, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """One pose a chunk, the poses backwards, and other processes."""
    receptor, poses = five
    records = poses.read_text().split("$$$$\n")[:-1]
    backwards = tmp_path / "backwards.sdf"
    backwards.write_text("".join(record + "$$$$\n" for record in reversed(records)))
    plain = {row.record: row for row in predict(models["ensemble"], receptor, poses, views=2)}

    def numbers(row) -> tuple[float, ...]:  # type: ignore[no-untyped-def]
        return row.pose_logit, row.pose_probability, row.pose_logit_sd, row.affinity_pk, row.affinity_sd

    for options in ({"chunk": 1}, {"chunk": 4, "batch_size": 3}, {"processes": 1, "chunk": 3}):
        for row in predict(models["ensemble"], receptor, poses, views=2, **options):
            assert numbers(row) == numbers(plain[row.record]), options
    for row in predict(models["ensemble"], receptor, backwards, views=2):
        assert numbers(row) == numbers(plain[len(records) - 1 - row.record])


def test_a_score_that_is_no_number_is_a_failure_of_its_row(
    models, five, small_data, tmp_path, monkeypatch, capfd
) -> None:  # type: ignore[no-untyped-def]
    """An infinite logit does not rank first, in ``predict`` or in ``evaluate``."""
    from affinity_zoo.zoo.inference.ready import ReadyModel

    given = ReadyModel.outputs

    def broken(self, maker, rows, choices, done=lambda n: None):  # type: ignore[no-untyped-def]
        found = given(self, maker, rows, choices, done)
        found[1, 0, 0] = np.inf
        return found

    monkeypatch.setattr(ReadyModel, "outputs", broken)
    rows = predict(models["one output"][0], *five, views=2)
    assert [row.status for row in rows] == ["ok"] * 8 + ["failed"]
    assert rows[-1].record == 1 and "finite" in rows[-1].reason and rows[-1].rank == 0
    result = affinity_zoo.evaluate(models["one output"][0], small_data, split="all", views=2, runs=tmp_path)
    assert np.isnan(result.predictions().score).sum() == 1 and result.data["n_unscored"] == 1
    assert "1 of 20 rows have no score" in capfd.readouterr().err
