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
from affinity_zoo.zoo.baselines import half_learner, ligand_memory
from affinity_zoo.zoo.baselines.half_complex import HalfComplex
from affinity_zoo.zoo.baselines.nearest_ligand import NearestTrainingLigand
from affinity_zoo.zoo.baselines.run import default_baselines, run_baselines
from affinity_zoo.zoo.board.baseline_results import write_baseline_results
from affinity_zoo.zoo.board.results import load_result
from affinity_zoo.zoo.catalog.registry import catalog
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.judging.predictions import from_dataset


def atoms(role: Role, xyz: Any, element: Any = None) -> Atoms:
    n = len(xyz)
    return Atoms(
        role=role, xyz=np.asarray(xyz, np.float32).reshape(n, 3),
        element=np.full(n, 6, np.uint8) if element is None else np.asarray(element, np.uint8),
        atom_type=np.full(n, 2, np.uint8), flags=np.zeros(n, np.uint16), charge=np.zeros(n, np.int8),
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
    made |= {
        "affinity_relation": np.full(n, ""),
        "record": np.zeros(n, int),
        "source": np.full(n, ""),
    } | columns
    structures = [RECEPTOR, *ligands]
    stub = SimpleNamespace(
        path=path, column=made.__getitem__, columns=list(made),
        rows=lambda split: np.arange(n), receptor_structure=np.zeros(n, int),
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


def half(name: str, **options: Any) -> HalfComplex:
    made = catalog().create("baseline", name, options)
    assert isinstance(made, HalfComplex)
    return made


def test_a_receptor_is_described_by_hand() -> None:
    shells = half_learner.describe_receptor(RECEPTOR, np.zeros(3)).reshape(len(half_learner.SHELLS), 14)
    # 3 Å (no longer inside the first shell) and 3.5 Å, then 5.5 Å; 40 Å is far
    assert shells.sum(axis=1).tolist() == [0, 2, 1, 0, 0, 0]
    moved = half_learner.describe_receptor(RECEPTOR, np.array([38.0, 0.0, 0.0])).reshape(-1, 14)
    assert moved.sum(axis=1).tolist() == [1, 0, 0, 0, 0, 0]


def test_a_ligand_is_described_by_hand_however_it_lies() -> None:
    found = half_learner.describe_ligand(LIGAND)
    assert (
        found[14] == 2
        and found[15] == pytest.approx(0.75)
        and found[16:].tolist() == [1, 0, 0, 0, 0, 0, 0, 0]
    )
    turned = atoms("ligand", [[9, 9, 9], [9, 10.5, 9]])
    np.testing.assert_allclose(half_learner.describe_ligand(turned), found, atol=1e-5)
    assert not half_learner.describe_ligand(atoms("ligand", [])).any()


def planted(path: Path, deep: bool) -> Dataset:
    """48 complexes of one receptor: a pose is right where it lies deep, or where its ligand is large."""
    rng = np.random.default_rng(3)
    label = np.tile([1.0, 0.0], 48)
    group = np.repeat([f"g{i:02d}" for i in range(48)], 2)
    ligands = []
    for value in label:
        size = 6 if deep or value == 0.0 else 12
        away = 0.0 if value == 1.0 or not deep else 6.0
        ligands.append(atoms("ligand", rng.normal(size=(size, 3)) + [away, 0, 0]))
    return index(path, ligands, pose_label=label, group=group, target=group, receptor=group)


def auc_within(data: Dataset, score: np.ndarray) -> float:
    from sklearn.metrics import roc_auc_score

    label, group = data.column("pose_label"), data.column("group")
    return float(np.mean([roc_auc_score(label[group == g], score[group == g]) for g in np.unique(group)]))


@pytest.mark.parametrize("deep", [True, False])
def test_each_half_finds_only_what_lies_in_it(tmp_path: Path, deep: bool) -> None:
    data = planted(tmp_path, deep)
    chosen = [half("ligand-only"), half("receptor-only"), half("receptor-only-site")]
    scores = run_baselines(data, np.arange(len(data.column("id"))), chosen)
    told, blind = ("receptor-only", "ligand-only") if deep else ("ligand-only", "receptor-only")
    assert auc_within(data, scores[told]) > 0.9
    assert 0.15 < auc_within(data, scores[blind]) < 0.85
    assert auc_within(data, scores["receptor-only-site"]) == 0.5  # one number for all poses of a receptor


def test_no_row_is_scored_by_trees_that_saw_its_group(tmp_path: Path) -> None:
    """Labels that nothing explains, the same in a group: memory would reach 1, honest folds stay near chance."""
    rng = np.random.default_rng(5)
    group = np.repeat([f"g{i:02d}" for i in range(60)], 3)
    label = np.repeat(rng.integers(0, 2, 60).astype(float), 3)
    one = [atoms("ligand", rng.normal(size=(rng.integers(4, 20), 3))) for _ in range(60)]
    data = index(tmp_path, [ligand for ligand in one for _ in range(3)], pose_label=label, group=group)
    from sklearn.metrics import roc_auc_score

    scores = run_baselines(data, np.arange(180), [half("ligand-only")])["ligand-only"]
    assert 0.25 < roc_auc_score(label, scores) < 0.75


def test_with_one_group_the_halves_say_nothing(tmp_path: Path) -> None:
    data = index(tmp_path, [LIGAND, LIGAND], pose_label=np.array([1.0, 0.0]), group=np.array(["a", "a"]))
    assert np.isnan(run_baselines(data, np.arange(2), [half("ligand-only")])["ligand-only"]).all()


def test_the_halves_learn_from_a_training_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from affinity_zoo.zoo.data.store import dataset

    data = planted(tmp_path, deep=True)
    half_learner.learnt.cache_clear()
    monkeypatch.setattr(dataset.Dataset, "open", lambda path: data)
    learnt = half("receptor-only", training=str(tmp_path))
    scores = run_baselines(data, np.arange(96), [learnt])["receptor-only"]
    assert auc_within(data, scores) > 0.9
    first = next(iter(half_pairs(data)))
    assert learnt.measure(first.receptor, first.ligand, first.columns) == pytest.approx(scores[0])
    half_learner.learnt.cache_clear()


def half_pairs(data: Dataset) -> Any:
    from affinity_zoo.zoo.baselines.pairs import IndexedMeasuredPairs

    pairs = IndexedMeasuredPairs(data, np.arange(4))
    assert len(pairs[1:3]) == 2 and pairs[1:3][0].columns["id"] == "m1"
    return pairs


def test_affinities_that_are_bounds_are_not_judged(tmp_path: Path) -> None:
    from scipy.stats import pearsonr

    from affinity_zoo.zoo.judging.judge import judge

    rng = np.random.default_rng(1)
    affinity, relation = rng.normal(7, 1, 40), np.array(["=", ">"] + ["="] * 37 + ["<"])
    data = index(tmp_path, [LIGAND] * 40, affinity=affinity, affinity_relation=relation)
    score = affinity + rng.normal(0, 1, 40)
    table = from_dataset(data, np.arange(40), score)
    exact = relation == "="
    found = judge(table, replicates=20)["pearson"]
    assert found.rows == 38 and found.value == pytest.approx(pearsonr(score[exact], affinity[exact])[0])
    assert found.details["bounds_left_out"] == 2 and "2 affinities are bounds" in found.note
