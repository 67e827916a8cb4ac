"""An index is whole or not at all; messages name what is there; findings of the readers reach the tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.data.checks import check
from affinity_zoo.zoo.data.index.run import build_index
from affinity_zoo.zoo.data.layouts.recognise import Hints
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.runtime.files import file_hash

SDF = """{title}
  made

  4  3  0  0  0  0  0  0  0  0999 V2000
{x:10.4f}    0.0000    3.0000 C   0  0
{x:10.4f}    1.5000    3.0000 C   0  0
{x:10.4f}    2.2000    4.2000 O   0  0
{x:10.4f}   -1.4000    3.0000 N   0  0
  1  2  1  0
  {a}  3  1  0
  1  4  1  0
M  END
$$$$
"""


def _bytes(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): file_hash(p) for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_failed_overwrite_leaves_the_old_index(
    ancestor_folder: Callable[..., Path], tmp_path: Path
) -> None:
    out = tmp_path / "data"
    build_index(ancestor_folder(complexes=3), out, workers=0, progress=False)
    before = _bytes(out)
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "receptor.pdb").write_text("nothing")
    (bad / "pose.sdf").write_text("nothing either")
    with pytest.raises(AffinityZooError, match="could be read") as raised:
        build_index(bad, out, workers=0, progress=False, overwrite=True)
    assert _bytes(out) == before and len(Dataset.open(out)) > 0
    listed = tmp_path / "data-failures.csv"
    assert listed.is_file() and str(listed) in str(raised.value)


def test_check_names_no_file_that_is_gone(tmp_path: Path) -> None:
    (tmp_path / "receptor.pdb").write_text("nothing")
    (tmp_path / "A1LU6.sdf").write_text("nothing either")
    with pytest.raises(AffinityZooError, match="could be read") as raised:
        check(tmp_path, workers=0)
    assert "affinity-zoo-check" not in str(raised.value) and "failures.csv" not in str(raised.value)


def test_a_name_that_the_user_typed_comes_back(tmp_path: Path, receptor_pdb: Callable[[int], str]) -> None:
    (tmp_path / "a.pdb").write_text(receptor_pdb(0))
    with pytest.raises(AffinityZooError, match="no residue A1LU6"):
        check(tmp_path, hints=Hints(ligand="A1LU6"), workers=0)


def test_findings_reach_index_and_check(tmp_path: Path, receptor_pdb: Callable[[int], str]) -> None:
    source = tmp_path / "s"
    source.mkdir()
    (source / "receptor.pdb").write_text(receptor_pdb(0))
    (source / "good.sdf").write_text(SDF.format(title="good", x=0.0, a=2))
    broken = (
        SDF.format(title="salt", x=0.0, a=2).replace("  2  3  1  0\n", "").replace("  4  3  0", "  4  2  0")
    )
    (source / "salt.sdf").write_text(broken)
    build_index(source, tmp_path / "d", workers=0, progress=False)
    data = Dataset.open(tmp_path / "d")
    notes = dict(zip(data.column("ligand").tolist(), data.column("notes").tolist(), strict=True))
    assert "the ligand is in 2 pieces" in notes["salt.sdf"] and "pieces" not in notes["good.sdf"]
    assert check(tmp_path / "d", workers=0).counts()["disconnected ligand"] == 1


def test_a_ligand_left_in_the_receptor_is_named(tmp_path: Path, receptor_pdb: Callable[[int], str]) -> None:
    source = tmp_path / "s"
    source.mkdir()
    sdf = SDF.format(title="lig", x=0.0, a=2)
    rows = [line.split() for line in sdf.splitlines()[4:8]]
    left = [
        f"HETATM{90 + i:5d}  {row[3]}{i + 1:<2} XYZ Z  77A   "
        f"{float(row[0]):8.3f}{float(row[1]):8.3f}{float(row[2]):8.3f}  1.00  0.00           {row[3]}"
        for i, row in enumerate(rows)
    ]
    receptor = receptor_pdb(0).replace("END\n", "") + "\n".join([*left, "END\n"])
    (source / "receptor.pdb").write_text(receptor)
    (source / "pose.sdf").write_text(sdf)
    build_index(source, tmp_path / "d", workers=0, progress=False)
    (note,) = Dataset.open(tmp_path / "d").column("notes").tolist()
    assert "the receptor holds residue XYZ Z77A (4 atoms) where the pose lies, 0.00 Å from it" in note


def test_equal_stems_in_two_folders(tmp_path: Path, receptor_pdb: Callable[[int], str]) -> None:
    for folder in ("x", "y"):
        (tmp_path / "s" / folder).mkdir(parents=True)
        (tmp_path / "s" / folder / "rank1.SDF").write_text(SDF.format(title="LIG", x=0.0, a=2))
    (tmp_path / "rec.pdb").write_text(receptor_pdb(0))
    build_index(
        tmp_path / "s", tmp_path / "d", workers=0, progress=False, hints=Hints(receptor=tmp_path / "rec.pdb")
    )
    data = Dataset.open(tmp_path / "d")
    assert sorted(data.column("id").tolist()) == ["x/rank1", "y/rank1"]
    assert set(data.column("molecule").tolist()) == {"rank1"}
    assert np.isnan(data.column("affinity")).all()
