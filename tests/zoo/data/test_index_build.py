"""From folders to an index: rows, failures, splits, the same bytes whatever the workers or kills."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import affinity_zoo
from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.data.index import build
from affinity_zoo.zoo.data.index.run import build_index
from affinity_zoo.zoo.data.splits.groups import split_groups
from affinity_zoo.zoo.data.store.dataset import COLUMNS, Dataset
from affinity_zoo.zoo.runtime.files import file_hash


def _bytes(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): file_hash(p) for p in sorted(folder.rglob("*")) if p.is_file()}


def _failures(folder: Path) -> list[dict[str, str]]:
    with open(folder / "failures.csv", newline="") as handle:
        return list(csv.DictReader(handle))


def test_the_ancestors_folders(ancestor_folder: Callable[..., Path], tmp_path: Path) -> None:
    summary = affinity_zoo.index(ancestor_folder(complexes=6, decoys=3), tmp_path / "data", workers=0)
    assert (summary.rows, summary.failed, summary.receptors, summary.exit_code) == (24, 0, 6, 0)
    data = Dataset.open(tmp_path / "data")
    assert tuple(data.columns) == COLUMNS and len(data) == 24
    assert len(set(data.column("id"))) == 24
    label, source = data.column("pose_label"), data.column("source")
    assert (label[source == "crystal"] == 1).all() and (label[source == "docked"] == 0).all()
    assert np.isnan(data.column("affinity")).all()
    for i in range(24):
        receptor, ligand = (
            data.store.atoms(int(n[i])) for n in (data.receptor_structure, data.ligand_structure)
        )
        assert (receptor.role, ligand.role, len(receptor), len(ligand)) == ("receptor", "ligand", 23, 7)
        assert abs(float(receptor.xyz[:, 1].min()) - (-2.6 + 0.1 * int(data.column("target")[i][1:]))) < 1e-3
    assert len(set(data.receptor_structure.tolist())) == 6


def test_a_split_never_cuts_a_group(ancestor_folder: Callable[..., Path], tmp_path: Path) -> None:
    build_index(ancestor_folder(complexes=8), tmp_path / "data", workers=0, progress=False)
    data = Dataset.open(tmp_path / "data")
    rows = {name: data.rows(name) for name in ("train", "validation", "test")}
    assert sorted(np.concatenate(list(rows.values())).tolist()) == list(range(len(data)))
    groups = [set(data.column("group")[r]) for r in rows.values()]
    assert all(groups) and not (groups[0] & groups[1] or groups[0] & groups[2] or groups[1] & groups[2])
    with pytest.raises(UsageError, match="unknown split"):
        data.rows("tests")


def test_splits_follow_names_and_seed_not_order() -> None:
    groups = [f"g{i % 17}" for i in range(200)]
    places = dict(zip(groups, split_groups(groups, seed=3), strict=True))
    shuffled = sorted(groups, reverse=True)
    assert dict(zip(shuffled, split_groups(shuffled, seed=3), strict=True)) == places
    assert split_groups(groups, seed=4) != split_groups(groups, seed=3)
    share = [split_groups(groups, seed=3).count(n) / 200 for n in ("train", "validation", "test")]
    assert share == pytest.approx([0.8, 0.1, 0.1], abs=0.06)


def test_bytes_do_not_depend_on_the_workers(ancestor_folder: Callable[..., Path], tmp_path: Path) -> None:
    source = ancestor_folder(complexes=5, decoys=4)
    for workers in (0, 1, 2):
        build_index(source, tmp_path / f"d{workers}", workers=workers, progress=False)
    assert _bytes(tmp_path / "d0") == _bytes(tmp_path / "d1") == _bytes(tmp_path / "d2")
    hashes = {Dataset.open(tmp_path / f"d{w}").content_hash for w in (0, 1, 2)}
    assert len(hashes) == 1


def test_every_bad_input_is_a_failure_with_its_reason(
    ancestor_folder: Callable[..., Path], tmp_path: Path
) -> None:
    source = ancestor_folder(complexes=4, decoys=2)
    (source / "docked_ligands/c0/empty.pdb").write_text("")
    (source / "docked_ligands/c0/noise.pdb").write_bytes(os.urandom(500))
    (source / "docked_ligands/c0/what.xyz").write_text("1\n")
    (source / "docked_ligands/c9").mkdir()
    (source / "docked_ligands/c9/lost.pdb").write_text(
        (source / "docked_ligands/c1/c1_decoy_0.pdb").read_text()
    )
    (source / "receptors/c3.pdb").write_text("ATOM  nonsense\n")
    summary = build_index(source, tmp_path / "data", workers=0, progress=False)
    assert (summary.rows, summary.failed, summary.exit_code) == (9, 4 + 3, 3)
    reasons = {f["file"]: f["reason"] for f in _failures(tmp_path / "data")}
    assert "empty" in reasons["docked_ligands/c0/empty.pdb"]
    assert "ATOM" in reasons["docked_ligands/c0/noise.pdb"]
    assert "unknown format" in reasons["docked_ligands/c0/what.xyz"]
    assert "receptor" in reasons["docked_ligands/c9/lost.pdb"]
    assert "receptors/c3.pdb" in reasons["crystal_ligands/c3/c3_crystal.pdb"]


def test_nothing_usable_is_an_error_and_leaves_no_index(tmp_path: Path) -> None:
    for folder in ("receptors", "ligands/a"):
        (tmp_path / "s" / folder).mkdir(parents=True)
    (tmp_path / "s/receptors/a.pdb").write_text("")
    (tmp_path / "s/ligands/a/x.pdb").write_text("")
    with pytest.raises(AffinityZooError, match=r"nothing in .*failures.csv"):
        build_index(tmp_path / "s", tmp_path / "d", workers=0, progress=False)
    assert len(_failures(tmp_path / "d")) == 1
    with pytest.raises(AffinityZooError, match="not an index"):
        Dataset.open(tmp_path / "d")


@pytest.mark.parametrize("what", ["missing", "empty", "nothing known"])
def test_a_source_without_a_layout(tmp_path: Path, what: str) -> None:
    source = tmp_path / "s"
    if what != "missing":
        source.mkdir()
    if what == "nothing known":
        (source / "notes.txt").write_text("hello")
    with pytest.raises(AffinityZooError, match=r"does not exist|is empty|none of the known layouts"):
        build_index(source, tmp_path / "d")
    assert not (tmp_path / "d").exists()


def test_what_is_there_is_not_overwritten(ancestor_folder: Callable[..., Path], tmp_path: Path) -> None:
    source = ancestor_folder(complexes=3, decoys=1)
    out = tmp_path / "data"
    build_index(source, out, workers=0, progress=False)
    before = _bytes(out)
    with pytest.raises(AffinityZooError, match="overwrite=True"):
        build_index(source, out, workers=0, progress=False)
    assert _bytes(out) == before
    build_index(source, out, workers=0, progress=False, overwrite=True)
    assert _bytes(out) == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("x")
    with pytest.raises(AffinityZooError, match="not empty"):
        build_index(source, tmp_path / "mine", workers=0)


def test_edited_tables_are_checked(ancestor_folder: Callable[..., Path], tmp_path: Path) -> None:
    build_index(ancestor_folder(complexes=3), tmp_path / "d", workers=0, progress=False)
    path = tmp_path / "d/database_index.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:-1]))
    with pytest.raises(AffinityZooError, match="index again"):
        Dataset.open(tmp_path / "d").column("id")


def test_the_ancestors_arrays(ancestor_folder: Callable[..., Path], tmp_path: Path) -> None:
    build_index(ancestor_folder(complexes=3, decoys=1), tmp_path / "d", workers=0, npy=True, progress=False)
    ligand = np.load(tmp_path / "d/npy/crystal_ligands/c0/c0_crystal.npy", allow_pickle=False)
    receptor = np.load(tmp_path / "d/npy/receptors/c0.npy", allow_pickle=False)
    assert ligand.shape == (7, 4) and ligand.dtype == np.float32
    assert ligand[:, 3].tolist() == [6, 6, 6, 6, 6, 6, 8]
    assert set(receptor[:, 3].tolist()) == {26, 27, 28}


def test_extra_values_come_from_a_table_beside_the_folders(
    ancestor_folder: Callable[..., Path], tmp_path: Path
) -> None:
    source = ancestor_folder(complexes=3, decoys=1)
    name = "docked_ligands/c1/c1_decoy_0.pdb"
    (source / "manifest.csv").write_text(f"file,rmsd_to_crystal_A,vina_score_kcal\n{name},7.25,-5.5\n")
    build_index(source, tmp_path / "d", workers=0, progress=False)
    data = Dataset.open(tmp_path / "d")
    row = data.column("ligand").tolist().index(name)
    assert (data.column("rmsd")[row], data.column("docking_score")[row]) == (7.25, -5.5)
    assert np.isnan(data.column("rmsd")).sum() == len(data) - 1


_RUN = """
import sys
from affinity_zoo.zoo.data.index import build
build.ROWS_PER_SHARD, build.RECEPTORS_PER_SHARD = 8, 4
from affinity_zoo.zoo.data.index.run import build_index
print("ready", flush=True)
build_index(sys.argv[1], sys.argv[2], workers=0, progress=False)
"""


def test_kills_at_any_moment_end_with_the_same_bytes(
    ancestor_folder: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = ancestor_folder(complexes=30, decoys=6)
    monkeypatch.setattr(build, "ROWS_PER_SHARD", 8)
    monkeypatch.setattr(build, "RECEPTORS_PER_SHARD", 4)
    start = time.monotonic()
    build_index(source, tmp_path / "calm", workers=0, progress=False)
    whole = time.monotonic() - start
    random = np.random.default_rng(0)
    for _ in range(4):
        command = [sys.executable, "-c", _RUN, str(source), str(tmp_path / "killed")]
        run = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert run.stdout is not None and run.stdout.readline() == "ready\n"
        time.sleep(float(random.uniform(0.1, 0.9)) * whole)
        run.send_signal(signal.SIGKILL)
        run.wait()
        run.stdout.close()
        if (tmp_path / "killed/manifest.json").exists():
            break
        with pytest.raises(AffinityZooError, match="unfinished|not an index|does not exist"):
            Dataset.open(tmp_path / "killed")
    build_index(source, tmp_path / "killed", workers=0, progress=False, overwrite=True)
    assert _bytes(tmp_path / "killed") == _bytes(tmp_path / "calm")
