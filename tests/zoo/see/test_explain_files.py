"""`explain` on a real complex: every file read back by the library its users have, the page in a real browser."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Paths = Any  # RealComplex of conftest.py


@pytest.fixture(scope="module")
def explained(small_model: Path, real_complex: Paths, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that ``explain`` wrote for an SDF pose with hydrogens, and a receptor with water."""
    from affinity_zoo.zoo.models.loading import load_model
    from affinity_zoo.zoo.see.explain import explain
    from affinity_zoo.zoo.see.explain_report import write_all

    folder = tmp_path_factory.mktemp("explained") / "out"
    sdf = with_hydrogens(real_complex.ligand, folder.parent / "pose.sdf")
    found = explain(load_model(small_model), real_complex.receptor, sdf, record=1, views=2, steps=4)
    write_all(found, folder, page=True, command="affinity-zoo explain <model> & more")
    (folder / "said.json").write_text(
        json.dumps({"score": found.score, "gap": found.gap, "empty": found.empty})
    )
    return folder


def with_hydrogens(ligand: Path, out: Path) -> Path:
    """Two records, each the ligand with hydrogens in the middle of its atoms' list."""
    from rdkit import Chem

    from affinity_zoo.zoo.data.readers import read_poses
    from affinity_zoo.zoo.see.molecules import from_geometry

    atoms = next(iter(read_poses(ligand))).atoms
    assert atoms is not None
    molecule = Chem.AddHs(from_geometry(atoms), addCoords=True)
    heavy = [a.GetIdx() for a in molecule.GetAtoms() if a.GetAtomicNum() > 1]
    rest = [a.GetIdx() for a in molecule.GetAtoms() if a.GetAtomicNum() == 1]
    mixed = Chem.RenumberAtoms(molecule, [heavy[0], *rest, *heavy[1:]])
    with Chem.SDWriter(str(out)) as writer:
        writer.write(mixed)
        writer.write(mixed)
    return out


def test_prody_reads_the_values_back_as_b_factors(explained: Path) -> None:
    import prody

    atoms = prody.parsePDB(str(explained / "explain.pdb"))
    ligand = atoms.select("resname LIG and hetero")
    scale = float(re.search(r"B FACTOR = (\S+) X", (explained / "explain.pdb").read_text())[1])  # type: ignore[index]
    rows = list(csv.DictReader((explained / "atoms.csv").open()))
    column = next(name for name in rows[0] if name.startswith("gradient ("))
    assert "logit" in column and "positive raises the pose score" in column
    mine = [row for row in rows if row["part"] == "ligand"]
    np.testing.assert_allclose(ligand.getBetas(), [scale * float(row[column]) for row in mine], atol=0.0051)
    np.testing.assert_allclose(ligand.getCoords()[:, 0], [float(row["x (Å)"]) for row in mine], atol=1e-3)
    receptor = {int(row["atom"]) - 1: float(row[column]) for row in rows if row["part"] == "receptor"}
    betas = atoms.getBetas()
    for i, value in receptor.items():
        assert betas[i] == pytest.approx(scale * value, abs=0.0051)
    unseen = np.setdiff1d(np.arange(len(atoms) - len(ligand)), list(receptor))
    assert len(unseen) and not betas[unseen].any()
    assert ligand.getChids()[0] not in set(atoms.select("not resname LIG").getChids())


def test_rdkit_reads_the_values_back_as_atom_properties(explained: Path) -> None:
    from rdkit import Chem

    molecule = next(iter(Chem.SDMolSupplier(str(explained / "ligand.sdf"), removeHs=False)))
    rows = [row for row in csv.DictReader((explained / "atoms.csv").open()) if row["part"] == "ligand"]
    heavy = [atom for atom in molecule.GetAtoms() if atom.GetAtomicNum() > 1]
    assert len(heavy) == len(rows) < molecule.GetNumAtoms()
    for kind in ("gradient", "integrated", "occlusion"):
        column = next(name for name in rows[0] if name.startswith(f"{kind} ("))
        values = [atom.GetDoubleProp(kind) for atom in heavy]
        np.testing.assert_allclose(values, [float(row[column]) for row in rows], atol=1e-6)
    assert not any(a.HasProp("gradient") for a in molecule.GetAtoms() if a.GetAtomicNum() == 1)
    assert float(molecule.GetProp("pose score (logit)")) == pytest.approx(
        json.loads((explained / "said.json").read_text())["score"], abs=1e-5
    )


