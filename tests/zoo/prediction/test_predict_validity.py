"""``predict --validity``: the columns of validity beside the scores, the same in every way of computing."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from affinity_zoo.zoo.prediction.merge import merge
from affinity_zoo.zoo.validity.check import check_file, method_of, note_of
from affinity_zoo.zoo.validity.columns import columns_of


@pytest.fixture(scope="module")
def poses(receptor, block, tmp_path_factory) -> Path:  # type: ignore[no-untyped-def]
    """Four records: a molecule at the receptor, pushed into it, without bond orders, and damaged."""
    import numpy as np
    from rdkit import Chem
    from rdkit.Chem import AllChem

    from affinity_zoo.zoo.data.readers import read_receptor

    atoms = read_receptor(receptor).atoms
    molecule = Chem.AddHs(Chem.MolFromSmiles("CC(=O)Nc1ccc(O)cc1"))
    AllChem.EmbedMolecule(molecule, randomSeed=1)
    AllChem.MMFFOptimizeMolecule(molecule)
    xyz = molecule.GetConformer().GetPositions()
    start = atoms.xyz[np.argmax(atoms.xyz[:, 0])].astype(float)
    texts = []
    for place in (start + [5.5, 0.0, 0.0], atoms.xyz[len(atoms) // 2].astype(float)):
        for i, point in enumerate(xyz - xyz[0] + place):
            molecule.GetConformer().SetAtomPosition(i, point.tolist())
        texts.append(Chem.MolToMolBlock(molecule))
    path = tmp_path_factory.mktemp("poses") / "poses.sdf"
    path.write_text("$$$$\n".join([*texts, block, "broken\n\n\nnothing\nM  END\n"]) + "$$$$\n")
    return path


def read(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return sorted(csv.DictReader(file), key=lambda row: int(row["record"]))


def test_the_columns_stand_beside_the_scores(make_model, receptor, poses, tmp_path, cli) -> None:  # type: ignore[no-untyped-def]
    from affinity_zoo.zoo.data.readers import read_receptor

    command = ("predict", make_model("pose"), "-r", receptor, "-l", poses, "--views", 1, "--validity")
    done = cli(*command, "-o", tmp_path / "a.csv", "--sdf", tmp_path / "a.sdf")
    assert done.code == 3, done.err
    method = method_of(True)
    rows = read(tmp_path / "a.csv")
    assert list(rows[0])[-len(columns_of(method)) :] == list(columns_of(method))
    assert note_of(method)[:25] in done.err.replace("\n", " ") and "pose_valid" in done.out
    atoms = read_receptor(receptor).atoms
    for record, row in enumerate(rows[:3]):
        values = check_file(str(poses), record, atoms, method).as_dict()
        assert {name: row[name] for name in columns_of(method)} == {
            name: "" if values[name] is None else str(values[name]) for name in columns_of(method)
        }
    assert rows[1]["pose_valid"] == rows[1]["valid_protein_overlap"] == "0"
    assert rows[2]["pose_valid"] == "" and "bond orders" in rows[2]["validity_reason"]
    assert rows[3]["status"] == "failed" and rows[3]["pose_valid"] == ""
    assert "<affinity_zoo_pose_valid>" in (tmp_path / "a.sdf").read_text()
    plain = cli(*command[:-1], "-o", tmp_path / "b.csv")
    assert plain.code == 3 and "pose_valid" not in read(tmp_path / "b.csv")[0]
    assert [r["pose_logit"] for r in read(tmp_path / "b.csv")] == [r["pose_logit"] for r in rows]


def test_parts_merge_to_the_bytes_of_the_whole(make_model, receptor, poses, tmp_path, cli) -> None:  # type: ignore[no-untyped-def]
    command = ("predict", make_model("pose"), "-r", receptor, "-l", poses, "--views", 1, "--validity")
    command = (*command, "--chunk", 1)
    cli(*command, "-o", tmp_path / "whole.csv")
    parts = [tmp_path / f"{k}.csv" for k in (1, 2)]
    for k, part in enumerate(parts, 1):
        assert cli(*command, "-o", part, "--shard", f"{k}/2").code in (0, 3)
    merge(parts, tmp_path / "merged.csv")
    assert (tmp_path / "merged.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_python_checks_files_and_molecules_alike(make_model, receptor, poses, tmp_path) -> None:  # type: ignore[no-untyped-def]
    pandas = pytest.importorskip("pandas")
    from rdkit import Chem

    from affinity_zoo import load_model, predict

    model = load_model(make_model("pose"))
    by_file = model.score(receptor, poses, validity=True).to_pandas()
    molecules = list(Chem.SDMolSupplier(str(poses), removeHs=False))[:2]
    by_molecule = model.score(receptor, molecules, validity=True).to_pandas()
    assert by_file["pose_valid"].tolist()[1] == 0 and pandas.isna(by_file["pose_valid"][2])
    for name in columns_of(method_of(True)):
        assert by_molecule[name].tolist() == by_file[name].tolist()[:2]
    rows = {row.record: row for row in predict(model, receptor, poses, views=1, validity="rdkit")}
    assert rows[1].value("validity_method") == "rdkit" and rows[1].value("pose_valid") == 0
    assert "pose_valid" not in model.score(receptor, poses).columns
