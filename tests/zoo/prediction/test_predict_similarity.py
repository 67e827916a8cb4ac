"""``predict --similarity`` and the range of validation scores: how far a pose is from anything the model has seen."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from affinity_zoo import load_model, predict
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.data.readers import read_receptor
from affinity_zoo.zoo.data.similarity import KnownSequences
from affinity_zoo.zoo.data.splits.sequences import chains_near, identity
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.models.training_ligands import FILE as LIGANDS
from affinity_zoo.zoo.models.training_ligands import write_training_ligands
from affinity_zoo.zoo.models.training_sequences import FILE as SEQUENCES
from affinity_zoo.zoo.prediction.rows import PosePrediction
from affinity_zoo.zoo.prediction.similarity import COLUMNS
from affinity_zoo.zoo.prediction.trust import in_range


@pytest.fixture
def poses(block: str, tmp_path: Path) -> Path:
    """The crystal ligand of 7PBL, benzene at its place, and a damaged record."""
    from rdkit import Chem

    crystal = Chem.MolFromMolBlock(block, sanitize=False)
    ring = Chem.MolFromSmiles("c1ccccc1")
    place = Chem.Conformer(6)
    middle = crystal.GetConformer().GetPositions().mean(axis=0)
    for i in range(6):
        angle = np.pi / 3 * i
        place.SetAtomPosition(i, (middle + [1.39 * np.cos(angle), 1.39 * np.sin(angle), 0.0]).tolist())
    ring.AddConformer(place)
    path = tmp_path / "poses.sdf"
    path.write_text(
        "$$$$\n".join([block, Chem.MolToMolBlock(ring), "broken\n\n\nnothing\nM  END\n"]) + "$$$$\n"
    )
    return path


def test_a_ligand_and_a_chain_that_were_trained_on_are_1_and_others_less(
    make_model, receptor, poses, small_data, tmp_path, cli
) -> None:  # type: ignore[no-untyped-def]
    dataset = Dataset.open(small_data)
    own, foreign, bare = tmp_path / "own", tmp_path / "foreign", make_model("pose")
    for folder in (own, foreign):
        shutil.copytree(bare, folder)
    write_training_ligands(own, dataset, np.arange(len(dataset)))
    bits = np.zeros((1, 2048), np.uint8)
    bits[:, :9] = 1
    np.savez(foreign / LIGANDS, bits=np.packbits(bits, axis=1))
    row = int(np.flatnonzero(dataset.column("target") == receptor.stem)[0])
    ligand = dataset.store.atoms(int(dataset.ligand_structure[row]))
    chain = chains_near(read_receptor(receptor).atoms, ligand)[0]
    mutant = "".join("A" if i % 4 == 0 else letter for i, letter in enumerate(chain))
    (own / SEQUENCES).write_text(f"{chain}\n{'GAVLIPFMW' * 20}\n")
    (foreign / SEQUENCES).write_text(f"{mutant}\n")

    def read(model: Path, *more: object) -> list[dict[str, str]]:
        out = tmp_path / "out.csv"
        done = cli(
            "predict", model, "-r", receptor, "-l", poses, "--views", 1, "--similarity", "-o", out, *more
        )
        assert done.code == 3, done.err
        assert ("has no list of its training" in done.err) == (model == bare)
        with out.open() as file:
            return sorted(csv.DictReader(file), key=lambda values: int(values["record"]))

    crystal, ring, damaged = read(own)
    assert float(crystal["ligand_similarity"]) == 1.0 > float(ring["ligand_similarity"])
    assert float(crystal["protein_identity"]) == float(ring["protein_identity"]) == 1.0
    assert damaged["ligand_similarity"] == damaged["protein_identity"] == ""
    crystal, _, _ = read(foreign)
    assert float(crystal["ligand_similarity"]) < 0.2 and crystal["warnings"].startswith("unlike")
    expected = max(identity(one, mutant) for one in chains_near(read_receptor(receptor).atoms, ligand))
    assert float(crystal["protein_identity"]) == pytest.approx(expected, abs=1e-6)
    assert 0.5 < expected < 1.0
    both, _, _ = read(own, "--model", foreign)
    assert float(both["ligand_similarity"]) == float(both["protein_identity"]) == 1.0
    for found in read(bare):
        assert found["ligand_similarity"] == found["protein_identity"] == ""
    scores = load_model(own).score(receptor, poses, views=1, similarity=True)
    assert scores[0].value("ligand_similarity") == 1.0 and COLUMNS[1] in scores.columns
    assert COLUMNS[0] not in load_model(own).score(receptor, poses, views=1).columns


def test_unrelated_sequences_have_no_identity() -> None:
    rng = np.random.default_rng(0)
    letters = np.array(list("ACDEFGHIKLMNPQRSTVWY"))
    one, other = ("".join(rng.choice(letters, 150)) for _ in range(2))
    known = KnownSequences([other, one[:100] + other[:50]])
    assert known.nearest(other) == 1.0 and KnownSequences([]).nearest(one) == 0.0
    assert KnownSequences([other]).nearest(one) == 0.0 < known.nearest(one)


def test_scores_out_of_the_validation_range_are_flagged(make_model, receptor, poses, tmp_path) -> None:  # type: ignore[no-untyped-def]
    rows = [PosePrediction(pose_logit=v, rmsd_expected=3.0) for v in (-2.0, 0.0, 2.0, float("nan"))]
    card = {"output_ranges": {"pose": [-1.0, 1.5], "rmsd": [0.5, 9.0]}}
    found = in_range(rows, [card])
    assert [row.warnings for row in found] == [
        "range: pose_logit -2.00 is outside -1.00 to 1.50", "", "range: pose_logit 2.00 is outside -1.00 to 1.50", "",
    ]  # fmt: skip
    assert in_range(rows, [{}]) == in_range(rows, [card, card]) == rows
    folder = tmp_path / "ranged"
    shutil.copytree(make_model("pose"), folder)
    first = {row.record: row for row in predict(folder, receptor, poses, views=1)}
    assert "range" not in first[0].warnings
    told = json.loads((folder / "card.json").read_text())
    low = first[0].pose_logit + 0.5
    (folder / "card.json").write_text(json.dumps({**told, "output_ranges": {"pose": [low, low + 1]}}))
    again = {row.record: row for row in predict(folder, receptor, poses, views=1)}
    assert f"range: pose_logit {first[0].pose_logit:.2f} is outside" in again[0].warnings
    in_memory = load_model(folder).score(receptor, poses, views=1)
    assert in_memory[0].warnings == again[0].warnings
    (folder / "card.json").write_text(json.dumps({**told, "output_ranges": {"pose": ["low", 1]}}))
    with pytest.raises(AffinityZooError, match="output_ranges"):
        predict(folder, receptor, poses, views=1)
