"""The store: what was written is what is read, aligned, and damage is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.data.store.shards import FIELDS, Shard, Store, write_shard
from affinity_zoo.zoo.runtime.files import file_hash


def _atoms(n: int, seed: int, role: str = "ligand") -> Atoms:
    random = np.random.default_rng(seed)
    return Atoms(
        role=role,  # type: ignore[arg-type]
        xyz=random.normal(size=(n, 3)).astype(np.float32),
        element=random.integers(0, 90, n).astype(np.uint8),
        atom_type=random.integers(0, 28, n).astype(np.uint8),
        flags=random.integers(0, 4096, n).astype(np.uint16),
        charge=random.integers(-2, 3, n).astype(np.int8),
        name=random.choice(np.array([b"CA", b"O1'", b"HG11"]), n).astype("S4"),
        residue_name=np.full(n, b"LIG", "S4"),
        residue_number=random.integers(-5, 9999, n).astype(np.int32),
        chain=np.full(n, b"A", "S4"),
    )


@settings(max_examples=40, deadline=None)
@given(sizes=st.lists(st.integers(0, 30), min_size=1, max_size=12), seed=st.integers(0, 1000))
def test_what_goes_in_comes_out(
    sizes: list[int], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("store")
    structures = [_atoms(n, seed + i) for i, n in enumerate(sizes)]
    write_shard(folder / "a", structures[:1])
    write_shard(folder / "b", structures[1:])
    manifest = {
        "receptors": [{"file": "a", "structures": 1}],
        "ligands": [{"file": "b", "structures": len(structures) - 1}],
    }
    store = Store(folder, manifest)
    assert len(store) == len(structures)
    for i, wanted in enumerate(structures):
        found = store.atoms(i)
        for name in FIELDS:
            np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))
        assert not found.xyz.flags.writeable


def test_arrays_are_aligned_and_bytes_repeat(tmp_path: Path) -> None:
    structures = [_atoms(n, n) for n in (3, 5, 7)]
    write_shard(tmp_path / "a", structures)
    write_shard(tmp_path / "b", structures)
    assert file_hash(tmp_path / "a") == file_hash(tmp_path / "b")
    store = Store(tmp_path, {"receptors": [], "ligands": [{"file": "a", "structures": 3}]})
    first = store.atoms(0)
    stored = [name for name in FIELDS if name != "insertion"]  # left out where no structure has one
    assert all(getattr(first, name).ctypes.data % 64 == 0 for name in stored)


@pytest.mark.parametrize("damage", ["cut", "magic", "gone"])
def test_damage_is_an_error_with_a_remedy(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "a"
    write_shard(path, [_atoms(20, 1)])
    data = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(data[: len(data) // 2] if damage == "cut" else b"X" * 8 + data[8:])
    store = Store(tmp_path, {"receptors": [], "ligands": [{"file": "a", "structures": 1}]})
    with pytest.raises(AffinityZooError, match="index again"):
        store.atoms(0)


def test_there_is_no_structure_beyond_the_last(tmp_path: Path) -> None:
    write_shard(tmp_path / "a", [_atoms(2, 1)])
    store = Store(tmp_path, {"receptors": [], "ligands": [{"file": "a", "structures": 1}]})
    for i in (-1, 1):
        with pytest.raises(IndexError):
            store.atoms(i)


@pytest.mark.parametrize("field", ["xyz", "element", "name", "residue_number"])
def test_a_changed_byte_is_an_error_that_names_the_structure(tmp_path: Path, field: str) -> None:
    structures = [_atoms(n, n) for n in (3, 5, 7)]
    path = tmp_path / "a.shard"
    write_shard(path, structures)
    whole = Shard(path)
    place = whole.arrays[field][3:8].ctypes.data - whole.arrays["offsets"].ctypes.data
    data = bytearray(path.read_bytes())
    start = data.index(whole.arrays["offsets"].tobytes())
    del whole
    data[start + place] ^= 1
    path.write_bytes(bytes(data))
    store = Store(tmp_path, {"receptors": [], "ligands": [{"file": "a.shard", "structures": 3}]})
    assert len(store.atoms(0)) == 3 and len(store.atoms(2)) == 7
    with pytest.raises(AffinityZooError, match=r"structure 1 of the store file .*a\.shard is damaged"):
        store.atoms(1)


def test_insertion_codes_and_long_names_are_stored(tmp_path: Path) -> None:
    plain = _atoms(3, 1)
    coded = replace(
        plain, insertion=np.array([b"", b"A", b"B"]), residue_name=np.array([b"A1LU6", b"LIG_B", b"ALA"])
    )
    write_shard(tmp_path / "a", [plain, coded])
    store = Store(tmp_path, {"receptors": [], "ligands": [{"file": "a", "structures": 2}]})
    assert store.atoms(0).insertion.tolist() == [b"", b"", b""]
    assert store.atoms(1).insertion.tolist() == [b"", b"A", b"B"]
    assert store.atoms(1).residue_name.tolist() == [b"A1LU6", b"LIG_B", b"ALA"]
