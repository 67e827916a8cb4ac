"""Types by Open Babel itself: libmolgrid's, whatever the format; without Open Babel the rules, and one warning."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from affinity_zoo.featurizers.atom_types import AtomTypes
from affinity_zoo.plugins.contracts import AtomFlag, Atoms
from affinity_zoo.zoo.data.readers import ReadOptions, read_poses, read_receptor
from affinity_zoo.zoo.data.readers import openbabel_types as module

ASKED = ReadOptions(typing="openbabel")
#: histidine and tryptophan from a PDB file, a peptide bond apart
PEPTIDE = """\
ATOM      1  N   HIS A   1       0.049  -0.013   0.000  1.00  0.00           N
ATOM      2  CA  HIS A   1       1.507   0.018   0.000  1.00  0.00           C
ATOM      3  C   HIS A   1       2.012   1.455   0.000  1.00  0.00           C
ATOM      4  O   HIS A   1       1.229   2.402   0.000  1.00  0.00           O
ATOM      5  CB  HIS A   1       2.043  -0.733   1.218  1.00  0.00           C
ATOM      6  CG  HIS A   1       1.648  -2.176   1.246  1.00  0.00           C
ATOM      7  ND1 HIS A   1       0.382  -2.601   1.590  1.00  0.00           N
ATOM      8  CD2 HIS A   1       2.362  -3.290   0.968  1.00  0.00           C
ATOM      9  CE1 HIS A   1       0.337  -3.920   1.523  1.00  0.00           C
ATOM     10  NE2 HIS A   1       1.525  -4.360   1.148  1.00  0.00           N
END
"""


@pytest.fixture
def histidine(tmp_path: Path) -> Path:
    """A PDB file of one histidine without hydrogens."""
    path = tmp_path / "his.pdb"
    path.write_text(PEPTIDE)
    return path


def _types(atoms: Atoms) -> dict[str, int]:
    return {name.decode(): int(kind) for name, kind in zip(atoms.name, atoms.atom_type, strict=True)}


def _sdf(path: Path, *smiles: str) -> Path:
    from rdkit import Chem
    from rdkit.Chem import AllChem

    with Chem.SDWriter(str(path)) as writer:
        for one in smiles:
            molecule = Chem.AddHs(Chem.MolFromSmiles(one))
            AllChem.EmbedMolecule(molecule, randomSeed=0)
            writer.write(Chem.RemoveHs(molecule))
    return path


def test_a_histidine_without_hydrogens_is_what_molgrid_makes_of_it(histidine: Path) -> None:
    """Measured with molgrid 0.5.5: the ring is not aromatic, and neither nitrogen has a hydrogen."""
    pytest.importorskip("openbabel", reason="pip install '.[openbabel]'")
    atoms = read_receptor(histidine, ASKED).atoms
    found = _types(atoms)
    assert {name: found[name] for name in ("CG", "CD2", "CE1", "ND1")} == {
        "CG": 3, "CD2": 3, "CE1": 3, "ND1": 9,
    }  # fmt: skip
    assert (atoms.flags & AtomFlag.OPENBABEL).all()
    by_rules = read_receptor(histidine).atoms
    assert not (by_rules.flags & AtomFlag.OPENBABEL).any() and _types(by_rules)["CG"] == 5


def test_the_featurizer_leaves_open_babels_types_alone(histidine: Path) -> None:
    pytest.importorskip("openbabel", reason="pip install '.[openbabel]'")
    atoms = read_receptor(histidine, ASKED).atoms
    changed = np.where(atoms.name == b"CG", 5, atoms.atom_type).astype(np.uint8)
    featurizer = AtomTypes(typing="openbabel")
    typed = Atoms(**{**{f: getattr(atoms, f) for f in atoms.__dataclass_fields__}, "atom_type": changed})
    channel = featurizer.encode(typed).channel
    assert channel is not None and channel[5] == 3  # carbon-aromatic


def test_each_record_of_a_file_gets_its_own(tmp_path: Path) -> None:
    pytest.importorskip("openbabel", reason="pip install '.[openbabel]'")
    path = _sdf(tmp_path / "x.sdf", "c1ccccc1", "CCO", "c1ccncc1")
    found = [pose.atoms.atom_type.tolist() for pose in read_poses(path, ASKED) if pose.atoms]
    assert found == [[4] * 6, [2, 3, 12], [4, 4, 5, 9, 5, 4]]
    (second,) = read_poses(path, ASKED, 1, 2)
    assert second.atoms is not None and second.atoms.atom_type.tolist() == [2, 3, 12]


def test_a_crash_costs_one_molecule(tmp_path: Path) -> None:
    pytest.importorskip("openbabel", reason="pip install '.[openbabel]'")
    path = _sdf(tmp_path / "x.sdf", "c1ccccc1")
    worker = module._worker()
    assert worker.types("sdf", path.read_bytes()) is not None
    assert worker._process is not None
    worker._process.kill()
    worker._process.wait()
    assert worker.types("sdf", path.read_bytes()) is not None
    assert worker.types("no-such-format", b"x") is None
    (pose,) = read_poses(path, ASKED)
    assert pose.atoms is not None and (pose.atoms.flags & AtomFlag.OPENBABEL).all()


def test_without_open_babel_the_rules_and_one_warning(
    histidine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    module.available.cache_clear()
    try:
        first, second = (read_receptor(histidine, ASKED).atoms for _ in range(2))
        assert capsys.readouterr().err.count("affinity-zoo[openbabel]") == 1
        assert first.atom_type.tolist() == second.atom_type.tolist()
        assert first.atom_type.tolist() == read_receptor(histidine).atoms.atom_type.tolist()
    finally:
        module.available.cache_clear()