def test_tables_agree_with_each_other_and_with_the_score(explained: Path) -> None:
    said = json.loads((explained / "said.json").read_text())
    atoms = list(csv.DictReader((explained / "atoms.csv").open()))
    groups = list(csv.DictReader((explained / "residues.csv").open()))
    for kind in ("gradient", "integrated"):
        column = next(name for name in atoms[0] if name.startswith(f"{kind} ("))
        receptor = sum(float(row[column]) for row in atoms if row["part"] == "receptor")
        assert sum(float(row[column]) for row in groups) == pytest.approx(receptor, abs=1e-4)
    total = sum(float(row[column]) for row in atoms)
    assert total == pytest.approx(said["score"] - said["empty"] + said["gap"], abs=1e-4)
    strength = [abs(float(row[next(n for n in row if n.startswith("gradient ("))])) for row in groups]
    assert strength == sorted(strength, reverse=True)


def test_the_page_turns_in_a_real_browser_and_fetches_nothing(explained: Path, browse: Any) -> None:
    switch = (
        "setTimeout(function () { var k = document.getElementById('kind'); k.value = 'occlusion';"
        "k.dispatchEvent(new Event('change'));"
        "document.querySelector('#residues tr').dispatchEvent(new Event('mouseover', {bubbles: true}));"
        "var atom = VIEW.getModel(0).selectedAtoms({})[0];"
        "document.body.dataset.tried = VIEW.shapes.length + ' ' + atom.style.stick.colorfunc(atom);"
        "}, 4000);"
    )
    seen = browse(explained / "explain.html", switch)
    assert seen.console == []
    assert seen.requests == []
    assert re.search(r'data-ready="[1-9]"', seen.document)
    tried = re.search(r'data-tried="(\d+) #[0-9a-f]{6}"', seen.document)
    lines = re.search(r'data-drawn="\d+ \d+ (\d+)"', seen.document)
    # the atoms of the residue under the mouse have a ball each
    assert tried and lines and int(tried[1]) > int(lines[1])
    rows = re.search(r'id="residues">(.*?)</tbody>', seen.document, re.S)[1]  # type: ignore[index]
    first = list(csv.DictReader((explained / "residues.csv").open()))
    column = next(name for name in first[0] if name.startswith("occlusion ("))
    strongest = max(first, key=lambda row: abs(float(row[column])))
    assert (
        rows.startswith("<tr data-row=")
        and f"{strongest['residue']} {strongest['number']}" in rows.split("</tr>")[0]
    )
    assert "affinity-zoo explain &lt;model&gt; &amp; more" in seen.document
    from PIL import Image

    colours = Image.open(seen.picture).convert("RGB").crop((30, 130, 900, 800)).getcolors(1 << 24)
    assert colours is not None and len(colours) > 200  # something is drawn, not a blank scene
    assert (explained / "explain.html").stat().st_size < 10_000_000


def test_the_command(small_model: Path, real_complex: Paths, tmp_path: Path, cli: Any) -> None:
    arguments = [
        "explain",
        small_model,
        "-r",
        real_complex.receptor,
        "-l",
        real_complex.ligand,
        "--views",
        "1",
    ]
    done = cli(
        *arguments, "--method", "gradient", "--steps", "2", "--no-page", "-o", tmp_path / "a", "--json"
    )
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert told["values"] == ["gradient", "integrated"] and told["residues"] and told["atoms"]
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == [
        "atoms.csv",
        "explain.pdb",
        "ligand.sdf",
        "residues.csv",
    ]
    assert "bond orders perceived" in done.err  # a PDB ligand has none
    for wrong, code, words in (
        (["--method", "magic"], 2, "gradient, occlusion, both"),
        (["--output", "affinity"], 2, "this model has pose"),
        (["--record", "7"], 1, "has no record 7"),
        (["-o", real_complex.ligand], 2, "is a file"),
    ):
        done = cli(
            *arguments,
            "--no-page",
            *wrong,
        )
        assert done.code == code, (wrong, done.err)
        assert words in done.err


