"""Ligands that RDKit refuses get the types that they have with their charges written."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import AllChem

from affinity_zoo.zoo.data.readers import read_poses


def _block(smiles: str, hydrogens: bool) -> str:
    molecule = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert AllChem.EmbedMolecule(molecule, randomSeed=7) == 0
    return Chem.MolToMolBlock(molecule if hydrogens else Chem.RemoveHs(molecule))


def _without_charges(block: str) -> str:
    lines = [line for line in block.splitlines() if not line.startswith("M  CHG")]
    return (
        "\n".join(re.sub(r"^(.{36})..\d", r"\1  0", line) if len(line) > 60 else line for line in lines)
        + "\n"
    )


@pytest.mark.parametrize("hydrogens", [True, False])
@pytest.mark.parametrize(
    "smiles",
    ["C[N+](C)(C)CCO", "C[n+]1ccccc1C", "CC[S+](C)CC(=O)O", "C[N+](C)(CC1=CC=CC=C1)CC",
     "CC1=[O+]C=CC=C1", "F[B-](F)(F)c1ccccc1"],
)  # fmt: skip
def test_charges_from_valence(tmp_path: Path, smiles: str, hydrogens: bool) -> None:
    block = _block(smiles, hydrogens)
    (tmp_path / "right.sdf").write_text(block + "$$$$\n")
    (tmp_path / "bare.sdf").write_text(_without_charges(block) + "$$$$\n")
    (right,), (bare,) = (list(read_poses(tmp_path / name)) for name in ("right.sdf", "bare.sdf"))
    assert right.atoms is not None and bare.atoms is not None
    assert not right.notes
    assert any("repaired: charges from valence" in note for note in bare.notes)
    for field in ("element", "atom_type", "flags", "charge"):
        np.testing.assert_array_equal(getattr(right.atoms, field), getattr(bare.atoms, field), err_msg=field)


def test_what_rules_do_not_help_is_typed_from_geometry(tmp_path: Path) -> None:
    block = _block("CC(C)(C)CO", False).splitlines()
    counts = next(i for i, line in enumerate(block) if "V2000" in line)
    atoms, bonds = int(block[counts][:3]), int(block[counts][3:6])
    first = counts + 1 + atoms
    block[first : first + bonds] = [line[:6] + "  2" + line[9:] for line in block[first : first + bonds]]
    (tmp_path / "bad.sdf").write_text("\n".join(block) + "\n$$$$\n")
    (pose,) = read_poses(tmp_path / "bad.sdf")
    assert pose.atoms is not None and any("typed from geometry" in note for note in pose.notes)
