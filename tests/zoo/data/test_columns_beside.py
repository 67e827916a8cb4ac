"""The arrays beside the table: the same values, and never those of a table that was edited."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.data.index.run import split_dataset
from affinity_zoo.zoo.data.store.columns import FOLDER, ExtraColumns, write_columns
from affinity_zoo.zoo.data.store.dataset import INDEX_FILE, SPLIT_FILES, Dataset
from affinity_zoo.zoo.data.store.shards import FIELDS, Store, write_shard
from affinity_zoo.zoo.runtime.parallel import ordered_map

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)


@pytest.fixture
def data(small_data: Path, tmp_path: Path) -> Path:
    shutil.copytree(small_data, tmp_path / "data")
    return tmp_path / "data"


def test_columns_are_those_of_the_table(data: Path) -> None:
    fast, slow = Dataset.open(data), Dataset.open(data)
    assert fast.kept.fit
    slow.kept.fit = False
    for name in fast.columns:
        a, b = fast.column(name), slow.column(name)
        assert a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f"), name
        assert fast.kept.get(name, len(fast)) is not None
    for split in SPLIT_FILES:
        kept = fast.kept.split(split, SPLIT_FILES[split])
        assert kept is not None and np.array_equal(kept, slow.rows(split)) and len(kept)


def test_an_index_of_an_older_version_opens(data: Path) -> None:
    before = {name: Dataset.open(data).column(name) for name in ("id", "pose_label")}
    train = Dataset.open(data).rows("train")
    shutil.rmtree(data / FOLDER)
    after = Dataset.open(data)
    assert all(np.array_equal(after.column(name), column) for name, column in before.items())
    assert np.array_equal(after.rows("train"), train)


def test_an_edited_table_wins(data: Path) -> None:
    table = data / INDEX_FILE
    with table.open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert Dataset.open(data).column("pose_label")[0] == 1
    rows[0]["pose_label"] = "0"  # as long as before
    size = table.stat().st_size
    with table.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    assert table.stat().st_size == size
    assert Dataset.open(data).column("pose_label")[0] == 0


def test_an_edited_set_wins(data: Path) -> None:
    before = Dataset.open(data).rows("train")
    path = data / SPLIT_FILES["train"]
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:-1]) + "\n")
    assert len(Dataset.open(data).rows("train")) == len(before) - 1
    split_dataset(Dataset.open(data), seed=3)
    found = Dataset.open(data)
    assert np.array_equal(found.rows("train"), found.kept.split("train", path.name))


@pytest.mark.parametrize("damage", ["cut", "pickle", "other rows", "no list"])
def test_damaged_arrays_are_left_alone(data: Path, damage: str) -> None:
    expected = Dataset.open(data).column("rmsd").copy()
    entry = json.loads((data / FOLDER / "columns.json").read_text())["columns"]["rmsd"]["file"]
    file = data / FOLDER / entry
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:100])
    elif damage == "pickle":
        np.save(file, np.array([{}], object), allow_pickle=True)
    elif damage == "other rows":
        np.save(file, np.zeros(3))
    else:
        (data / FOLDER / "columns.json").write_text("[]")
    assert np.array_equal(Dataset.open(data).column("rmsd"), expected, equal_nan=True)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=st.lists(st.tuples(TEXT, st.integers(-5, 10**12), st.floats() | st.none()), max_size=8))
def test_any_table_comes_back(rows: list[tuple[str, int, float | None]], tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    with table.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(["name", "whole", "real"])
        writer.writerows([name, whole, "" if real is None else repr(real)] for name, whole, real in rows)
    write_columns(tmp_path, table, frozenset({"whole"}), frozenset({"real"}))
    columns = ExtraColumns(tmp_path, table.name)
    names, wholes, reals = (columns.get(name, len(rows)) for name in ("name", "whole", "real"))
    assert names is not None and wholes is not None and reals is not None
    assert names.tolist() == [r[0] for r in rows] and wholes.tolist() == [r[1] for r in rows]
    assert np.array_equal(reals, [np.nan if r[2] is None else r[2] for r in rows], equal_nan=True)


def test_a_column_that_is_no_number_is_said_by_its_reader(data: Path) -> None:
    table = data / INDEX_FILE
    lines = table.read_text().splitlines()
    place = lines[0].split(",").index("rmsd")
    cells = lines[1].split(",")
    cells[place] = "near"
    table.write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]) + "\n")
    write_columns(data, table, frozenset({"record"}), frozenset({"rmsd"}))
    assert Dataset.open(data).kept.fit
    with pytest.raises(AffinityZooError, match="column rmsd that is not a number"):
        Dataset.open(data).column("rmsd")


def structure(number: int) -> Atoms:
    rng = np.random.default_rng(number)
    n = int(rng.integers(1, 40))
    made = {
        name: rng.integers(0, 100, (n, 3) if name == "xyz" else n).astype(t) for name, t in FIELDS.items()
    }
    return Atoms(role="ligand", **made)


def shard(task: tuple[str, int]) -> str:
    folder, number = task
    name = f"ligands-{number:05d}.shard"
    write_shard(Path(folder) / name, [structure(number * 10 + i) for i in range(10)])
    return name


def test_many_shards_written_by_many_workers_at_once(tmp_path: Path) -> None:
    for name, workers in (("many", 4), ("one", 0)):
        (tmp_path / name).mkdir()
        tasks = [(str(tmp_path / name), number) for number in range(200)]
        done = [d.value for d in ordered_map(shard, tasks, workers=workers, chunk=1)]
        assert done == sorted(p.name for p in (tmp_path / name).iterdir())
    assert all(
        (tmp_path / "many" / name).read_bytes() == (tmp_path / "one" / name).read_bytes() for name in done
    )
    parts = [{"file": name, "structures": 10, "sha256": ""} for name in done]
    store = Store(tmp_path / "many", {"receptors": [], "ligands": parts})
    assert len(store) == 2000
    for number in (0, 999, 1999):
        assert np.array_equal(store.atoms(number).xyz, structure(number).xyz)
    assert store.sizes().tolist() == [len(structure(i)) for i in range(2000)]


def test_more_shards_than_a_process_may_open(tmp_path: Path) -> None:
    pytest.importorskip("resource")
    script = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
from pathlib import Path
from affinity_zoo.zoo.data.store.shards import Store
folder = Path(sys.argv[1])
parts = [{"file": p.name, "structures": 10, "sha256": ""} for p in sorted(folder.iterdir())]
store = Store(folder, {"receptors": [], "ligands": parts})
print(sum(len(store.atoms(i)) for i in range(0, 2000, 10)), len(store._open))
"""
    for number in range(200):
        shard((str(tmp_path), number))
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(sum(len(structure(i)) for i in range(0, 2000, 10))), "32"]