def test_water_is_a_residue_like_others_where_the_model_was_trained_with_it(
    real_complex: Paths, tmp_path: Path
) -> None:
    """Names of any length, waters and atoms without a type come through to the PDB file."""
    from dataclasses import replace

    from affinity_zoo.zoo.data.readers import ReadOptions
    from affinity_zoo.zoo.see.complexes import read_complex, residues
    from affinity_zoo.zoo.see.explain import Explanation
    from affinity_zoo.zoo.see.explain_files import write_pdb

    wet = tmp_path / "wet.pdb"
    lines = [line for line in real_complex.receptor.read_text().splitlines() if line.startswith("ATOM")][:40]
    water = "HETATM 9000  O   HOH W 301    {:8.3f}{:8.3f}{:8.3f}  1.00  0.00           O"
    wet.write_text(
        "\n".join(
            [*lines, water.format(*[float(lines[0][30 + 8 * k : 38 + 8 * k]) + 3 for k in range(3)]), "END"]
        )
    )
    found = read_complex(wet, real_complex.ligand, 0, ReadOptions(waters="keep"))
    assert residues(found.receptor)[-1].label == "HOH 301 W"
    long = np.full(len(found.receptor), b"AXB2", "S4")
    found = replace(found, receptor=replace(found.receptor, chain=long))
    n = len(found.receptor) + len(found.ligand)
    nothing, values = np.full(n, np.nan), np.linspace(-120, 3, n)
    groups = tuple(residues(found.receptor))
    explanation = Explanation(
        found, "m", {"name": "pose", "unit": "logit", "direction": "higher is better"}, 1.0, 0.0, 1, 0, 0,
        np.ones(n, bool), values, nothing, nothing, groups, np.full(len(groups), np.nan),
    )  # fmt: skip
    import prody

    atoms = prody.parsePDB(str(write_pdb(explanation, tmp_path / "long.pdb")))
    np.testing.assert_allclose(atoms.getBetas(), 0.1 * values, atol=0.0051)  # -120 does not fit the column
    assert atoms.numAtoms() == n and len(set(atoms.getChids())) == 2
    assert atoms.select("water").numAtoms() == 1


def test_a_ligand_far_from_everything_is_explained_too(
    small_model: Path, real_complex: Paths, tmp_path: Path, cli: Any
) -> None:
    """No residue is seen, and a single atom cannot be left out: tables are short, nothing breaks."""
    far = tmp_path / "far.pdb"
    far.write_text("HETATM    1 CL   CL  L   1     300.000 300.000 300.000  1.00  0.00          CL\nEND\n")
    out = tmp_path / "out"
    done = cli(
        "explain", small_model, "-r", real_complex.receptor, "-l", far, "-o", out, "--views", 1, "--steps", 2
    )
    assert done.code == 0, done.err
    assert len((out / "residues.csv").read_text().splitlines()) == 1
    assert len((out / "atoms.csv").read_text().splitlines()) == 2
    assert (out / "explain.html").is_file()


def test_the_score_is_the_one_of_predict(small_model: Path, real_complex: Paths) -> None:
    from affinity_zoo.zoo.models.loading import load_model
    from affinity_zoo.zoo.prediction import predict
    from affinity_zoo.zoo.see.explain import explain

    model = load_model(small_model)
    found = explain(model, real_complex.receptor, real_complex.ligand, method="gradient", views=3, steps=1)
    [row] = predict(model, real_complex.receptor, real_complex.ligand, views=3)
    assert found.score == pytest.approx(row.pose_logit, abs=1e-4)
