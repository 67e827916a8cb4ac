"""Values that other programs read as something else, or that cannot be true: refused with a sentence, never used."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Chem import AllChem

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.data.index.run import build_index
from affinity_zoo.zoo.data.layouts.plan import Plan
from affinity_zoo.zoo.data.layouts.recognise import Hints, recognise
from affinity_zoo.zoo.data.readers import PoseRecord, ReadError, ReadOptions, read_poses, read_receptor
from affinity_zoo.zoo.data.readers.in_memory import poses_of, receptor_of
from affinity_zoo.zoo.data.splits.dates import sortable
from affinity_zoo.zoo.data.splits.groups import check_fractions
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.runtime.files import write_csv


@pytest.fixture(scope="module")
def molecule() -> Chem.Mol:
    """A molecule in 3D."""
    made = Chem.AddHs(Chem.MolFromSmiles("c1ccncc1C(=O)NC"))
    AllChem.EmbedMolecule(made, randomSeed=1)
    return made


def records(path: Path, text: str) -> list[PoseRecord]:
    path.write_text(text)
    return list(read_poses(path))


V2000 = re.compile(r"^( *-?\d+)\.(\d{4})( *-?\d+)\.(\d{4})( *-?\d+)\.(\d{4} [A-Z])", re.M)
V3000 = re.compile(r"^(M  V30 \d+ [A-Z] -?\d+)\.(\d+ -?\d+)\.(\d+ -?\d+)\.(\d+)", re.M)


@pytest.mark.parametrize("version", [2000, 3000])
@pytest.mark.parametrize("good_before", [False, True])
def test_decimal_commas_in_an_sdf_are_refused(
    molecule: Chem.Mol, tmp_path: Path, version: int, good_before: bool
) -> None:
    block = (Chem.MolToMolBlock if version == 2000 else Chem.MolToV3KMolBlock)(molecule)
    change = V2000 if version == 2000 else V3000
    comma, changed = change.subn(
        lambda found: (
            ",".join([found[1], found[2] + found[3], found[4] + found[5], found[6]])
            if version == 2000
            else ",".join(found.groups())
        ),
        block,
    )
    assert changed == molecule.GetNumAtoms()
    # a good record of the same molecule before: its types are known, only the coordinates are read
    text = (block + "$$$$\n" if good_before else "") + comma + "$$$$\n"
    *good, bad = records(tmp_path / "a.sdf", text)
    assert all(record.atoms is not None for record in good) and len(good) == good_before
    assert bad.atoms is None and bad.failure is not None
    assert "where a coordinate belongs" in bad.failure.reason and "decimal point" in bad.failure.reason


def test_an_empty_coordinate_is_not_zero(molecule: Chem.Mol, tmp_path: Path) -> None:
    lines = Chem.MolToMolBlock(molecule).split("\n")
    lines[6] = lines[6][:20] + " " * 10 + lines[6][30:]
    (record,) = records(tmp_path / "a.sdf", "\n".join(lines) + "\n$$$$\n")
    assert record.failure is not None and record.failure.reason.startswith("line 7 of the record has ''")


@pytest.mark.parametrize("version", [2000, 3000])
def test_usual_records_are_read(molecule: Chem.Mol, tmp_path: Path, version: int) -> None:
    block = (Chem.MolToMolBlock if version == 2000 else Chem.MolToV3KMolBlock)(molecule)
    (record,) = records(tmp_path / "a.sdf", block + "$$$$\n")
    assert record.atoms is not None
    heavy = [atom.GetIdx() for atom in molecule.GetAtoms() if atom.GetAtomicNum() > 1]
    np.testing.assert_allclose(record.atoms.xyz, molecule.GetConformer().GetPositions()[heavy], atol=1e-3)


@given(
    st.lists(st.dates(date(1970, 1, 1), date(2030, 12, 31)), min_size=2, max_size=8), st.sampled_from("-/.")
)
def test_dates_sort_however_they_are_written(days: list[date], mark: str) -> None:
    padded = [day.isoformat() for day in days]
    for written in (
        padded,
        [f"{day.year}{mark}{day.month}{mark}{day.day}" for day in days],
        [f"{day:%Y%m%d}" for day in days],
        [f"{day.isoformat()}T12:00:00Z" for day in days],
    ):
        assert sortable(written, "date") == (padded, "")


def test_years_as_pandas_writes_them_and_other_text() -> None:
    assert sortable(["2019.0", "2007", "2007-3"], "year") == (["2019", "2007", "2007-03"], "")
    numbers, note = sortable(["10", "9", "-1", "9.0"], "release")
    assert numbers[2] < numbers[1] == numbers[3] < numbers[0] and "as numbers" in note
    assert sortable(["b", "a"], "batch") == (["b", "a"], "batch holds no years: rows are sorted as text")


@pytest.mark.parametrize(
    "dates",
    [
        ["31/05/2019", "01/06/2018"],
        ["2019", "31.5.19"],
        ["May 2019", "Jun 2018"],
        ["5/2019", "6/2018"],
        ["2019", "?"],
    ],
)
def test_dates_that_do_not_sort_are_refused(dates: list[str]) -> None:
    with pytest.raises(AffinityZooError, match="column date has .* the year, such as 2019"):
        sortable(dates, "date")


def test_fractions_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(UsageError, match="add up to 1"):
        check_fractions((0.5, float("nan"), 0.5))


def plan(path: Path, head: str, rows: list[str]) -> Plan:
    path.write_text("\n".join([head, *rows]) + "\n")
    return recognise(path, Hints())


@pytest.mark.parametrize("cell", ["-1", "-0.5", "inf", "-inf", "1_0", "2 A"])
def test_an_rmsd_that_cannot_be_is_left_out(tmp_path: Path, cell: str) -> None:
    found = plan(
        tmp_path / "t.csv", "receptor,ligand,pose_label,rmsd", [f"r.pdb,a.sdf,1,{cell}", "r.pdb,b.sdf,1,0"]
    )
    bad, good = (item.values for item in found.items)
    assert "rmsd" not in bad and bad["pose_label"] == 1 and good["rmsd"] == 0
    assert any("rmsd left out" in note and repr(cell) in note for note in found.notes)


@pytest.mark.parametrize("cell", ["inf", "-inf", "1_0", "-7 kcal/mol"])
def test_a_docking_score_that_is_no_number_is_left_out(tmp_path: Path, cell: str) -> None:
    found = plan(
        tmp_path / "t.csv", "receptor,ligand,docking_score", [f"r.pdb,a.sdf,{cell}", "r.pdb,b.sdf,-7.5"]
    )
    bad, good = (item.values for item in found.items)
    assert "docking_score" not in bad and good["docking_score"] == -7.5


@pytest.mark.parametrize(
    "cells",
    [["5", "12", "900", "4000"], ["-9.1", "-7.2", "-2.7"], ["6.2", "35", "1", "8"]],
    ids=["nM", "kcal", "few"],
)
def test_a_column_of_concentrations_or_energies_gives_no_pk(tmp_path: Path, cells: list[str]) -> None:
    """Some of the numbers would be possible pK values."""
    found = plan(
        tmp_path / "t.csv", "receptor,ligand,affinity", [f"r.pdb,{i}.sdf,{c}" for i, c in enumerate(cells)]
    )
    assert not any("affinity" in item.values for item in found.items)
    assert any("none is taken for a pK" in note and "affinity_nM" in note for note in found.notes)
    with_unit = [f"r.pdb,{i}.sdf,{c.strip('-')}" for i, c in enumerate(cells)]
    found = plan(tmp_path / "t.csv", "receptor,ligand,affinity_nM", with_unit)
    assert not any("none is taken for a pK" in note for note in found.notes)


def test_one_wrong_cell_costs_no_other_and_units_are_read(tmp_path: Path) -> None:
    cells = ["6.2", "7", "350", "8.1", "5", "4.4", "2 nM"]
    found = plan(
        tmp_path / "t.csv", "receptor,ligand,affinity", [f"r.pdb,{i}.sdf,{c}" for i, c in enumerate(cells)]
    )
    assert ["affinity" in item.values for item in found.items] == [c != "350" for c in cells]
    found = plan(
        tmp_path / "t.csv",
        "receptor,ligand,affinity",
        ["r.pdb,a.sdf,12", "r.pdb,b.sdf,90", "r.pdb,c.sdf,2 nM"],
    )
    assert ["affinity" in item.values for item in found.items] == [False, False, True]


def test_affinities_of_wrong_poses_are_no_energies(tmp_path: Path) -> None:
    """gnina's tables mark them by a minus sign."""
    rows = ["r.pdb,a.sdf,1,6.5", "r.pdb,b.sdf,0,-6.5", "r.pdb,c.sdf,0,-6.5"]
    found = plan(tmp_path / "t.csv", "receptor,ligand,pose_label,affinity", rows)
    assert [item.values.get("affinity") for item in found.items] == [6.5, None, None]
    assert [item.values.get("affinity_masked") for item in found.items] == [None, 6.5, 6.5]
    found = plan(tmp_path / "t.csv", "receptor,ligand,pose,affinity", rows)  # without their labels
    assert [item.values.get("affinity") for item in found.items] == [6.5, None, None]


