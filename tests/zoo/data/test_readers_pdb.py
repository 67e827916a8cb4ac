"""The PDB parser against ProDy, and what it says of bad files."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from affinity_zoo.zoo.data.readers import ReadError, ReadOptions, read_poses, read_receptor
from affinity_zoo.zoo.data.readers.base import RawAtoms
from affinity_zoo.zoo.data.readers.elements import atomic_number
from affinity_zoo.zoo.data.readers.mmcif import parse_mmcif
from affinity_zoo.zoo.data.readers.pdb import parse_pdb
from affinity_zoo.zoo.data.readers.select import heavy, pick_altloc

FILES = (
    "pdb1ubi.pdb",
    "pdb3mht.pdb",
    "1pwc.pdb",
    "pdb1ejg.pdb",
    "addH_pdb3enl.pdb",
    "pdb3o21.pdb",
    "pdb7pbl.pdb",
)


def _from_prody(atoms: Any) -> RawAtoms:
    """Raw atoms of a ProDy AtomGroup."""
    n = len(atoms)

    def text(values: Any, width: int) -> Any:
        return (
            np.zeros(n, f"S{width}")
            if values is None
            else np.char.strip(values.astype(str)).astype(f"S{width}")
        )

    return RawAtoms.of(
        atoms.getCoords().astype(np.float32),
        np.array([atomic_number(str(e)) for e in atoms.getElements()], np.uint8),
        text(atoms.getNames(), 4),
        residue_name=text(atoms.getResnames(), 4),
        residue_number=atoms.getResnums().astype(np.int32),
        insertion=text(atoms.getIcodes(), 1),
        chain=text(atoms.getChids(), 4),
        altloc=text(atoms.getAltlocs(), 1),
        occupancy=atoms.getOccupancies().astype(np.float32),
        hetero=np.asarray(atoms.getFlags("hetatm"), bool),
    )


def _same_as_prody(path: Path) -> None:
    import prody

    prody.confProDy(verbosity="none")
    group = prody.parsePDB(str(path), altloc="all", model=1)
    ours, theirs = parse_pdb(path.read_bytes())[0], _from_prody(group)
    assert len(ours) == len(theirs)
    np.testing.assert_array_equal(ours.xyz, theirs.xyz)
    for field in (
        "name",
        "residue_name",
        "residue_number",
        "chain",
        "altloc",
        "insertion",
        "occupancy",
        "hetero",
    ):
        np.testing.assert_array_equal(getattr(ours, field), getattr(theirs, field), err_msg=field)
    known = theirs.element > 0  # ours guesses where the file and ProDy have none
    np.testing.assert_array_equal(ours.element[known], theirs.element[known])


@pytest.mark.parametrize("name", FILES)
def test_equals_prody(name: str, prody_files: Path) -> None:
    _same_as_prody(prody_files / name)


def test_equals_prody_on_real_receptors(unpacked: Callable[[str], Path]) -> None:
    files = sorted((unpacked("affinity_small")).glob("*/protein.pdb"))[:6]
    assert files
    for path in files:
        _same_as_prody(path)


def test_gz_reads_the_same(tmp_path: Path, receptor_pdb: Callable[[int], str]) -> None:
    plain, packed = tmp_path / "r.pdb", tmp_path / "r.pdb.gz"
    plain.write_text(receptor_pdb(0))
    packed.write_bytes(gzip.compress(receptor_pdb(0).encode()))
    np.testing.assert_array_equal(read_receptor(plain).atoms.xyz, read_receptor(packed).atoms.xyz)


def test_models_are_records_and_end_where_they_end(
    tmp_path: Path, ligand_pdb: Callable[[float], str]
) -> None:
    path = tmp_path / "poses.pdb"
    bodies = [ligand_pdb(float(i)).replace("END\n", "") for i in range(3)]
    path.write_text("".join(f"MODEL     {i + 1}\n{b}ENDMDL\n" for i, b in enumerate(bodies)))
    poses = list(read_poses(path))
    assert [p.record for p in poses] == [0, 1, 2]
    assert [float(p.atoms.xyz[0, 2]) for p in poses if p.atoms is not None] == [4.0, 5.0, 6.0]
    assert [p.record for p in read_poses(path, first=1, last=2)] == [1]


def test_highest_occupancy_altloc_of_a_residue_wins(prody_files: Path) -> None:
    raw = heavy(parse_pdb((prody_files / "pdb1ejg.pdb").read_bytes())[0])
    picked = pick_altloc(raw, "occupancy")
    keys = list(zip(picked.chain, picked.residue_number, picked.name, strict=True))
    assert len(set(keys)) == len(keys) < len(raw)
    for number in np.unique(raw.residue_number[raw.altloc != b""]):
        mine = (raw.residue_number == number) & (raw.altloc != b"")
        total = {a: raw.occupancy[mine & (raw.altloc == a)].sum() for a in np.unique(raw.altloc[mine])}
        kept = set(picked.altloc[(picked.residue_number == number) & (picked.altloc != b"")])
        assert len(kept) == 1
        assert total[kept.pop()] == pytest.approx(max(total.values()))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"hello world\n", "no ATOM"),
        (b"ATOM      1  N   SER A   1      -0.500\n", "line 1"),
        (b"ATOM      1  N   SER A   1      -0.500   x.400   0.000  1.00  0.00           N\n", "coordinate"),
        (b"ATOM      1  N   SER A   1         nan   1.400   0.000  1.00  0.00           N\n", "finite"),
        (
            b"ATOM      1  H   SER A   1      -0.500   1.400   0.000  1.00  0.00           H\n",
            "no heavy atom",
        ),
    ],
)
def test_bad_files_say_what_is_wrong(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "bad.pdb"
    path.write_bytes(content)
    with pytest.raises(ReadError, match=reason) as error:
        read_receptor(path)
    assert str(path) in str(error.value)
    (pose,) = read_poses(path)
    assert (
        pose.atoms is None
        and pose.failure is not None
        and reason.rsplit(maxsplit=1)[-1] in pose.failure.reason
    )


def test_a_missing_file_and_an_unknown_format(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="does not exist"):
        read_receptor(tmp_path / "none.pdb")
    (tmp_path / "a.xyz").write_text("1")
    with pytest.raises(ReadError, match="unknown format"):
        read_receptor(tmp_path / "a.xyz")


def test_waters_metals_and_cofactors_follow_the_options(prody_files: Path) -> None:
    path = prody_files / "pdb3mht.pdb"
    default = read_receptor(path)
    assert not (default.atoms.residue_name == b"HOH").any()
    assert (default.atoms.residue_name == b"SAH").sum() == 26
    assert any("water" in note for note in default.notes)
    kept = read_receptor(path, ReadOptions(waters="keep"))
    assert (kept.atoms.residue_name == b"HOH").sum() == 70
    assert not (read_receptor(path, ReadOptions(hetero="drop")).atoms.residue_name == b"SAH").any()


def test_options_travel_as_plain_values() -> None:
    options = ReadOptions(waters="keep", model=2)
    assert ReadOptions.from_dict(options.as_dict()) == options


def test_mmcif_gives_both_copies_of_the_ligand(prody_files: Path) -> None:
    raw = parse_mmcif((prody_files / "mmcif_1ake_chimerax.cif").read_bytes())[0]
    ligand = pick_altloc(raw.take(raw.residue_name == b"AP5"), "occupancy")
    assert len(ligand) == 2 * 57
    assert set(ligand.chain) == {b"A", b"B"}  # the author's chains, as in the PDB file


def test_the_parser_is_much_faster_than_prody(prody_files: Path) -> None:
    import time

    import prody

    prody.confProDy(verbosity="none")
    path = prody_files / "pdb3o21.pdb"

    def best(function: Callable[[], object]) -> float:
        times = []
        for _ in range(3):
            start = time.perf_counter()
            function()
            times.append(time.perf_counter() - start)
        return min(times)

    # 2 leaves room for a loaded machine; measured alone it is about 5.
    assert best(lambda: parse_pdb(path.read_bytes())) * 2 < best(
        lambda: prody.parsePDB(str(path), altloc="all")
    )
