"""Elements: every element, record type and column gives what the file means."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affinity_zoo.zoo.data.readers import ReadOptions, read_poses, read_receptor
from affinity_zoo.zoo.data.readers.elements import NUMBERS, SYMBOLS
from affinity_zoo.zoo.data.readers.residues import IONS, WATERS

CHAIN = [
    "ATOM      1  N   GLY A   1       0.000   0.000   0.000  1.00  0.00",
    "ATOM      2  CA  GLY A   1       1.458   0.000   0.000  1.00  0.00",
    "ATOM      3  C   GLY A   1       2.009   1.420   0.000  1.00  0.00",
    "ATOM      4  O   GLY A   1       1.251   2.390   0.000  1.00  0.00",
]


def _line(tag: str, name: str, residue: str, number: int, x: float, symbol: str = "", y: float = 0.0) -> str:
    place = f"{x:8.3f}{y:8.3f}{0.0:8.3f}  1.00  0.00"
    return f"{tag:<6}{number:5d} {name:<4} {residue:>3} B{number:4d}    {place}          {symbol:>2}"


@settings(max_examples=80)
@given(
    st.sampled_from(sorted(n for n in IONS if len(n) <= 3)), st.sampled_from(["ATOM", "HETATM"]),
    st.sampled_from([" {}", "{}"]), st.sampled_from(["", "right", "wrong"]), st.sampled_from(["", "+", "2+"]),
)  # fmt: skip
def test_ions_by_the_name_of_their_residue(
    tmp_path_factory: pytest.TempPathFactory, residue: str, tag: str, place: str, column: str, sign: str
) -> None:
    z = IONS[residue]
    name = place.format(residue)[:4]
    shown = residue if len(residue + sign) > 3 else residue + sign
    symbol = {"": "", "right": SYMBOLS[z].upper(), "wrong": residue[0] if residue[0] in "CNOSFHKI" else "C"}[
        column
    ]
    path = tmp_path_factory.mktemp("i") / "r.pdb"
    path.write_text("\n".join([*CHAIN, _line(tag, name, shown, 9, 20.0, symbol), "END"]))
    atoms = read_receptor(path).atoms
    assert atoms.element.tolist() == [7, 6, 6, 8, z]


LIGAND = [  # a benzene ring and what is bonded to it
    ("C1", 6, 0.0, 1.39), ("C2", 6, 1.204, 0.695), ("C3", 6, 1.204, -0.695), ("C4", 6, 0.0, -1.39),
    ("C5", 6, -1.204, -0.695), ("C6", 6, -1.204, 0.695),
]  # fmt: skip
BONDED = {
    "N": 1.40,
    "O": 1.36,
    "F": 1.35,
    "Cl": 1.74,
    "Br": 1.90,
    "I": 2.10,
    "S": 1.77,
    "P": 1.80,
    "Si": 1.87,
    "C": 1.51,
}


@settings(max_examples=80)
@given(
    st.sampled_from(sorted(BONDED)), st.sampled_from(["ATOM", "HETATM"]),
    st.sampled_from(["column", "shifted", "none"]), st.integers(1, 9),
)  # fmt: skip
def test_a_ligands_atoms_by_name_or_column(
    tmp_path_factory: pytest.TempPathFactory, symbol: str, tag: str, how: str, digit: int
) -> None:
    name = f"{symbol.upper()}{digit}"
    placed = name if len(symbol) == 2 and how != "shifted" else f" {name}"
    rows = [(f" {n}", SYMBOLS[z], x, y) for n, z, x, y in LIGAND] + [
        (placed, symbol, 0.0, 1.39 + BONDED[symbol])
    ]
    lines = [
        f"{tag:<6}{i + 1:5d} {n:<4} LIG B   1    {x:8.3f}{y:8.3f}{0.0:8.3f}  1.00  0.00          "
        + (f"{s.upper():>2}" if how == "column" else "")
        for i, (n, s, x, y) in enumerate(rows)
    ]
    path = tmp_path_factory.mktemp("l") / "l.pdb"
    path.write_text("\n".join([*lines, "END"]))
    (pose,) = read_poses(path)
    assert pose.atoms is not None
    assert pose.atoms.element.tolist() == [6] * 6 + [NUMBERS[symbol.upper()]]
    assert any("taken from names" in note for note in pose.notes) == (how != "column")


@settings(max_examples=30)
@given(st.sampled_from(sorted(w.decode() for w in WATERS if 2 <= len(w) <= 4)), st.booleans())
def test_waters_of_any_name(tmp_path_factory: pytest.TempPathFactory, water: str, small: bool) -> None:
    name = water.lower() if small else water
    residue = f"{name:<4}B" if len(name) == 4 else f"{name:>3} B"
    line = f"HETATM    9  O   {residue}   9    {20.0:8.3f}{0.0:8.3f}{0.0:8.3f}  1.00  0.00           O"
    path = tmp_path_factory.mktemp("w") / "r.pdb"
    path.write_text("\n".join([*CHAIN, line, "END"]))
    assert len(read_receptor(path).atoms) == 4
    assert len(read_receptor(path, ReadOptions(waters="keep")).atoms) == 5


@pytest.mark.parametrize(
    ("residue", "name"), [("HG", " HG "), ("HO", "HO  "), ("UNX", "HE  "), ("HG2", " HG ")]
)
def test_what_stands_alone_is_no_hydrogen(tmp_path: Path, residue: str, name: str) -> None:
    (tmp_path / "r.pdb").write_text("\n".join([*CHAIN, _line("HETATM", name, residue, 9, 20.0), "END"]))
    atoms = read_receptor(tmp_path / "r.pdb").atoms
    assert len(atoms) == 5 and int(atoms.element[4]) != 1


@pytest.mark.parametrize(
    ("kind", "z"),
    [("C.ar", 6), ("N.pl3", 7), ("O.co2", 8), ("Cl", 17), ("Br", 35), ("S.O2", 16), ("P.3", 15), ("Ca", 20),
     ("Du", None), ("LP", None), ("ca", 6), ("os", 8), ("ho", 1), ("cl", 17), ("nb", 7), ("p5", 15), ("ss", 16)],
)  # fmt: skip
def test_atom_types_of_mol2(tmp_path: Path, kind: str, z: int | None) -> None:
    gaff = kind[0].islower()
    rows = [f"1 C1 0.0 0.0 0.0 {'c3' if gaff else 'C.3'} 1 LIG 0.0", f"2 X2 1.6 0.0 0.0 {kind} 1 LIG 0.0"]
    (tmp_path / "l.mol2").write_text(
        "@<TRIPOS>MOLECULE\nx\n2 0\nSMALL\nNONE\n\n@<TRIPOS>ATOM\n" + "\n".join(rows) + "\n"
    )
    (pose,) = read_poses(tmp_path / "l.mol2")
    assert pose.atoms is not None
    assert pose.atoms.element.tolist() == [6] + ([z] if z not in (None, 1) else [])
    assert any("GAFF" in note for note in pose.notes) == gaff
    assert any("pseudo-atoms left out" in note for note in pose.notes) == (z is None)


def test_types_that_are_none_are_refused(tmp_path: Path) -> None:
    rows = ["1 C1 0.0 0.0 0.0 c3 1 LIG 0.0", "2 X2 1.6 0.0 0.0 zz 1 LIG 0.0"]
    (tmp_path / "l.mol2").write_text(
        "@<TRIPOS>MOLECULE\nx\n2 0\nSMALL\nNONE\n\n@<TRIPOS>ATOM\n" + "\n".join(rows) + "\n"
    )
    (pose,) = read_poses(tmp_path / "l.mol2")
    assert pose.failure is not None and "GAFF" in pose.failure.reason