@pytest.mark.parametrize("name", ["t.csv", "t.types"])
def test_a_pose_with_two_labels_has_none(tmp_path: Path, name: str) -> None:
    head = "receptor,ligand,pose_label" if name == "t.csv" else "# a list"
    rows = [("r.pdb", "a.sdf", 1), ("r.pdb", "b.sdf", 1), ("r.pdb", "a.sdf", 0), ("s.pdb", "a.sdf", 0)]
    lines = [f"{r},{x},{label}" if name == "t.csv" else f"{label} {r} {x}" for r, x, label in rows]
    found = plan(tmp_path / name, head, lines)
    labels = [(item.receptor, item.ligand, item.values.get("pose_label")) for item in found.items]
    assert labels == [
        ("r.pdb", "a.sdf", None),
        ("r.pdb", "a.sdf", None),
        ("s.pdb", "a.sdf", 0),
        ("r.pdb", "b.sdf", 1),
    ]
    assert any("contradict each other: a.sdf" in note for note in found.notes)
    equal = plan(tmp_path / name, head, [line for line in lines if line != lines[2]] + lines[:1])
    assert [item.values["pose_label"] for item in equal.items] == [1, 0, 1, 1]


def test_numbers_of_a_types_list_that_cannot_be_are_left_out(tmp_path: Path) -> None:
    rows = [
        "1 5.5 -1 r.pdb a.sdf",
        "0 nan inf r.pdb b.sdf",
        "1 900 0.3 r.pdb c.sdf # nan",
        "1 6.1 0.3 r.pdb d.sdf # -7",
    ]
    found = plan(tmp_path / "t.types", "# a list", rows)
    values = [{k: v for k, v in item.values.items() if k != "_notes"} for item in found.items]
    assert values[0] == {"pose_label": 1, "affinity": 5.5} and values[1] == {"pose_label": 0}
    assert values[2] == {"pose_label": 1, "rmsd": 0.3}
    assert values[3] == {"pose_label": 1, "affinity": 6.1, "rmsd": 0.3, "docking_score": -7.0}
    assert any("left out" in note and "and 2 more lines" in note for note in found.notes)


