"""What `check` finds: odd complexes, duplicates, and labels that a file format gives away."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from affinity_zoo.zoo.data.checks import CheckReport, check
from affinity_zoo.zoo.data.index.run import build_index

Make = Callable[[float], str]


@pytest.fixture
def table(
    tmp_path: Path, receptor_pdb: Callable[[int], str]
) -> Callable[[list[tuple[str, str, object]]], Path]:
    """A function from (name, text of a ligand file, pose_label) to a folder with an index.csv and one receptor."""

    def make(rows: list[tuple[str, str, object]]) -> Path:
        root = tmp_path / "s"
        root.mkdir()
        (root / "r.pdb").write_text(receptor_pdb(0))
        with open(root / "index.csv", "w", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(["receptor", "ligand", "pose_label"])
            for name, text, label in rows:
                (root / name).write_text(text)
                writer.writerow(["r.pdb", name, label])
        return root

    return make


def _what(report: CheckReport, name: str) -> set[str]:
    return {f.what for f in report.findings if f.id == name}


def test_odd_complexes_are_named(table: Callable[..., Path], ligand_pdb: Make) -> None:
    source = table(
        [
            ("fine.pdb", ligand_pdb(0.0), 1),
            ("far.pdb", ligand_pdb(60.0), 0),
            ("clash.pdb", ligand_pdb(-4.5), 0),
            ("same.pdb", ligand_pdb(0.0), 1),
            ("other.pdb", ligand_pdb(0.0), 0),
            ("unlabelled.pdb", ligand_pdb(1.0), ""),
            ("odd.pdb", ligand_pdb(2.0).replace("           O", "          Xx").replace(" O1 ", " X1 "), 0),
        ]
    )
    report = check(source, workers=0)
    assert _what(report, "fine") == set()
    assert _what(report, "far") == {"ligand far away"}
    assert "clash" in _what(report, "clash")
    assert _what(report, "same") == {"duplicate coordinates"}
    assert _what(report, "other") == {"duplicate coordinates", "contradicting labels"}
    assert _what(report, "unlabelled") == {"no label or affinity"}
    assert _what(report, "odd") == {"untyped atoms in the ligand"}
    assert not (source / "manifest.json").exists()


def _sdf_of(pdb: str) -> str:
    from rdkit import Chem

    return Chem.MolToMolBlock(Chem.MolFromPDBBlock(pdb)) + "$$$$\n"


def test_a_format_that_tells_the_label_is_said(table: Callable[..., Path], ligand_pdb: Make) -> None:
    rows: list[tuple[str, str, object]] = [(f"a{i}.pdb", ligand_pdb(0.1 * i), 1) for i in range(5)]
    rows += [(f"b{i}.sdf", _sdf_of(ligand_pdb(2 + 0.1 * i)), 0) for i in range(5)]
    report = check(table(rows), workers=0)
    found = {p.what: p for p in report.predictors}
    assert found["format of the ligand"].auc == 1 and found["format of the ligand"].suspicious
    assert found["ligand atom count"].auc == 0.5 and not found["ligand atom count"].suspicious


def test_an_index_is_checked_as_its_source_is(ancestor_folder: Callable[..., Path], tmp_path: Path) -> None:
    source = ancestor_folder(complexes=3, decoys=2)
    build_index(source, tmp_path / "d", workers=0, progress=False)
    assert check(source, workers=0) == check(tmp_path / "d")


def test_real_sets_give_their_known_oddities(unpacked: Callable[[str], Path]) -> None:
    from affinity_zoo.zoo.data.layouts.recognise import Hints

    hints = Hints(columns={"active": "label", "affinity": "potency"})
    report = check(unpacked("screening"), hints=hints, workers=0)
    size = next(p for p in report.predictors if p.what == "ligand atom count")
    assert size.suspicious and size.auc > 0.7  # the data's README: 0.70 and 0.84 within the two sets
    assert report.counts()["clash"] > 10
