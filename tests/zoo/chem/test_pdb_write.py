"""PDB text: what is written reads back equal, with an independent reader."""

from __future__ import annotations

import io

import numpy as np
import prody
from hypothesis import given, settings
from hypothesis import strategies as st

from affinity_zoo.zoo.chem.pdb_write import atom_lines
from affinity_zoo.zoo.data.readers.pdb import parse_pdb

ATOMS = [
    ("C", "CA"),
    ("N", "N"),
    ("O", "O5'"),
    ("C", "H5''"),
    ("Cl", "CL1"),
    ("Br", "BR"),
    ("P", "PA"),
    ("Zn", "ZN"),
]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(0, 2**31 - 1))
def test_reads_back_equal(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    xyz = np.round(rng.uniform(-990, 990, (n, 3)), 3)
    kinds = [ATOMS[i] for i in rng.integers(0, len(ATOMS), n)]
    numbers = sorted(rng.integers(-99, 9999, n).tolist())
    text = atom_lines(
        xyz, [s for s, _ in kinds], [a for _, a in kinds], ["LIG"] * n, numbers, chain=["B"] * n
    )
    back = prody.parsePDBStream(io.StringIO(text))
    assert np.allclose(back.getCoords(), xyz, atol=1e-9)
    assert [e.capitalize() for e in back.getElements()] == [s for s, _ in kinds]
    assert list(back.getNames()) == [a for _, a in kinds]
    assert set(back.getChids()) == {"B"}
    assert set(back.getOccupancies()) == {1.0}


def test_long_chain_names_become_letters_in_order_of_use() -> None:
    text = atom_lines(
        np.zeros((3, 3)), ["C"] * 3, ["CA"] * 3, ["ALA"] * 3, [1, 1, 1], chain=["YH", "LA0", "YH"]
    )
    assert [line[21] for line in text.splitlines()[:-1]] == ["A", "B", "A"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text("ABCD012", min_size=1, max_size=6), min_size=1, max_size=12, unique=True))
def test_residue_names_of_any_length_stay_distinct(names: list[str]) -> None:
    n = len(names)
    text = atom_lines(np.zeros((n, 3)), ["C"] * n, ["CA"] * n, names, [1] * n)
    atoms = [line for line in text.splitlines() if line.startswith("ATOM")]
    assert all(len(line) == 78 and line[21] == "A" for line in atoms)
    back = [line[17:21].strip() for line in atoms]
    remarks = dict(line.split()[3::2] for line in text.splitlines() if line.startswith("REMARK"))
    assert [remarks.get(name, name) for name in back] == names
    assert list(prody.parsePDBStream(io.StringIO(text)).getResnames()) == back


def test_long_residue_names_are_read_back_by_our_reader() -> None:
    text = atom_lines(
        np.zeros((3, 3)), ["C"] * 3, ["C1"] * 3, ["A1BXY", "TIP3", "LIG"], [1, 2, 3], hetero=True
    )
    assert parse_pdb(text.encode())[0].residue_name.tolist() == [b"~XY", b"TIP", b"LIG"]


def test_insertion_codes_and_large_numbers_keep_the_columns() -> None:
    text = atom_lines(np.zeros((2, 3)), ["C"] * 2, ["CA"] * 2, ["ALA"] * 2, [52, 12345], insertion=["A", ""])
    first, second, end = text.splitlines()
    assert (first[22:27], second[22:27], end) == ("  52A", "2345 ", "END")
    assert len(first) == len(second) == 78
