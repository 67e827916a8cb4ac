"""``load_model(...).score``: structures in memory get the scores of their files, as a table that shows itself."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem

import affinity_zoo
from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.api.models import LoadedModel
from affinity_zoo.zoo.data.readers import read_poses, read_receptor
from affinity_zoo.zoo.prediction import predict
from affinity_zoo.zoo.prediction.columns import columns_of


@pytest.fixture(scope="module")
def model(make_model: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    """A small model with two outputs."""
    folder = make_model(tmp_path_factory.mktemp("api") / "two", outputs=("pose", "affinity"))
    loaded = affinity_zoo.load_model(folder)
    assert isinstance(loaded, LoadedModel)
    return loaded


@pytest.fixture(scope="module")
def receptor(small_set: Path) -> Path:
    """The receptor of 7PBL as a file."""
    return next((small_set / "receptors").glob("7pbl*"))


@pytest.fixture(scope="module")
def pdb_files(small_set: Path, receptor: Path) -> list[Path]:
    """Poses in it as PDB files."""
    return sorted((small_set / "docked_ligands" / receptor.stem).iterdir())


@pytest.fixture(scope="module")
def sdf(pdb_files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same poses as an SDF file, with names and a double bond."""
    path = tmp_path_factory.mktemp("poses") / "poses.sdf"
    with Chem.SDWriter(str(path)) as writer:
        writer.SetKekulize(False)
        for number, file in enumerate(pdb_files):
            molecule = Chem.MolFromPDBFile(str(file))
            ends = [(bond, bond.GetBeginAtom(), bond.GetEndAtom()) for bond in molecule.GetBonds()]
            phosphoryl = next(bond for bond, a, b in ends if {a.GetSymbol(), b.GetSymbol()} == {"P", "O"})
            phosphoryl.SetBondType(Chem.BondType.DOUBLE)
            molecule.SetProp("_Name", f"pose <{number}>")
            molecule.SetProp("minimizedAffinity", f"{-7 - number}")
            writer.write(molecule)
    return path


def numbers(row) -> tuple[float, ...]:  # type: ignore[no-untyped-def]
    return row.pose_logit, row.pose_probability, row.pose_logit_sd, row.affinity_pk, row.docking_score


def _double_bonds(molecule) -> int:  # type: ignore[no-untyped-def]
    return sum(bond.GetBondType() == Chem.BondType.DOUBLE for bond in molecule.GetBonds())


def test_rdkit_molecules_have_the_scores_of_their_file(model, receptor, sdf) -> None:  # type: ignore[no-untyped-def]
    expected = {row.record: numbers(row) for row in predict(model, receptor, sdf, views=2)}
    pocket = model.pocket(receptor)
    molecules = list(Chem.SDMolSupplier(str(sdf)))
    for given in (molecules, iter(molecules), Chem.SDMolSupplier(str(sdf)), sdf, [str(sdf)]):
        found = model.score(pocket, given, views=2)
        assert [numbers(row) for row in found] == [expected[i] for i in range(len(expected))]
        assert [row.name for row in found] == [f"pose <{i}>" for i in range(len(expected))]
    assert sorted(row.rank for row in found) == list(range(1, len(found) + 1))
    assert found.best.pose_logit == max(row.pose_logit for row in found)
    assert not {"pose_logit_sd"} & {*model.score(pocket, molecules[0], views=1).columns}


def test_every_conformer_is_a_pose(model, receptor, sdf) -> None:  # type: ignore[no-untyped-def]
    molecules = list(Chem.SDMolSupplier(str(sdf)))
    several = Chem.Mol(molecules[0])
    for other in molecules[1:]:
        several.AddConformer(other.GetConformer(), assignId=True)
    found = model.score(receptor, several, views=1)
    apart = model.score(receptor, molecules, views=1)
    assert [row.pose_logit for row in found] == [row.pose_logit for row in apart]
    assert [row.id for row in found] == [f"pose <0>#{i}" for i in range(len(molecules))]
    for got, molecule in zip(found.to_rdkit(), molecules, strict=True):
        assert got.GetNumConformers() == 1
        np.testing.assert_array_equal(
            got.GetConformer().GetPositions(), molecule.GetConformer().GetPositions()
        )


