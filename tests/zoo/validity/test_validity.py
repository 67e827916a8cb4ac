"""Validity of poses: each fault fails the check made for it, PoseBusters agrees, and nothing passes unchecked."""

from __future__ import annotations

import csv
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.data.labels import label_poses
from affinity_zoo.zoo.data.readers import read_receptor
from affinity_zoo.zoo.validity.check import METHODS, check_file, check_molecule, method_of, note_of
from affinity_zoo.zoo.validity.columns import CHECKS, COLUMNS, Validity, columns_of
from affinity_zoo.zoo.validity.labels import with_validity
from affinity_zoo.zoo.validity.molecule import UncheckableError, molecule_of, record_of
from affinity_zoo.zoo.validity.posebusters_checks import NAMES

has_posebusters = pytest.mark.skipif(find_spec("posebusters") is None, reason="PoseBusters is not installed")
#: fault -> the check that must fail, by PoseBusters and by RDKit alone
FAILS = {
    "stretched": ("valid_bond_lengths", ""),
    "pushed in": ("valid_protein_distance", "valid_protein_distance"),
    "bent ring": ("valid_aromatic_rings", ""),
    "collapsed": ("valid_strain", "valid_strain"),
    "far away": ("valid_protein_near", "valid_protein_near"),
}


def by_posebusters(pose: Any, receptor: Path) -> dict[str, bool | None]:
    """Our columns as PoseBusters' own Python API gives them for a pose and the receptor's file."""
    import pandas
    import rdkit
    from posebusters import PoseBusters

    rdkit.log_handler.stream = sys.stderr  # that of an earlier test is closed

    row = PoseBusters("dock").bust([pose], None, receptor).iloc[0]
    found: dict[str, bool | None] = {}
    for name, theirs in NAMES.items():
        values = [row[column] for column in theirs]
        failed = any(not pandas.isna(value) and not value for value in values)
        found[name] = False if failed else None if any(pandas.isna(value) for value in values) else True
    return found


@has_posebusters
def test_a_fault_fails_its_check_and_posebusters_agrees(docked, broken, receptor, receptor_file) -> None:  # type: ignore[no-untyped-def]
    good = check_molecule(docked, receptor, "posebusters")
    assert good.pose_valid is True and good.reason == ""
    for fault, molecule in broken.items():
        found = check_molecule(molecule, receptor, "posebusters")
        wrong = FAILS[fault][0]
        assert found.checks[wrong] is False and found.pose_valid is False, fault
        assert wrong in found.reason
        assert dict(found.checks) == by_posebusters(molecule, receptor_file), fault
    assert dict(good.checks) == by_posebusters(docked, receptor_file)
    pushed = check_molecule(broken["pushed in"], receptor, "posebusters").checks
    assert pushed["valid_protein_overlap"] is False and pushed["valid_bond_lengths"] is True


def test_without_posebusters_contacts_and_strain_are_checked(docked, broken, receptor) -> None:  # type: ignore[no-untyped-def]
    good = check_molecule(docked, receptor, "rdkit")
    assert good.pose_valid is True and good.method == "rdkit"
    assert set(good.checks) == set(columns_of("rdkit")) & set(CHECKS)
    for fault, (_, wrong) in FAILS.items():
        found = check_molecule(broken[fault], receptor, "rdkit")
        if wrong:
            assert found.checks[wrong] is False and found.pose_valid is False, fault
    assert "affinity-zoo[posebusters]" in note_of("rdkit")


def test_the_method_is_chosen_by_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("affinity_zoo.zoo.validity.check.find_spec", lambda name: None)
    assert method_of(True) == "rdkit" and method_of(False) == ""
    with pytest.raises(UsageError, match="pip install"):
        method_of("posebusters")
    monkeypatch.setattr("affinity_zoo.zoo.validity.check.find_spec", lambda name: object())
    assert method_of(True) == "posebusters" and method_of("rdkit") == "rdkit"
    with pytest.raises(UsageError, match="posebusters, rdkit"):
        method_of("magic")


