"""A benchmark whose index is at hand, made in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from affinity_zoo.plugins.contracts import Atoms, Role
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.data.store.dataset import Dataset

COMPLEXES, POSES = 20, 6


def _atoms(role: Role, xyz: Any) -> Atoms:
    n = len(xyz)
    return Atoms(
        role=role, xyz=np.asarray(xyz, np.float32), element=np.full(n, 6, np.uint8),
        atom_type=np.full(n, 2, np.uint8), flags=np.zeros(n, np.uint16), charge=np.zeros(n, np.int8),
        name=np.full(n, b"C", "S4"), residue_name=np.full(n, b"ALA", "S4"),
        residue_number=np.arange(n, dtype=np.int32), chain=np.full(n, b"A", "S4"),
    )  # fmt: skip


def made_index(path: Path, prefix: str = "p", **changes: Any) -> Dataset:
    """What a benchmark uses of an index: poses of 20 complexes, the first of each near-native, with docking scores."""
    n = COMPLEXES * POSES
    rng = np.random.default_rng(5)
    label = np.tile([1.0] + [0.0] * (POSES - 1), COMPLEXES)
    target = np.repeat([f"t{i:02}" for i in range(COMPLEXES)], POSES)
    columns: dict[str, Any] = dict.fromkeys(("active", "affinity", "rmsd"), np.full(n, np.nan))
    columns |= dict.fromkeys(("source",), np.full(n, "docked")) | {"affinity_relation": np.full(n, "")}
    columns |= dict.fromkeys(("target", "group", "molecule", "receptor", "ligand"), target)
    columns |= {
        "id": np.array([f"{prefix}{i}" for i in range(n)]),
        "pose_label": label,
        "record": np.zeros(n, int),
    }
    columns |= {"docking_score": -7.0 - label + rng.normal(size=n)} | changes
    structures = [
        _atoms("receptor", [[0, 0, 0]]),
        *(_atoms("ligand", rng.normal(size=(4, 3)) + 3) for _ in range(n)),
    ]
    rows = {"all": np.arange(n), "test": np.arange(n // 2), "train": np.arange(0)}
    stub = SimpleNamespace(
        path=path, column=columns.__getitem__, rows=rows.__getitem__, content_hash=prefix * 64,
        receptor_structure=np.zeros(n, int), ligand_structure=np.arange(1, n + 1),
        store=SimpleNamespace(atoms=structures.__getitem__),
    )  # fmt: skip
    return cast(Dataset, stub)


@pytest.fixture(name="made_index")
def made_index_fixture() -> Callable[..., Dataset]:
    """A function that makes an index in memory."""
    return made_index


@pytest.fixture
def at_hand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Dataset], Dataset]:
    """A function that makes an index one that can be opened by its path; no figure is taken from another test."""
    known: dict[str, Dataset] = {}

    def opened(path: str | Path) -> Dataset:
        if str(path) not in known:
            raise AffinityZooError(f"{path} does not exist")
        return known[str(path)]

    def add(dataset: Dataset) -> Dataset:
        known[str(dataset.path.resolve())] = dataset
        return dataset

    monkeypatch.setattr(Dataset, "open", opened)
    monkeypatch.setenv("AFFINITY_ZOO_HOME", str(tmp_path / "home"))
    return add
