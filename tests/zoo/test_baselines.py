"""Baselines: one number a pair, by hand; run over an index; judged once a benchmark."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import AllChem

from affinity_zoo.plugins.contracts import Atoms, Role
from affinity_zoo.zoo.baselines import ligand_memory
from affinity_zoo.zoo.baselines.nearest_ligand import NearestTrainingLigand
from affinity_zoo.zoo.baselines.run import default_baselines, run_baselines, write_baseline_results
from affinity_zoo.zoo.catalog import catalog
from affinity_zoo.zoo.data.dataset import Dataset
from affinity_zoo.zoo.predictions import from_dataset
from affinity_zoo.zoo.results import load_result


def atoms(role: Role, xyz: Any, element: Any = None) -> Atoms:
    n = len(xyz)
    return Atoms(
        role=role, xyz=np.asarray(xyz, np.float32).reshape(n, 3),
        element=np.full(n, 6, np.uint8) if element is None else np.asarray(element, np.uint8),
        atom_type=np.zeros(n, np.uint8), flags=np.zeros(n, np.uint16), charge=np.zeros(n, np.int8),
        name=np.full(n, b"C", "S4"), residue_name=np.full(n, b"ALA", "S4"),
        residue_number=np.arange(n, dtype=np.int32), chain=np.full(n, b"A", "S4"),
    )  # fmt: skip


RECEPTOR = atoms("receptor", [[0, 0, 3], [0, 0, -3.5], [5.5, 0, 0], [40, 0, 0]])
LIGAND = atoms("ligand", [[0, 0, 0], [1.5, 0, 0]])
PAIR = {"id": "p", "pose_label": 1.0, "active": math.nan, "docking_score": -7.5}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ligand-size", 2.0),
        ("contacts", (2 + 3) / 2),  # from the second atom: 3.35, 3.81 and 4.0 Å
        ("burial", 3.0),
        ("shortest-distance", 3.0),
        ("docking-score", -7.5),
        ("best-possible", 1.0),
    ],
)
def test_a_baseline_by_hand(name: str, expected: float) -> None:
    assert catalog().create("baseline", name, {}).measure(RECEPTOR, LIGAND, PAIR) == pytest.approx(expected)


def test_random_is_the_same_everywhere_and_uniform() -> None:
    random = catalog().create("baseline", "random", {})
    values = np.array([random.measure(RECEPTOR, LIGAND, {"id": f"p{i}"}) for i in range(4000)])
    assert values[0] == random.measure(LIGAND, RECEPTOR, {"id": "p0"})
    assert abs(values.mean() - 0.5) < 0.02 and abs(values.std() - 12**-0.5) < 0.01
    other = catalog().create("baseline", "random", {"seed": "1"})
    assert other.measure(RECEPTOR, LIGAND, {"id": "p0"}) != values[0]


@pytest.mark.parametrize("baseline", default_baselines(), ids=lambda b: b.name)
def test_a_ligand_without_atoms_breaks_nothing(baseline: Any) -> None:
    value = baseline.measure(RECEPTOR, atoms("ligand", []), {"id": "p", "docking_score": math.nan})
    assert isinstance(value, float)


def molecule(smiles: str) -> Atoms:
    made = Chem.AddHs(Chem.MolFromSmiles(smiles))
    AllChem.EmbedMolecule(made, randomSeed=1)
    made = Chem.RemoveHs(made)
    return atoms("ligand", made.GetConformer().GetPositions(), [a.GetAtomicNum() for a in made.GetAtoms()])


def index(path: Path, ligands: list[Atoms], **columns: Any) -> Dataset:
    n = len(ligands)
    made: dict[str, Any] = {
        name: np.full(n, np.nan) for name in ("pose_label", "active", "affinity", "rmsd", "docking_score")
    }
    names = [f"m{i}" for i in range(n)]
    made |= {name: np.array(names) for name in ("id", "receptor", "ligand", "target", "molecule", "group")}
    made |= {"record": np.zeros(n, int), "source": np.full(n, "")} | columns
    structures = [RECEPTOR, *ligands]
    stub = SimpleNamespace(
        path=path, column=made.__getitem__, rows=lambda split: np.arange(n), receptor_structure=np.zeros(n, int),
        ligand_structure=np.arange(1, n + 1), store=SimpleNamespace(atoms=structures.__getitem__),
    )  # fmt: skip
    return cast(Dataset, stub)


def test_scores_are_turned_so_that_larger_is_better() -> None:
    far = atoms("ligand", [[0, 0, 100]])
    data = index(
        Path("x"), [LIGAND, far], docking_score=np.array([-9.0, -1.0]), pose_label=np.array([1.0, 0.0])
    )
    scores = run_baselines(data, np.arange(2))
    for name in ("burial", "contacts", "shortest-distance", "docking-score", "best-possible", "ligand-size"):
        assert scores[name][0] > scores[name][1]
    assert scores["docking-score"][0] == 9.0


def test_results_are_written_once_and_silent_baselines_left_out(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    ligands = [atoms("ligand", rng.normal(size=(3, 3))) for _ in range(24)]
    target = np.repeat([f"t{i}" for i in range(12)], 2)
    data = index(Path("x"), ligands, pose_label=np.tile([1.0, 0.0], 12), target=target, group=target)
    rows = np.arange(24)
    table = from_dataset(data, rows, np.zeros(24))
    benchmark = {"name": "toy", "hash": "a" * 64}
    paths = write_baseline_results(tmp_path, data, rows, table, benchmark, replicates=20)
    names = [path.parent.name for path in paths]
    assert "burial" in names and "docking-score" not in names
    before = {path: path.stat().st_mtime_ns for path in paths}
    assert write_baseline_results(tmp_path, data, rows, table, benchmark, replicates=20) == paths
    assert {path: path.stat().st_mtime_ns for path in paths} == before
    best = load_result(tmp_path / "toy-aaaaaaaa/best-possible")
    assert best.is_baseline and best.metrics["roc-auc"].value == 1.0
    assert "confusion" not in best.metrics  # a number of contacts has no threshold at 0


def remembered(monkeypatch: pytest.MonkeyPatch, **columns: Any) -> NearestTrainingLigand:
    ligands = [molecule(s) for s in ("CC(=O)Oc1ccccc1C(=O)O", "CN1CCC[C@H]1c1cccnc1", "CCCCCCCC")]
    ligand_memory.memory.cache_clear()
    monkeypatch.setattr(ligand_memory.Dataset, "open", lambda path: index(Path(path), ligands, **columns))
    return NearestTrainingLigand(training="there")


def test_the_nearest_training_ligand_gives_its_affinity(monkeypatch: pytest.MonkeyPatch) -> None:
    baseline = remembered(monkeypatch, affinity=np.array([4.0, 7.0, 2.0]))
    salicylate = molecule("OC(=O)c1ccccc1O")
    assert baseline.measure(RECEPTOR, salicylate, PAIR) == 4.0
    assert baseline.measure(RECEPTOR, molecule("CCCCCCC"), PAIR) == 2.0


def test_activities_are_the_nearest_active_less_the_nearest_inactive(monkeypatch: pytest.MonkeyPatch) -> None:
    baseline = remembered(monkeypatch, active=np.array([1.0, 0.0, 0.0]))
    assert baseline.measure(RECEPTOR, molecule("CC(=O)Oc1ccccc1C(=O)O"), PAIR) > 0.5
    assert baseline.measure(RECEPTOR, molecule("CN1CCC[C@H]1c1cccnc1"), PAIR) < -0.5


def test_without_a_training_set_the_nearest_ligand_says_nothing() -> None:
    assert math.isnan(NearestTrainingLigand().measure(RECEPTOR, LIGAND, PAIR))