@pytest.mark.parametrize("method", METHODS)
def test_what_cannot_be_checked_is_empty_with_a_reason(method, docked, receptor, tmp_path) -> None:  # type: ignore[no-untyped-def]
    from rdkit import Chem

    if method == "posebusters" and find_spec("posebusters") is None:
        pytest.skip("PoseBusters is not installed")
    bare = Chem.RWMol(Chem.RemoveHs(docked))
    for bond in bare.GetBonds():
        bond.SetBondType(Chem.BondType.SINGLE)
        bond.SetIsAromatic(False)
    for atom in bare.GetAtoms():
        atom.SetIsAromatic(False)
    files = {
        "pose.pdb": (Chem.MolToPDBBlock(docked), "no bond orders"),
        "drawn.sdf": (Chem.MolToMolBlock(bare.GetMol(), kekulize=False), "bond orders are not known"),
        "none.sdf": ("x\n\n\n  2  0  0  0  0  0  0  0  0  0999 V2000\n"
                     "    0.0000    0.0000    0.0000 C   0  0\n    2.0000    0.0000    0.0000 C   0  0\nM  END\n",
                     "no bonds"),
    }  # fmt: skip
    for name, (text, reason) in files.items():
        (tmp_path / name).write_text(text)
        found = check_file(str(tmp_path / name), 0, receptor, method)
        values = found.as_dict()
        assert found.pose_valid is None and reason in found.reason, name
        assert all(values[column] is None for column in ("pose_valid", *CHECKS))
    assert "no record 7" in check_file(str(tmp_path / "drawn.sdf"), 7, receptor, method).reason


def test_a_check_that_was_not_made_is_no_pass() -> None:
    assert Validity("m", {"a": True, "b": None}).pose_valid is None
    assert Validity("m", {"a": False, "b": None}).pose_valid is False
    assert Validity("m", {"a": True, "b": True}).pose_valid is True
    assert Validity("m").pose_valid is None and tuple(Validity("m").as_dict()) == COLUMNS


def test_formats_with_bond_orders_give_one_molecule(docked, poses_file, tmp_path) -> None:  # type: ignore[no-untyped-def]
    from rdkit import Chem

    wanted = Chem.MolToSmiles(Chem.RemoveHs(docked))
    assert Chem.MolToSmiles(Chem.RemoveHs(molecule_of(*record_of(str(poses_file), 0)))) == wanted
    heavy = Chem.MolFromSmiles("C=O")
    lines = ["@<TRIPOS>MOLECULE", "m", "2 1", "SMALL", "NO_CHARGES", "", "@<TRIPOS>ATOM",
             "1 C1 0.0 0.0 0.0 C.2 1 LIG 0.0", "2 O1 1.22 0.0 0.0 O.2 1 LIG 0.0",
             "@<TRIPOS>BOND", "1 1 2 2", ""]  # fmt: skip
    (tmp_path / "m.mol2").write_text("\n".join(lines))
    found = molecule_of(*record_of(str(tmp_path / "m.mol2"), 0))
    assert Chem.MolToSmiles(found) == Chem.MolToSmiles(heavy)
    with pytest.raises(UncheckableError, match="no record"):
        record_of(str(tmp_path / "m.mol2"), 1)


def test_label_writes_the_columns(cli, poses_file, receptor_file, tmp_path) -> None:  # type: ignore[no-untyped-def]
    command = ("label", poses_file, "--reference", poses_file, "--validity")
    refused = cli(*command)
    assert refused.code == 2 and "--receptor" in refused.err
    done = cli(*command, "--receptor", receptor_file, "-o", tmp_path / "labels.csv")
    assert done.code == 0, done.err
    with (tmp_path / "labels.csv").open() as file:
        rows = list(csv.DictReader(file))
    method = method_of(True)
    assert list(rows[0])[-len(columns_of(method)) :] == list(columns_of(method))
    assert next(row["pose_valid"] for row in rows) == "1" and rows[2]["pose_valid"] == "0"
    assert "valid_protein_distance" in rows[2]["validity_reason"] and note_of(method) in done.out.replace(
        "\n", " "
    )
    labels = list(label_poses([poses_file], poses_file))
    again = with_validity(labels, receptor_file, method)
    assert [str(row["pose_valid"]) for row in again] == [row["pose_valid"] for row in rows]


@pytest.mark.shared
@has_posebusters
def test_real_poses_get_the_verdicts_of_posebusters(unpacked) -> None:  # type: ignore[no-untyped-def]
    """Crystal poses with metals, modified residues and strained ligands: every check of every pose."""
    folder = unpacked("crystal_pdb")
    for name in ("5uxf", "5mlj", "1avn", "1k1i" if (folder / "1k1i").is_dir() else "1k1j"):
        ligand, protein = folder / name / "ligand.sdf", folder / name / "protein.pdb"
        found = check_file(str(ligand), 0, read_receptor(protein).atoms, "posebusters")
        assert dict(found.checks) == by_posebusters(ligand, protein), name