def test_prody_atoms_and_arrays_have_the_scores_of_their_files(model, receptor, pdb_files) -> None:  # type: ignore[no-untyped-def]
    prody = pytest.importorskip("prody")
    prody.confProDy(verbosity="none")
    expected = [predict(model, receptor, file, views=1)[0].pose_logit for file in pdb_files]
    protein = prody.parsePDB(str(receptor))
    groups = [prody.parsePDB(str(file)) for file in pdb_files]
    assert [row.pose_logit for row in model.score(protein, groups, views=1)] == expected
    assert model.score(protein.select("all"), groups[0].select("all"), views=1)[0].pose_logit == expected[0]
    trajectory = groups[0].copy()
    for group in groups[1:]:
        trajectory.addCoordset(group.getCoords())
    assert [row.pose_logit for row in model.score(protein, trajectory, views=1)] == expected
    atoms = [next(iter(read_poses(file))).atoms for file in pdb_files]
    assert [row.pose_logit for row in model.score(read_receptor(receptor).atoms, atoms, views=1)] == expected
    positions = np.stack([one.xyz for one in atoms])
    symbols = [Chem.GetPeriodicTable().GetElementSymbol(int(z)) for z in atoms[0].element]
    for elements in (symbols, atoms[0].element):
        found = model.score(receptor, (positions, elements), views=1)
        assert [row.pose_logit for row in found] == expected
    whole = protein.select("not hydrogen and not water")
    row = model.score((whole.getCoords(), whole.getElements()), (positions[0], symbols), views=1)[0]
    assert row.status == "ok" and np.isfinite(row.pose_logit)


def test_what_cannot_be_read_is_a_failed_row(model, receptor, sdf) -> None:  # type: ignore[no-untyped-def]
    good = next(iter(Chem.SDMolSupplier(str(sdf))))
    flat = Chem.MolFromSmiles("CCO")
    wrong = (np.zeros((3, 3)), ["C", "C"])
    found = model.score(receptor, [good, None, flat, wrong, (np.ones((1, 3)), ["Qq"])], views=1)
    assert [row.status for row in found] == ["ok", "failed", "failed", "failed", "failed"]
    assert [row.rank for row in found] == [1, 0, 0, 0, 0]
    for row, words in zip(
        found.rows[1:], ("RDKit gave no", "no conformer", "do not fit", "'Qq'"), strict=True
    ):
        assert words in row.reason
    assert found.sorted().rows[0].status == "ok" and found.to_rdkit()[1] is None
    assert len(model.score(receptor, [], views=1)) == 0


