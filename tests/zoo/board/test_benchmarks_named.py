"""Named benchmarks: the same name means the same rows; an edited file or index is found."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.board import benchmarks
from affinity_zoo.zoo.board.benchmarks import add, check, describe, find, load_all
from affinity_zoo.zoo.board.leaderboard import build_boards
from affinity_zoo.zoo.board.results import write_result
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.judging.predictions import from_dataset


def index(path: Path, content: str = "c0de" * 16, **changes: Any) -> Dataset:
    """What the registry uses of an index: columns, splits, hash."""
    n = 40
    columns: dict[str, Any] = {
        name: np.full(n, np.nan) for name in ("active", "affinity", "rmsd", "docking_score", "pose_label")
    }
    columns["pose_label"] = np.tile([1.0, 0, 0, 0], 10)
    columns |= {name: np.full(n, "") for name in ("molecule", "source", "affinity_relation")}
    columns |= {
        "target": np.repeat([f"t{i}" for i in range(10)], 4),
        "id": np.array([f"p{i}" for i in range(n)]),
    }
    columns["group"] = columns["target"]
    columns["source"] = np.tile(["crystal", "docked", "docked", ""], 10)
    columns |= changes
    rows = {"all": np.arange(n), "test": np.arange(8)}
    return cast(
        Dataset,
        SimpleNamespace(
            path=path,
            column=columns.__getitem__,
            columns=list(columns),
            rows=rows.__getitem__,
            content_hash=content,
        ),
    )


def test_a_benchmark_says_what_it_is(tmp_path: Path) -> None:
    data = index(tmp_path / "data")
    add(tmp_path, describe("poses", data, about="ten complexes"))
    found = find(tmp_path, "poses")
    assert (found.rows, found.targets, found.counts) == (40, 10, {"pose_label": {"P": 10.0, "N": 30.0}})
    assert load_all(tmp_path) == [found]
    part = describe("part", data, "test", ("crystal", "docked"))
    assert part.rows == 6
    assert part.labels_hash != found.labels_hash


def test_a_name_is_not_given_twice(tmp_path: Path) -> None:
    add(tmp_path, describe("poses", index(tmp_path)))
    add(tmp_path, describe("poses", index(tmp_path)))
    other = describe("poses", index(tmp_path, content="f00d" * 16))
    with pytest.raises(AffinityZooError, match="already contains a benchmark 'poses'"):
        add(tmp_path, other)
    add(tmp_path, other, swap=True)
    assert find(tmp_path, "poses").hash == "f00d" * 16


def test_an_edited_benchmark_is_refused(tmp_path: Path) -> None:
    path = add(tmp_path, describe("poses", index(tmp_path)))
    data = json.loads(path.read_text())
    data["rows"] = 41
    path.write_text(json.dumps(data))
    with pytest.raises(AffinityZooError, match="its checksum differs"):
        find(tmp_path, "poses")


@pytest.mark.parametrize(
    ("change", "words"),
    [({"pose_label": np.ones(40)}, "ids or labels"), ({"content": "f00d" * 16}, "table or the structures")],
)
def test_a_changed_index_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], words: str
) -> None:
    found = describe("poses", index(tmp_path))
    monkeypatch.setattr(benchmarks.Dataset, "open", lambda path: index(Path(path)))
    assert check(found) == ""
    monkeypatch.setattr(benchmarks.Dataset, "open", lambda path: index(Path(path), **change))
    assert words in check(found)


def test_bad_names_empty_choices_and_unlabelled_sets_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="lower-case"):
        describe("My Set", index(tmp_path))
    with pytest.raises(AffinityZooError, match="no rows in the split 'all' from near_native"):
        describe("x", index(tmp_path), sources=("near_native",))
    with pytest.raises(AffinityZooError, match=r"source 'dokced' \(did you mean 'docked'.*crystal, docked"):
        describe("x", index(tmp_path), sources=("crystal", "dokced"))
    with pytest.raises(AffinityZooError, match="has no labels"):
        describe("x", index(tmp_path, pose_label=np.full(40, np.nan)))
    with pytest.raises(AffinityZooError, match="there are: none yet"):
        find(tmp_path, "poses")


def test_results_on_a_named_set_stand_on_one_board(tmp_path: Path) -> None:
    data = index(tmp_path / "data")
    rng = np.random.default_rng(0)
    for name, called in (("one", "data-all"), ("two", "poses")):
        rows = from_dataset(data, data.rows("all"), rng.normal(size=40))
        entry = {"name": called, "hash": data.content_hash}
        write_result(tmp_path / name, model={"name": name}, predictions=rows, benchmark=entry, replicates=0)
    assert len(build_boards([tmp_path])) == 2
    add(tmp_path, describe("poses", data))
    [board] = build_boards([tmp_path])
    assert board.benchmark == "poses"
    assert {row.name for row in board.rows} == {"one", "two"}