def test_the_table_beside_the_ancestors_folders_is_read_with_the_same_care(tmp_path: Path) -> None:
    (tmp_path / "receptors").mkdir()
    (tmp_path / "receptors/1abc.pdb").touch()
    poses = tmp_path / "docked_ligands/1abc"
    poses.mkdir(parents=True)
    rows = []
    for name, rmsd, score in (("a", "4.5", "-7,5"), ("b", "-1", "-7"), ("c", "5", "inf"), ("d", "", "")):
        (poses / f"{name}.pdb").touch()
        rows.append(f"docked_ligands/1abc/{name}.pdb;{rmsd};{score}")
    (tmp_path / "manifest.csv").write_text("\n".join(["file;rmsd;docking_score", *rows]) + "\n")
    found = recognise(tmp_path, Hints())
    values = [
        {key: item.values[key] for key in ("rmsd", "docking_score") if key in item.values}
        for item in found.items
    ]
    assert values == [{"rmsd": 4.5, "docking_score": -7.5}, {"docking_score": -7.0}, {"rmsd": 5.0}, {}]
    assert any(
        "manifest.csv: values that cannot be read" in note and "and 1 more" in note for note in found.notes
    )


@pytest.mark.parametrize("rows", [3, 20_000], ids=["few", "more than a cell holds"])
def test_a_quotation_mark_that_is_not_closed_swallows_no_rows(tmp_path: Path, rows: int) -> None:
    good = ["r.pdb,a.sdf,1,plain", 'r.pdb,b.sdf,0,"two\nlines, and ""quotes"""']
    found = plan(tmp_path / "t.csv", "receptor,ligand,pose_label,remark", good)
    assert [item.values["remark"] for item in found.items] == ["plain", 'two\nlines, and "quotes"']
    with pytest.raises(AffinityZooError, match="from line 5 on .*quotation mark not closed"):
        plan(
            tmp_path / "t.csv",
            "receptor,ligand,pose_label,remark",
            [*good, 'r.pdb,c.sdf,0,"x', *good[:1] * rows],
        )


