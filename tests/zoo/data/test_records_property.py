"""Where records begin and end, in every format: read rows and failures are the records of the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affinity_zoo.zoo.data.readers import read_poses
from affinity_zoo.zoo.data.readers.formats import count_records
from affinity_zoo.zoo.data.readers.pdb_records import pose_blocks
from affinity_zoo.zoo.data.readers.records import id_bases, pose_files, unique
from affinity_zoo.zoo.data.readers.sdf_records import record_offsets, split_records

ATOMS = (("C1", "C"), ("C2", "C"), ("O1", "O"), ("N1", "N"))


def _pdb_lines(pose: int, kinds: bool = False) -> list[str]:
    return [
        f"HETATM{i + 1:5d}  {name:<3} LIG A   1    {1.5 * i:8.3f}{0.0:8.3f}{float(pose):8.3f}  1.00  0.00    "
        + (f"+0.000 {symbol:<2}" if kinds else f"      {symbol:>2}")
        for i, (name, symbol) in enumerate(ATOMS)
    ]


def _pdbqt_lines(pose: int, flexible: bool) -> list[str]:
    body = ["ROOT", *_pdb_lines(pose, kinds=True), "ENDROOT", "TORSDOF 0"]
    if flexible:
        residue = [line.replace("LIG A   1", "SER B  85") for line in _pdb_lines(50, kinds=True)[:3]]
        body += [
            "BEGIN_RES SER B  85",
            "REMARK INDEX MAP 1 1",
            "ROOT",
            *residue,
            "ENDROOT",
            "END_RES SER B  85",
        ]
    return body


def _sdf_lines(pose: int) -> list[str]:
    atoms = [f"{1.5 * i:10.4f}{0.0:10.4f}{float(pose):10.4f} {s:<3} 0  0" for i, (_, s) in enumerate(ATOMS)]
    bonds = [f"{i:3d}{i + 1:3d}  1  0" for i in (1, 2, 3)]
    return [f"pose{pose}", "  made", "", "  4  3  0  0  0  0  0  0  0  0999 V2000", *atoms, *bonds]


def _heights(path: Path) -> list[float]:
    poses = list(read_poses(path))
    assert [p.record for p in poses] == list(range(len(poses)))
    assert all(p.atoms is not None and len(p.atoms) == len(ATOMS) for p in poses), [p.failure for p in poses]
    return [float(p.atoms.xyz[0, 2]) for p in poses if p.atoms is not None]


END_PDB = {"END": ["END"], "TER END": ["TER", "END"], "TER": ["TER"], "MODEL": ["ENDMDL"]}


@settings(max_examples=40)
@given(
    st.integers(1, 4), st.sampled_from(sorted(END_PDB)), st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(), st.booleans(),
)  # fmt: skip
def test_pdb_records(
    tmp_path_factory: pytest.TempPathFactory, n: int, how: str, end: str, last: bool, remark: bool
) -> None:
    lines: list[str] = []
    for pose in range(n):
        lines += ["REMARK a pose"] * remark + [f"MODEL     {pose + 1}"] * (how == "MODEL")
        lines += _pdb_lines(pose) + END_PDB[how] * (last or pose + 1 < n)
    path = tmp_path_factory.mktemp("p") / "p.pdb"
    path.write_bytes((end.join(lines) + end).encode())
    assert _heights(path) == [float(i) for i in range(n)]


@settings(max_examples=40)
@given(st.integers(1, 4), st.sampled_from(["MODEL", "TORSDOF", "ROOT", "END"]), st.booleans())
def test_pdbqt_records(tmp_path_factory: pytest.TempPathFactory, n: int, how: str, flexible: bool) -> None:
    lines: list[str] = []
    for pose in range(n):
        body = _pdbqt_lines(pose, flexible)
        if how == "ROOT":
            body.remove("TORSDOF 0")
        lines += (
            [f"MODEL {pose + 1}"] * (how == "MODEL")
            + body
            + ["ENDMDL"] * (how == "MODEL")
            + ["END"] * (how == "END")
        )
    path = tmp_path_factory.mktemp("p") / "p.pdbqt"
    path.write_text("\n".join(lines) + "\n")
    assert _heights(path) == [float(i) for i in range(n)]


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=4),
    st.sampled_from(["\n", "\r\n", "\r"]), st.booleans(),
)  # fmt: skip
def test_sdf_records(
    tmp_path_factory: pytest.TempPathFactory, shape: list[tuple[bool, bool, bool]], end: str, last: bool
) -> None:
    """Each record with or without M  END, a property and its delimiter (one of the two ends is there)."""
    lines: list[str] = []
    for pose, (finished, prop, delimited) in enumerate(shape):
        lines += _sdf_lines(pose) + ["M  END"] * finished + [">  <score>", "1.5", ""] * prop
        if (delimited or not finished) and (last or pose + 1 < len(shape)):
            lines.append("$$$$")
    path = tmp_path_factory.mktemp("p") / "p.sdf"
    data = (end.join(lines) + end).encode()
    path.write_bytes(data)
    assert _heights(path) == [float(i) for i in range(len(shape))]
    assert len(record_offsets(path)) - 1 == len(shape) == len(list(split_records(data)))


def test_a_molecule_in_a_property_is_no_record() -> None:
    inner = "\n".join(_sdf_lines(9)) + "\nM  END\n"
    text = "\n".join(_sdf_lines(0)) + f"\nM  END\n>  <reference>\n{inner}\n$$$$\n"
    assert len(list(split_records(text.encode()))) == 1


def test_one_damaged_record_costs_no_other(tmp_path: Path) -> None:
    lines = [line for pose in range(3) for line in (*_pdb_lines(pose), "END")]
    lines[6] = lines[6][:33] + "x" + lines[6][34:]
    (tmp_path / "p.pdb").write_text("\n".join(lines))
    poses = list(read_poses(tmp_path / "p.pdb"))
    assert [p.atoms is not None for p in poses] == [True, False, True]
    assert poses[1].failure is not None and "line 7" in poses[1].failure.reason


def test_a_model_without_atoms_is_a_failure(tmp_path: Path) -> None:
    lines = ["MODEL 1", *_pdb_lines(0), "ENDMDL", "MODEL 2", "ENDMDL", "MODEL 3", *_pdb_lines(2), "ENDMDL"]
    assert len(pose_blocks("\n".join(lines).encode())) == 3
    (tmp_path / "p.pdb").write_text("\n".join(lines))
    assert [p.failure is None for p in read_poses(tmp_path / "p.pdb")] == [True, False, True]


def test_text_files_of_windows(tmp_path: Path) -> None:
    for suffix, lines in (("pdb", [*_pdb_lines(1), "END"]), ("sdf", [*_sdf_lines(1), "M  END", "$$$$"])):
        for encoding in ("utf-8-sig", "utf-16"):
            path = tmp_path / f"{encoding}.{suffix}"
            path.write_bytes("\r\n".join(lines).encode(encoding))
            assert _heights(path) == [1.0]


def test_folders_are_searched_and_endings_count_in_any_case(tmp_path: Path) -> None:
    for name in ("A.SDF", "sub/b.sdf", "c.ent", "d.cif", "rec.pdb", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = pose_files([tmp_path], but=[tmp_path / "rec.pdb"])
    assert [p.relative_to(tmp_path).as_posix() for p in found] == ["A.SDF", "c.ent", "d.cif", "sub/b.sdf"]


NAME = st.sampled_from(
    ["rank1.sdf", "rank1.mol2", "rank2.sdf.gz", "x/rank1.sdf", "y/rank1.sdf", "y/z/RANK1.SDF"]
)


@given(st.lists(NAME, min_size=1, max_size=6), st.sampled_from(["", "/data/set/", "poses/"]))
def test_no_two_files_share_the_beginning_of_their_ids(names: list[str], root: str) -> None:
    bases = id_bases(root + name for name in names)
    assert len(set(bases.values())) == len(set(names))
    assert all(not base.startswith("/data") for base in bases.values())


@given(st.lists(st.sampled_from(["a", "b", "a~2", "a#0"]), max_size=8))
def test_no_id_is_given_twice(names: list[str]) -> None:
    found = unique(names)
    assert len(set(found)) == len(names)
    assert all(f == n or f.startswith(f"{n}~") for f, n in zip(found, names, strict=True))


@given(st.permutations(range(len(ATOMS))))
def test_a_skeleton_does_not_depend_on_the_order_of_atoms(order: list[int]) -> None:
    from affinity_zoo.zoo.data.readers.sanity import skeleton

    element = np.array([6, 6, 8, 7], np.uint8)
    pairs = np.array([[0, 1], [1, 2], [2, 3]])
    place = np.argsort(order)
    assert skeleton(element[order], np.sort(place[pairs], 1)) == skeleton(element, pairs)
    assert skeleton(element, np.array([[0, 1], [1, 3], [2, 3]])) != skeleton(element, pairs)


def test_every_block_and_model_of_an_mmcif_file_is_a_record(tmp_path: Path) -> None:
    items = ["group_PDB", "type_symbol", "auth_atom_id", "auth_comp_id", "auth_asym_id", "auth_seq_id"]
    items += ["Cartn_x", "Cartn_y", "Cartn_z", "pdbx_PDB_model_num"]
    lines: list[str] = []
    for block in range(2):
        lines += [f"data_{block}", "loop_", *(f"_atom_site.{item}" for item in items)]
        for model in range(2):
            height = 2 * block + model
            lines += [
                f"HETATM {s} {n} LONGNAME9 AA 1 {1.5 * i} 0.0 {height}.0 {model + 1}"
                for i, (n, s) in enumerate(ATOMS)
            ]
    (tmp_path / "p.cif").write_text("\n".join(lines) + "\n")
    assert _heights(tmp_path / "p.cif") == [0.0, 1.0, 2.0, 3.0]
    (first, *_) = read_poses(tmp_path / "p.cif")
    assert first.atoms is not None
    assert set(first.atoms.residue_name.tolist()) == {b"LONGNAME9"} and set(first.atoms.chain.tolist()) == {
        b"AA"
    }


def test_records_are_counted_as_they_are_read(tmp_path: Path) -> None:
    bodies = {
        "pdb": [[*_pdb_lines(i), "END"] for i in range(3)],
        "pdbqt": [[f"MODEL {i}", *_pdbqt_lines(i, True), "ENDMDL"] for i in range(3)],
        "sdf": [[*_sdf_lines(i), "M  END", "$$$$"] for i in range(3)],
    }
    for suffix, records in bodies.items():
        path = tmp_path / f"p.{suffix}"
        path.write_text("\n".join(line for record in records for line in record) + "\n")
        assert count_records(path, 0) == len(list(read_poses(path))) == 3
        assert count_records(path) == 0
