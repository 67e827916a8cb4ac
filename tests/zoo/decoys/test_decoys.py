"""Decoys for an index: rules, resuming, refusals; docking where its programs are installed."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from typer.testing import CliRunner

from affinity_zoo.cli import app
from affinity_zoo.plugins.contracts import AtomFlag, Atoms
from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.data.index.run import build_index
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.decoys import displace as decoys
from affinity_zoo.zoo.decoys import dock as decoys_dock
from affinity_zoo.zoo.decoys import run as decoys_run
from affinity_zoo.zoo.decoys import work as decoys_work
from affinity_zoo.zoo.decoys.copies import without_copies
from affinity_zoo.zoo.decoys.cross import choose_guests
from affinity_zoo.zoo.decoys.displace import DisplaceOptions
from affinity_zoo.zoo.decoys.displace_method import Displace
from affinity_zoo.zoo.decoys.dock_method import Dock
from affinity_zoo.zoo.decoys.sample import SampleOptions
from affinity_zoo.zoo.decoys.sample_method import Sample
from affinity_zoo.zoo.decoys.tasks import complex_names, crystal_rows, make_tasks
from affinity_zoo.zoo.demo.complexes import make_demo_set

FAST = Displace(DisplaceOptions(tries=8, steps=200))


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Crystal poses of one structure: three ATP-gamma-S and three ADP."""
    root = tmp_path_factory.mktemp("decoys")
    make_demo_set(root / "set", decoys_per_ligand=1, tries=20, structures=("7pbl",))
    shutil.rmtree(root / "set" / "docked_ligands")
    build_index(root / "set", root / "index", workers=0, progress=False)
    return root / "index"


@pytest.fixture(scope="module")
def made(index: Path) -> tuple[Path, decoys_run.DecoySummary]:
    out = index.parent / "made"
    return out, decoys_run.make_decoys(index, out, method=FAST, per_ligand=3, workers=0)


def positions(path: Path) -> np.ndarray:
    lines = [line for line in path.read_text().splitlines() if line.startswith(("ATOM", "HETATM"))]
    return np.array([[float(line[k : k + 8]) for k in (30, 38, 46)] for line in lines])


def manifest(folder: Path) -> list[dict[str, str]]:
    with open(folder / "manifest.csv", newline="") as handle:
        return list(csv.DictReader(handle))


def test_displaced_decoys_of_an_index(
    made: tuple[Path, decoys_run.DecoySummary], index: Path, tmp_path: Path
) -> None:
    out, summary = made
    rows = manifest(out)
    assert summary.complexes == 6
    assert summary.decoys == sum(r["kind"] == "displaced" for r in rows)
    assert summary.exit_code == 0
    for row in rows:
        home = positions(out / f"crystal_ligands/{row['complex']}/{row['complex']}_crystal.pdb")
        pose = positions(out / row["file"])
        assert cdist(pose, positions(out / f"receptors/{row['complex']}.pdb")).min() > 1.9
        if row["kind"] == "displaced":
            assert float(row["rmsd"]) > 4.0
            assert np.sqrt(((pose - home) ** 2).sum(1).mean()) >= float(row["rmsd"]) - 1e-3
    again = build_index(out, tmp_path / "index", workers=0, progress=False)
    assert again.rows == len(rows)
    assert again.failed == 0
    data = Dataset.open(tmp_path / "index")
    assert (data.column("pose_label") == 1).sum() == 6