@pytest.mark.parametrize(
    ("head", "cell", "given", "kept"),
    [
        ("IC50_nM", "10000", ">", "<"), ("IC50_nM", "10000", "'>='", "<"), ("IC50_nM", "10000", "", "="),
        ("pIC50", "5", ">", ">"), ("pIC50", "5", "'='", "="), ("affinity", "5", "~", "~"),
        ("affinity", "IC50>10uM", ">", "<"), ("affinity", "IC50>10uM", "=", "<"), ("affinity", "IC50=10uM", "<", ">"),
        ("affinity", "IC50>10uM", "<", None), ("IC50_nM", "10000", "gt", None), ("pIC50", "5", "> 5", None),
    ],
)  # fmt: skip
def test_a_relation_belongs_to_the_number_as_written(
    tmp_path: Path, head: str, cell: str, given: str, kept: str | None
) -> None:
    """A relation that is not understood makes no exact value."""
    found = plan(
        tmp_path / "t.csv", f"receptor,ligand,{head},affinity_relation", [f"r.pdb,a.sdf,{cell},{given}"]
    )
    (item,) = found.items
    assert item.values.get("affinity_relation") == kept
    assert item.values.get("affinity") == (None if kept is None else 5.0)
    assert kept is not None or any("affinity left out" in note for note in found.notes)


def test_values_of_an_edited_index_are_checked(ancestor_folder: Callable[..., Path], tmp_path: Path) -> None:
    data = tmp_path / "d"
    build_index(ancestor_folder(complexes=2, decoys=1), data, workers=0, progress=False)
    path = data / "database_index.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for column, value, words in (
        ("pose_label", "2", "0, 1 or empty"), ("active", "0.5", "0, 1 or empty"), ("rmsd", "-1", "0 Å or more"),
        ("rmsd", "inf", "0 Å or more"), ("affinity", "inf", "a finite number"),
        ("pose_label", "yes", "is not a number"),
    ):  # fmt: skip
        write_csv(path, list(rows[0]), [rows[0] | {column: "0"}, *rows[1:]])
        assert Dataset.open(data).column(column)[0] == 0
        write_csv(path, list(rows[0]), [rows[0] | {column: value}, *rows[1:]])
        with pytest.raises(AffinityZooError, match=words):
            Dataset.open(data).column(column)


def written(molecule: Chem.Mol, ending: str) -> str:
    """The heavy atoms of a molecule in a format."""
    plain = Chem.RemoveHs(molecule)
    if ending == ".sdf":
        return Chem.MolToMolBlock(plain) + "$$$$\n"
    if ending == ".pdb":
        return Chem.MolToPDBBlock(plain)
    places = plain.GetConformer().GetPositions()
    symbols = [atom.GetSymbol() for atom in plain.GetAtoms()]
    rows = [
        f"{i} {symbol}{i} {x:.4f} {y:.4f} {z:.4f} {symbol}.2"
        for i, (symbol, (x, y, z)) in enumerate(zip(symbols, places, strict=True), 1)
    ]
    return "\n".join(
        ["@<TRIPOS>MOLECULE", "m", str(len(rows)), "SMALL", "NONE", "", "@<TRIPOS>ATOM", *rows, ""]
    )


