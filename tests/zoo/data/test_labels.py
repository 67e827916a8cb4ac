"""Labels by RMSD: against RDKit and the RMSD that came with real docked poses."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import AllChem, rdMolAlign
from typer.testing import CliRunner

from affinity_zoo.cli import app
from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.data import labels

SMILES = "CC(C)(C)c1ccc(C(=O)NCc2ccccc2)cc1"


def molecule(smiles: str = SMILES) -> Chem.Mol:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert AllChem.EmbedMolecule(mol, randomSeed=3) == 0
    return mol


def shifted(mol: Chem.Mol, by: np.ndarray) -> Chem.Mol:
    moved = Chem.Mol(mol)
    for i, xyz in enumerate(mol.GetConformer().GetPositions() + by):
        moved.GetConformer().SetAtomPosition(i, xyz.tolist())
    return moved


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, list[Chem.Mol]]:
    crystal = molecule()
    rng = np.random.default_rng(0)
    poses = [crystal] + [shifted(crystal, np.array([d, 0.0, 0.0])) for d in (1.0, 3.0, 5.0)]
    poses.append(Chem.RenumberAtoms(crystal, rng.permutation(crystal.GetNumAtoms()).tolist()))
    with Chem.SDWriter(str(tmp_path / "poses.sdf")) as out:
        for i, mol in enumerate(poses):
            mol.SetProp("_Name", f"pose{i}")
            out.write(mol)
    Chem.MolToMolFile(crystal, str(tmp_path / "crystal.sdf"))
    return tmp_path / "poses.sdf", tmp_path / "crystal.sdf", poses


def test_labels_by_thresholds(files: tuple[Path, Path, list[Chem.Mol]]) -> None:
    poses, crystal, mols = files
    found = list(labels.label_poses([poses], crystal))
    assert [item.pose_label for item in found] == [1, 1, None, 0, 1]
    reference = Chem.RemoveHs(mols[0])
    for item, mol in zip(found, mols, strict=True):
        expected = rdMolAlign.CalcRMS(Chem.RemoveHs(mol), reference, maxMatches=100_000)
        assert item.rmsd == pytest.approx(expected, abs=2e-3)


def test_pdb_without_bonds_and_other_atom_order(
    files: tuple[Path, Path, list[Chem.Mol]], tmp_path: Path
) -> None:
    _, crystal, mols = files
    text = Chem.MolToPDBBlock(Chem.RemoveHs(mols[4]))
    lines = [line for line in text.splitlines() if not line.startswith("CONECT")]
    (tmp_path / "pose.pdb").write_text("\n".join(lines) + "\n")
    (found,) = labels.label_poses([tmp_path / "pose.pdb"], crystal)
    assert found.rmsd == pytest.approx(0.0, abs=2e-3)
    assert found.pose_label == 1


def test_another_molecule_and_a_broken_record_are_rows_with_a_reason(
    files: tuple[Path, Path, list[Chem.Mol]], tmp_path: Path
) -> None:
    poses, crystal, _ = files
    Chem.MolToMolFile(molecule("CCO"), str(tmp_path / "other.sdf"))
    (tmp_path / "broken.sdf").write_text("name\n\n\nnot a counts line\n$$$$\n")
    found = list(labels.label_poses([poses, tmp_path / "other.sdf", tmp_path / "broken.sdf"], crystal))
    assert len(found) == 7
    assert all(item.rmsd is None and item.pose_label is None and item.reason for item in found[5:])
    assert "not the molecule" in found[5].reason


def test_several_references_take_the_nearest(
    files: tuple[Path, Path, list[Chem.Mol]], tmp_path: Path
) -> None:
    poses, _, mols = files
    with Chem.SDWriter(str(tmp_path / "copies.sdf")) as out:
        for mol in (mols[3], mols[0]):
            out.write(mol)
    found = list(labels.label_poses([poses], tmp_path / "copies.sdf"))
    assert [item.reference for item in found] == [1, 1, 0, 0, 1]
    assert found[3].rmsd == pytest.approx(0.0, abs=2e-3)


def test_too_many_symmetries_give_a_range_not_a_wrong_label(files: tuple[Path, Path, list[Chem.Mol]]) -> None:
    _, crystal, _ = files
    (whole,) = labels.read_references(crystal)
    few = labels.Reference(whole.atoms, max_matches=2)
    full, cut = whole.measure(whole.atoms), few.measure(whole.atoms)
    assert full is not None and cut is not None
    assert full.rmsd == pytest.approx(0.0, abs=1e-6)
    assert cut.lower <= full.rmsd + 1e-6 <= cut.rmsd + 2e-6


def test_label_needs_the_lower_bound_beyond_far() -> None:
    assert labels.Measured(5.0, 3.0).label() is None
    assert labels.Measured(5.0, 4.5).label() == 0
    assert labels.Measured(1.5, 0.2).label() == 1


@pytest.mark.shared
def test_agrees_with_the_rmsd_of_real_docked_poses(unpacked: Callable[[str], Path]) -> None:
    root = unpacked("posebusters_docked")
    with open(root / "manifest.csv", newline="") as handle:
        rows = list(csv.DictReader(handle))
    names = sorted({r["complex"] for r in rows})[::12]
    checked = 0
    for name in names:
        mine = [r for r in rows if r["complex"] == name]
        crystal = root / f"crystal_ligands/{name}/{name}_crystal.pdb"
        for row, found in zip(
            mine, labels.label_poses([root / r["file"] for r in mine], crystal), strict=True
        ):
            assert found.rmsd == pytest.approx(float(row["rmsd_to_crystal_A"]), abs=2e-3), row["file"]
            checked += 1
    assert checked > 200


def test_command(files: tuple[Path, Path, list[Chem.Mol]], tmp_path: Path) -> None:
    poses, crystal, _ = files
    out = tmp_path / "labels.csv"
    done = CliRunner().invoke(app, ["label", str(poses), "--reference", str(crystal), "-o", str(out)])
    assert done.exit_code == 0, done.output
    with open(out, newline="") as handle:
        assert [row["pose_label"] for row in csv.DictReader(handle)] == ["1", "1", "", "0", "1"]
    done = CliRunner().invoke(app, ["label", str(poses), "--reference", str(crystal), "--json"])
    assert json.loads(done.stdout)["counts"] == {"near_native": 3, "between": 1, "wrong": 1, "failed": 0}
    Chem.MolToMolFile(molecule("CCO"), str(tmp_path / "other.sdf"))
    done = CliRunner().invoke(app, ["label", str(poses), str(tmp_path / "other.sdf"), "-r", str(crystal)])
    assert done.exit_code == 3
    done = CliRunner().invoke(app, ["label", str(tmp_path / "other.sdf"), "-r", str(crystal)])
    assert done.exit_code == 1


def test_bad_use(files: tuple[Path, Path, list[Chem.Mol]], tmp_path: Path) -> None:
    poses, crystal, _ = files
    with pytest.raises(UsageError, match="thresholds"):
        list(labels.label_poses([poses], crystal, near=5.0, far=2.0))
    with pytest.raises(AffinityZooError, match="no such file"):
        list(labels.label_poses([tmp_path / "none.sdf"], crystal))
    (tmp_path / "empty.sdf").write_text("")
    with pytest.raises(AffinityZooError, match=r"the reference .*empty\.sdf"):
        list(labels.label_poses([poses], tmp_path / "empty.sdf"))


def test_drawings_and_another_frame_are_told(
    files: tuple[Path, Path, list[Chem.Mol]], tmp_path: Path
) -> None:
    """A drawing as reference would make every pose a wrong one."""
    poses, crystal, mols = files
    drawn = Chem.Mol(mols[0])
    AllChem.Compute2DCoords(drawn)
    Chem.MolToMolFile(drawn, str(tmp_path / "drawn.sdf"))
    with pytest.raises(AffinityZooError, match=r"drawn\.sdf .*a drawing, not a 3D structure"):
        list(labels.label_poses([poses], tmp_path / "drawn.sdf"))
    (found,) = labels.label_poses([tmp_path / "drawn.sdf"], crystal)
    assert found.rmsd is None and found.pose_label is None and "a drawing" in found.reason
    Chem.MolToMolFile(shifted(mols[0], np.array([30.0, 0, 0])), str(tmp_path / "far.sdf"))
    told = "in the frame of the same receptor"
    done = CliRunner().invoke(app, ["label", str(tmp_path / "far.sdf"), "-r", str(crystal), "--json"])
    assert done.exit_code == 0 and told in " ".join(done.stderr.split())
    done = CliRunner().invoke(
        app, ["label", str(poses), str(tmp_path / "far.sdf"), "-r", str(crystal), "--json"]
    )
    assert told not in " ".join(done.stderr.split())


def test_an_isomer_is_another_molecule_and_a_distorted_pose_is_not(tmp_path: Path) -> None:
    """Atoms of equal elements in equal order are matched by their order only where the bonds fit."""
    crystal, isomer = molecule("Cc1ccccc1NC(C)=O"), molecule("Cc1cccc(NC(C)=O)c1")
    isomer = Chem.RenumberAtoms(
        isomer,
        sorted(range(isomer.GetNumAtoms()), key=lambda i: isomer.GetAtomWithIdx(i).GetAtomicNum() == 1),
    )
    symbols = [[a.GetSymbol() for a in Chem.RemoveHs(m).GetAtoms()] for m in (crystal, isomer)]
    # the same order of elements, so that nothing but the bonds tells them apart
    order = [symbols[1].index("N"), *[i for i, s in enumerate(symbols[1]) if s == "C"], symbols[1].index("O")]
    other = Chem.RenumberAtoms(Chem.RemoveHs(isomer), order)
    own = [symbols[0].index("N"), *[i for i, s in enumerate(symbols[0]) if s == "C"], symbols[0].index("O")]
    reference = Chem.RenumberAtoms(Chem.RemoveHs(crystal), own)
    stretched = Chem.Mol(reference)
    x, y, z = stretched.GetConformer().GetAtomPosition(1)  # the methyl carbon of the ring moves off its bond
    away = stretched.GetConformer().GetAtomPosition(2)
    stretched.GetConformer().SetAtomPosition(1, (2 * x - away.x, 2 * y - away.y, 2 * z - away.z))
    with Chem.SDWriter(str(tmp_path / "poses.sdf")) as out:
        for mol in (reference, other, stretched):
            out.write(mol)
    Chem.MolToMolFile(reference, str(tmp_path / "crystal.sdf"))
    same, isomeric, distorted = labels.label_poses([tmp_path / "poses.sdf"], tmp_path / "crystal.sdf")
    assert same.pose_label == 1 and not same.notes
    assert isomeric.rmsd is None and "other elements or bonds" in isomeric.reason
    assert distorted.pose_label == 1 and "matched by their order" in distorted.notes