def test_a_stopped_run_continues_with_the_same_bytes(
    made: tuple[Path, decoys_run.DecoySummary], index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, _ = made
    calls = 0

    def stops(task: decoys_work.Task) -> dict:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return decoys_work.make_complex(task)

    monkeypatch.setattr(decoys_run, "make_complex", stops)
    with pytest.raises(KeyboardInterrupt):
        decoys_run.make_decoys(index, tmp_path / "out", method=FAST, per_ligand=3, workers=0)
    again = decoys_run.make_decoys(index, tmp_path / "out", method=FAST, per_ligand=3, workers=0)
    assert again.resumed == 2
    assert calls == 3 + 4
    for row in manifest(out):
        assert (tmp_path / "out" / row["file"]).read_bytes() == (out / row["file"]).read_bytes()
    assert (tmp_path / "out" / "manifest.csv").read_bytes() == (out / "manifest.csv").read_bytes()
    with pytest.raises(UsageError, match="other parameters"):
        decoys_run.make_decoys(index, tmp_path / "out", method="displace", per_ligand=4, workers=0)


def test_one_bad_complex_does_not_stop_the_others(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(task: decoys_work.Task) -> dict:
        if task.id.startswith("7pbl_ADP"):
            raise ValueError("no")
        return decoys_work.make_complex(task)

    monkeypatch.setattr(decoys_run, "make_complex", fails)
    found = decoys_run.make_decoys(index, tmp_path / "out", method=FAST, per_ligand=3, workers=0)
    assert found.complexes == 3
    assert len(found.failed) == 3
    assert found.exit_code == 3


def test_overlap_filter_knows_the_other_copies(index: Path) -> None:
    data = Dataset.open(index)
    names = complex_names(data, crystal_rows(data))
    made = make_tasks(data, names, {}, folder=index, method=FAST, count=3, min_rmsd=4.0, seed=0)
    tasks = {task.id: task for task in made}
    assert sorted(tasks) == sorted(
        [
            "7pbl_AGS_A_401",
            "7pbl_AGS_B_401",
            "7pbl_AGS_C_401",
            "7pbl_ADP_D_600",
            "7pbl_ADP_E_600",
            "7pbl_ADP_F_600",
        ]
    )
    for name, task in tasks.items():
        assert len(task.others) >= 2, name  # the two copies of the same ligand at least
        sizes = {len(o) for o in task.others}
        assert len(task.ligand) in sizes


def test_copies_of_the_ligand_in_the_receptor_are_taken_out(index: Path) -> None:
    data = Dataset.open(index)
    rows = crystal_rows(data)
    ligands = {str(data.column("target")[r]): data.store.atoms(int(data.ligand_structure[r])) for r in rows}
    receptor = data.store.atoms(int(data.receptor_structure[rows[0]]))
    own, copy = ligands["7pbl_ADP_D_600"], ligands["7pbl_ADP_E_600"]
    both = join(receptor, own, copy)
    clean, others = without_copies(both, own, [])
    assert np.array_equal(clean.xyz, receptor.xyz)
    assert len(others) == 1
    assert np.array_equal(others[0], copy.xyz)


def join(receptor: Atoms, *ligands: Atoms) -> Atoms:
    parts = [receptor] + [replace(x, flags=x.flags | np.uint16(AtomFlag.COFACTOR)) for x in ligands]
    fields = {k: np.concatenate([getattr(p, k) for p in parts]) for k in vars(receptor) if k != "role"}
    return Atoms(role="receptor", **fields)


def test_lies_on_counts_atoms() -> None:
    other = np.zeros((1, 3))
    pose = np.array([[1.0, 0, 0], [3.9, 0, 0], [4.1, 0, 0], [9.0, 0, 0]])
    assert decoys.lies_on(pose, other)  # 50 % within 4 Å
    assert not decoys.lies_on(pose[1:] + [0.2, 0, 0], other)  # none
    ten = np.concatenate([np.zeros((3, 3)), np.full((7, 3), 50.0)])
    assert not decoys.lies_on(ten, other)  # exactly 30 % is not more than 30 %


def test_refusals(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="dock, displace"):
        decoys_run.make_decoys(index, tmp_path / "a", method="shake")
    with pytest.raises(UsageError, match="per_ligand"):
        decoys_run.make_decoys(index, tmp_path / "a", method="displace", per_ligand=0)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "x").write_text("x")
    with pytest.raises(UsageError, match="not empty"):
        decoys_run.make_decoys(index, tmp_path / "mine", method="displace")
    with pytest.raises(AffinityZooError, match="is not an index"):
        decoys_run.make_decoys(tmp_path / "mine", tmp_path / "a", method="displace")
    column = Dataset.column
    monkeypatch.setattr(
        Dataset,
        "column",
        lambda self, n: np.full(len(self), "1abc_pocket.pdb") if n == "receptor" else column(self, n),
    )
    with pytest.raises(AffinityZooError, match="cut pockets"):
        decoys_run.make_decoys(index, tmp_path / "b", method="displace")


def test_missing_docking_programs_are_named(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> str:
        raise decoys_dock.PackageNotFoundError(name)

    monkeypatch.setattr(decoys_dock, "version", absent)
    with pytest.raises(
        AffinityZooError, match=r"vina and openbabel-wheel: pip install 'affinity-zoo\[docking\]'"
    ):
        decoys_run.make_decoys(index, tmp_path / "out", method="dock")
    assert not (tmp_path / "out").exists()


def test_command(index: Path, tmp_path: Path) -> None:
    arguments = [
        "decoys",
        str(index),
        "-o",
        str(tmp_path / "out"),
        "--method",
        "displace",
        "--per-ligand",
        "1",
    ]
    done = CliRunner().invoke(app, [*arguments, "--min-rmsd", "6", "--workers", "0", "--json"])
    assert done.exit_code == 0, done.output
    summary = json.loads(done.stdout)
    assert summary["parameters"]["min_rmsd"] == 6.0
    assert summary["decoys"] == 6
    assert all(float(r["rmsd"]) > 6.0 for r in manifest(tmp_path / "out") if r["kind"] == "displaced")


@pytest.mark.slow
def test_docking(index: Path, tmp_path: Path) -> None:
    pytest.importorskip("vina")
    pytest.importorskip("openbabel")
    options = decoys_dock.DockOptions(exhaustiveness=1, modes=9, passes=1)
    data = Dataset.open(index)
    row = int(np.flatnonzero(data.column("target") == "7pbl_ADP_D_600")[0])
    ligand = data.store.atoms(int(data.ligand_structure[row]))
    receptor = data.store.atoms(int(data.receptor_structure[row]))
    task = decoys_work.DecoyTask(
        "7pbl_ADP_D_600", tmp_path, receptor, ligand, [], Dock(options), 3, 4.0, 0, {}
    )
    first = decoys_work.make_complex(task)
    assert first["rows"][0]["kind"] == "crystal"
    assert first["rows"][0]["docking_score"] < 0
    relaxed = [r for r in first["rows"] if r["kind"] == "crystal_relaxed"]
    assert relaxed and relaxed[0]["docking_score"] <= first["rows"][0]["docking_score"]
    for r in first["rows"]:
        if r["kind"] == "docked":
            assert r["rmsd"] > 4.0
            pose = positions(tmp_path / r["file"])
            bonds = [cdist(p, p) for p in (pose, positions(tmp_path / first["rows"][0]["file"]))]
            # the same atoms in the same order: bonds keep their length
            near = (bonds[1] < 1.7) & (bonds[1] > 0)
            assert np.allclose(bonds[0][near], bonds[1][near], atol=0.02)
    second = decoys_work.make_complex(replace(task, folder=tmp_path / "again"))
    assert second == first


@pytest.mark.slow
def test_sampling(index: Path, tmp_path: Path) -> None:
    """Poses of every distance, each with its RMSD, in a table that `index` reads; the same poses each time."""
    pytest.importorskip("vina")
    pytest.importorskip("openbabel")
    options = SampleOptions(evaluations=(4_000, 20_000), moved=3)
    found = [
        decoys_run.make_decoys(
            index, tmp_path / name, method=Sample(options), workers=0, timeout=None, progress=False
        )
        for name in ("a", "b")
    ]
    assert found[0].complexes == 6
    assert (tmp_path / "a" / "index.csv").read_bytes() == (tmp_path / "b" / "index.csv").read_bytes()
    build_index(tmp_path / "a", tmp_path / "data", workers=0, progress=False)
    data = Dataset.open(tmp_path / "data")
    rmsd, label = data.column("rmsd"), data.column("pose_label")
    assert len(data) == sum(1 for _ in csv.DictReader((tmp_path / "a" / "index.csv").open()))
    assert set(data.column("source").tolist()) == {"crystal", "sampled"}
    assert np.array_equal(label == 1, rmsd < 2.0) and np.array_equal(label == 0, rmsd > 4.0)
    targets, structures = data.column("target"), data.ligand_structure
    crystal = {
        str(targets[row]): data.store.atoms(int(structures[row]))
        for row in np.flatnonzero(data.column("source") == "crystal")
    }
    for row in range(len(data)):
        atoms = data.store.atoms(int(structures[row]))
        home = crystal[str(targets[row])]
        plain = float(np.sqrt(((atoms.xyz - home.xyz) ** 2).sum(axis=1).mean()))
        # symmetry can only make it smaller
        assert rmsd[row] <= plain + 0.01
    again = decoys_run.make_decoys(
        index, tmp_path / "a", method=Sample(options), workers=0, timeout=None, progress=False
    )
    assert again.resumed == 6


def test_guests_are_other_molecules_of_the_same_target(index: Path) -> None:
    data = Dataset.open(index)
    names = {row: str(data.column("target")[row]) for row in range(len(data))}
    chosen = choose_guests(data, names, 5, seed=0)
    for row, guests in chosen.items():
        # the structure holds two different ligands, three copies each: one guest for every receptor
        assert len(guests) == 1
        assert ("ADP" in names[row]) != ("ADP" in names[guests[0]])
    # neither on the order of the rows nor on the call, but on the seed
    assert choose_guests(data, dict(reversed(names.items())), 5, seed=0) == chosen
    assert any(choose_guests(data, names, 5, seed=seed) != chosen for seed in range(1, 6))
    assert choose_guests(data, names, 0, seed=0) == {row: [] for row in names}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (["--method", "dock", "--cross", "2"], "the method dock has no option `cross`"),
        (["--method", "dock", "--keep", "all"], "the method dock has no option `keep`"),
        (["--method", "displace", "--modes", "9"], "the method displace has no option `modes`"),
        (["--method", "sample", "--passes", "2"], "the method sample has no option `passes`"),
        (["--method", "sample", "--keep", "labelled", "--cross", "2"], "have no label"),
    ],
)
def test_an_option_of_another_method_is_refused(
    index: Path, tmp_path: Path, given: list[str], why: str
) -> None:
    done = CliRunner().invoke(app, ["decoys", str(index), "-o", str(tmp_path / "out"), *given])
    assert isinstance(done.exception, UsageError)
    assert why in str(done.exception)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_cross_docking(index: Path, tmp_path: Path) -> None:
    """A ligand of another complex of the target is docked into each receptor: poses without RMSD and label."""
    pytest.importorskip("vina")
    pytest.importorskip("openbabel")
    options = SampleOptions(evaluations=(4_000,), moved=1, cross=3)
    for name in ("a", "b"):
        made = decoys_run.make_decoys(
            index, tmp_path / name, method=Sample(options), workers=0, timeout=None, progress=False
        )
        assert made.complexes == 12 and not made.failed
    assert (tmp_path / "a" / "index.csv").read_bytes() == (tmp_path / "b" / "index.csv").read_bytes()
    build_index(tmp_path / "a", tmp_path / "data", workers=0, progress=False)
    data = Dataset.open(tmp_path / "data")
    ids = data.column("id").astype(str)
    cross = np.char.find(ids, "__") >= 0
    assert cross.sum() >= 6
    assert np.isnan(data.column("rmsd")[cross]).all() and np.isnan(data.column("pose_label")[cross]).all()
    assert np.isfinite(data.column("rmsd")[~cross]).all()
    of_receptor = data.receptor_structure
    for row in np.flatnonzero(cross):
        host, guest = ids[row].rsplit("_", 1)[0].split("__")
        assert ("ADP" in host) != ("ADP" in guest)
        own = int(np.flatnonzero(ids == f"{host}_000")[0])
        assert of_receptor[row] == of_receptor[own]
        pose = data.store.atoms(int(data.ligand_structure[row])).xyz
        home = data.store.atoms(int(data.ligand_structure[own])).xyz
        assert np.linalg.norm(pose.mean(axis=0) - home.mean(axis=0)) < 15.0
        crystal = int(np.flatnonzero(ids == f"{guest}_000")[0])
        other = data.store.atoms(int(data.ligand_structure[crystal])).xyz
        bonds = [cdist(p, p) for p in (pose, other)]
        near = (bonds[1] < 1.7) & (bonds[1] > 0)
        assert np.allclose(bonds[0][near], bonds[1][near], atol=0.05)
    again = decoys_run.make_decoys(
        index, tmp_path / "a", method=Sample(options), workers=0, timeout=None, progress=False
    )
    assert again.resumed == 12