@pytest.mark.parametrize("ending", [".sdf", ".pdb", ".mol2"])
def test_a_drawing_and_a_point_are_told_in_every_format(
    molecule: Chem.Mol, tmp_path: Path, ending: str
) -> None:
    path = tmp_path / f"a{ending}"
    (solid,) = records(path, written(molecule, ending))
    assert solid.atoms is not None and not any("a drawing" in note for note in solid.notes)
    flat = Chem.Mol(molecule)
    AllChem.Compute2DCoords(flat)
    (drawn,) = records(path, written(flat, ending))
    assert drawn.atoms is not None and any("a drawing, not a 3D structure" in note for note in drawn.notes)
    for atom in range(flat.GetNumAtoms()):
        flat.GetConformer().SetAtomPosition(atom, (0.0, 0.0, 0.0))
    (point,) = records(path, written(flat, ending))
    assert point.failure is not None and "all atoms are in one place" in point.failure.reason


@pytest.mark.parametrize("names", ["N CA C O CB CG", "N CA C O", "CA"])
def test_a_protein_without_side_chains_is_told(tmp_path: Path, names: str) -> None:
    kept = names.split()
    lines = [
        f"ATOM  {1:5d}  {name:<3} LEU A{i + 1:4d}    {9.0 * (i % 5) + 1.5 * k:8.3f}{9.0 * (i // 5):8.3f}{0:8.3f}"
        f"  1.00  0.00           {name[0]}"
        for i in range(25)
        for k, name in enumerate(kept)
    ]
    (tmp_path / "r.pdb").write_text("\n".join(lines) + "\n")
    told = [note for note in read_receptor(tmp_path / "r.pdb").findings if "side chains missing" in note]
    assert len(told) == (len(kept) < 5)


def test_structures_in_memory_are_checked_as_those_of_files(molecule: Chem.Mol, tmp_path: Path) -> None:
    (record,) = records(tmp_path / "a.sdf", Chem.MolToMolBlock(molecule) + "$$$$\n")
    assert record.atoms is not None
    options = ReadOptions()
    assert [pose.failure for pose in poses_of(record.atoms, options)] == [None]
    bad = replace(
        record.atoms, xyz=np.where(np.arange(len(record.atoms))[:, None] == 2, np.nan, record.atoms.xyz)
    )
    nothing = replace(record.atoms, xyz=np.zeros((0, 3), np.float32))
    for atoms, words in ((bad, "finite numbers"), (nothing, "no atoms")):
        (pose,) = poses_of(atoms, options)
        assert pose.atoms is None and pose.failure is not None and words in pose.failure.reason
        with pytest.raises(ReadError, match=words):
            receptor_of(atoms, options)
    positions = molecule.GetConformer().GetPositions()
    for elements in ([6.7] * len(positions), [None] * len(positions), [float("nan")] * len(positions)):
        (pose,) = poses_of((positions, elements), options)
        assert pose.failure is not None and "not an atomic number" in pose.failure.reason


def test_edited_sets_share_no_row(ancestor_folder: Callable[..., Path], tmp_path: Path) -> None:
    data = tmp_path / "d"
    build_index(ancestor_folder(complexes=4, decoys=1), data, workers=0, progress=False)
    sets = {name: (data / f"{name}_set.csv").read_text().splitlines() for name in ("train", "test")}
    assert all(len(lines) > 2 for lines in sets.values())
    head, first, *rest = sets["train"]

    def rows_of(lines: list[str], name: str = "train") -> np.ndarray:
        (data / "train_set.csv").write_text("\n".join(lines) + "\n")
        return Dataset.open(data).rows(name)

    assert len(rows_of([head, *rest])) == len(rest)  # a row may be left out
    with pytest.raises(AffinityZooError, match="twice"):
        rows_of([head, first, first, *rest])
    with pytest.raises(AffinityZooError, match=r"train_set\.csv and test_set\.csv of .* share 1 rows"):
        rows_of([head, first, *rest, sets["test"][1]])
    with pytest.raises(AffinityZooError, match="which is not in the index"):
        rows_of([head, "nothing,1,a,b"])