def test_the_table(model, receptor, sdf, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    found = model.score(receptor, Chem.SDMolSupplier(str(sdf)), views=2)
    pandas = pytest.importorskip("pandas")
    frame = found.to_pandas()
    assert tuple(frame) == found.columns == columns_of([("pose", "affinity")], 2)
    assert frame["pose_logit"].tolist() == [row.pose_logit for row in found]
    page = found._repr_html_()
    assert "pose &lt;0&gt;" in page and "pose <0>" not in page and page.count("<tr>") == len(found) + 1
    first = found.sorted()[0]
    assert first == found.best and "ranked by pose" in repr(found)
    (molecule, *_) = found.to_rdkit()
    assert molecule.GetDoubleProp("affinity_zoo_pose_logit") == found[0].pose_logit
    assert _double_bonds(molecule) == 1, "bonds are those that were given"
    with found.write(tmp_path / "scores.csv").open() as file:
        assert [row["id"] for row in csv.DictReader(file)] == [row.id for row in found]
    read = list(Chem.SDMolSupplier(str(found.write(tmp_path / "scored.sdf"))))
    assert float(read[1].GetProp("affinity_zoo_affinity_pk")) == pytest.approx(found[1].affinity_pk)
    assert tuple(pandas.read_parquet(found.write(tmp_path / "scores.parquet"))) == found.columns


def test_molecules_of_files_keep_their_bonds(model, receptor, sdf) -> None:  # type: ignore[no-untyped-def]
    for molecule in model.score(receptor, sdf, views=1).to_rdkit():
        assert _double_bonds(molecule) == 1


def test_an_ensemble_reads_in_the_ways_of_its_models(make_model, receptor, sdf, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    from affinity_zoo.zoo.models.ensembles import write_ensemble

    folders = [make_model(tmp_path / "both" / "a"), make_model(tmp_path / "both" / "b")]
    recipe = folders[1] / "recipe.toml"
    table = "[data.read_options]\n"
    assert table in recipe.read_text()
    recipe.write_text(recipe.read_text().replace(table, table + 'ligand_bonds = "perceive"\n'))
    write_ensemble(tmp_path / "both", "both", ["a", "b"])
    loaded = affinity_zoo.load_model(tmp_path / "both")
    found = loaded.score(receptor, Chem.SDMolSupplier(str(sdf)), views=1)
    for row in predict(folders, receptor, sdf, views=1):
        assert found[row.record].pose_logit == row.pose_logit
    assert len(loaded.pocket(receptor).readings) == 2
    single = affinity_zoo.load_model(folders[0]).pocket(receptor)
    with pytest.raises(UsageError, match="another model"):
        loaded.score(single, sdf)


def test_wrong_calls_are_sentences(model, receptor, sdf, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(AffinityZooError, match=r"gone\.pdb: no such file"):
        model.pocket(tmp_path / "gone.pdb")
    with pytest.raises(AffinityZooError, match=r"gone\.sdf: no such file"):
        model.score(receptor, tmp_path / "gone.sdf")
    with pytest.raises(AffinityZooError, match="the receptor cannot be read"):
        model.pocket(3.0)
    with pytest.raises(UsageError, match="`molecules`"):
        model.score(receptor, 3.0)
    with pytest.raises(UsageError, match="`views`"):
        model.score(receptor, sdf, views=0)
    with pytest.raises(UsageError, match="rank_by"):
        model.score(receptor, sdf, rank_by="activity")


def test_nothing_is_written_to_stderr(model, receptor, sdf) -> None:  # type: ignore[no-untyped-def]
    """No note of TensorFlow, no bar, no warning, on import, load or score."""
    program = (
        "import sys, affinity_zoo\n"
        "affinity_zoo.train, affinity_zoo.explain\n"
        "scores = affinity_zoo.load_model(sys.argv[1]).score(sys.argv[2], sys.argv[3], views=1)\n"
        "print(len(scores), all(row.status == 'ok' for row in scores))\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-c", program, str(model.folder), str(receptor), str(sdf)],
        capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip
    assert done.stdout.endswith("True\n") and done.stderr == ""


def test_the_examples_of_the_docs_run(receptor, sdf, tmp_path: Path, monkeypatch, capsys) -> None:  # type: ignore[no-untyped-def]
    import re
    import shutil

    pytest.importorskip("pandas")
    docs = Path(__file__).resolve().parents[3] / "docs" / "python.md"
    blocks = re.findall(r"```python\n(.*?)```", docs.read_text(encoding="utf-8"), re.S)
    assert len(blocks) == 2
    shutil.copy(receptor, tmp_path / "receptor.pdb")
    shutil.copy(sdf, tmp_path / "poses.sdf")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)  # the docs are this project's own
    assert len(capsys.readouterr().out.splitlines()) == len(names["molecules"])  # type: ignore[arg-type]
    assert (tmp_path / "scores.csv").is_file()
