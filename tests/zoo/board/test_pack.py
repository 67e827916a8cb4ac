"""Results and benchmarks that travel: packed here, added there, believed as far as they can be computed."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.board import benchmarks
from affinity_zoo.zoo.board.benchmark_pack import add_benchmark, pack_benchmark
from affinity_zoo.zoo.board.leaderboard import build_boards
from affinity_zoo.zoo.board.pack import add_results, pack_results
from affinity_zoo.zoo.board.results import write_result
from affinity_zoo.zoo.board.rows import BoardRow
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.judging.predictions import from_dataset
from affinity_zoo.zoo.models.run_folder import RunFolder

Made = SimpleNamespace


@pytest.fixture
def made(tmp_path: Path, at_hand: Callable[[Dataset], Dataset], made_index: Callable[..., Dataset]) -> Made:
    """Two machines: here with a benchmark and two runs, there with nothing yet."""
    dataset = at_hand(made_index(tmp_path / "data"))
    here, there = tmp_path / "here", tmp_path / "there"
    benchmark = benchmarks.describe("poses", dataset)
    benchmarks.add(here, benchmark)
    rows = dataset.rows("all")

    def run(skill: float, seed: int, **changes: Any) -> RunFolder:
        score = skill * dataset.column("pose_label") + np.random.default_rng(seed).normal(size=len(rows))
        folder = RunFolder.create(here)
        folder.model.mkdir()
        for name in ("recipe.toml", "card.json", "model.keras"):
            (folder.model / name).write_text(f"{name} of {folder.x}")
        predictions = replace(from_dataset(dataset, rows, score), **changes)
        write_result(folder.logs / "results/poses", model={"name": f"run {folder.x}", "weights": str(seed)},
                     predictions=predictions, benchmark=benchmark.as_result_entry())  # fmt: skip
        return folder

    run(1.0, 1)
    run(2.0, 2)
    return Made(
        here=here, there=there, run=run, dataset=dataset, benchmark=benchmark, zip=tmp_path / "my results.zip"
    )


def figures(row: BoardRow) -> dict[str, tuple[float, float, float, int]]:
    """Everything of a row's metrics but how long they took."""
    return {key: (m.value, m.low, m.high, m.missing) for key, m in row.metrics.items()}


def test_results_travel_and_say_where_they_come_from(made: Made) -> None:
    packed = pack_results([1, 2], made.zip, root=made.here)
    assert len(packed) == 2
    names = zipfile.ZipFile(made.zip).namelist()
    assert sum(name.endswith("card.json") for name in names) == 2 and not any(
        "keras" in name for name in names
    )
    added = add_results(made.zip, root=made.there)
    assert not added.refused and not added.unchecked  # the index of the benchmark is on this machine too
    (board,) = build_boards([made.there], recompute=True)
    (here,) = build_boards([made.here], recompute=True)
    assert [row.name for row in board.rows] == ["run 2", "run 1"] and board.verified
    assert list(map(figures, board.rows)) == list(map(figures, here.rows))
    assert all("added from my results.zip" in row.notes for row in board.rows)
    assert not any("added" in note for row in here.rows for note in row.notes)


def test_weights_travel_only_when_asked(made: Made) -> None:
    pack_results([1], made.zip, root=made.here, weights=True)
    assert any(name.endswith("model.keras") for name in zipfile.ZipFile(made.zip).namelist())
    with pytest.raises(UsageError, match="are not available"):
        pack_results([made.here / "1_logs/results"], made.zip, root=made.here, weights=True)


def test_what_is_not_so_is_refused_on_the_other_machine(made: Made) -> None:
    label = np.roll(made.dataset.column("pose_label"), 1)
    made.run(1.0, 3, pose_label=label)
    pack_results([1, 3], made.zip, root=made.here)
    added = add_results(made.zip, root=made.there)
    assert [result.model["name"] for result in added.results] == ["run 1"]
    assert len(added.refused) == 1 and "computed from its scores" in added.refused[0]
    assert len(list(made.there.rglob("result.json"))) == 1
    pack_results([3], made.zip, root=made.here)
    with pytest.raises(AffinityZooError, match="no result that passes the verification"):
        add_results(made.zip, root=made.there)
    assert len(list((made.there / "added").iterdir())) == 1


def test_a_folder_can_be_added(made: Made) -> None:
    added = add_results(made.here, root=made.there)
    assert len(added.results) == 2
    (board,) = build_boards([made.there])
    assert "added from here" in board.rows[0].notes


def _repacked(path: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def _edit(parts: dict[str, bytes]) -> None:
    name = next(name for name in parts if name.endswith("predictions.csv"))
    parts[name] = parts[name].replace(b"p1,", b"p1,9", 1)


def _smuggle(parts: dict[str, bytes]) -> None:
    import hashlib

    manifest = json.loads(parts["manifest.json"])
    for name in ("benchmarks/poses.json", "benchmarks/poses.pairs.csv"):
        parts[name] = b"x"
        manifest["files"][name] = hashlib.sha256(b"x").hexdigest()
    parts["manifest.json"] = json.dumps(manifest).encode()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_edit, "differs from the manifest"),
        (_smuggle, "does not belong in such an archive"),
        (lambda parts: parts.update({"extra.txt": b"x"}), "its manifest and its files differ"),
        (lambda parts: parts.update({"../out.txt": b"x"}), "leads out of the archive"),
        (lambda parts: parts.pop("manifest.json"), "has no member 'manifest.json'"),
        (lambda parts: parts.update({"manifest.json": b"[]"}), "is not an archive of"),
        (lambda parts: parts.update({"manifest.json": b"{"}), "is not an archive of"),
    ],
)
def test_a_damaged_or_hostile_archive_is_refused(made: Made, change: Any, words: str) -> None:
    pack_results([1], made.zip, root=made.here)
    _repacked(made.zip, change)
    with pytest.raises(AffinityZooError, match=words):
        add_results(made.zip, root=made.there)
    assert not list(made.there.rglob("result.json"))


def test_a_benchmark_travels_without_its_structures(
    made: Made, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pack_benchmark("poses", tmp_path / "b.zip", root=made.here)
    pack_results([1, 2], made.zip, root=made.here)
    label = np.roll(made.dataset.column("pose_label"), 1)
    made.run(1.0, 3, pose_label=label)
    pack_results([3], tmp_path / "liar.zip", root=made.here)
    expected = figures(build_boards([made.here])[0].rows[0])

    def gone(path: object) -> Dataset:
        raise AffinityZooError(f"{path} does not exist")

    monkeypatch.setattr(Dataset, "open", gone)
    assert add_results(made.zip, root=made.there).unchecked  # nothing to check them by yet
    add_benchmark(tmp_path / "b.zip", root=made.there, name="theirs")
    (board,) = build_boards([made.there], recompute=True)
    assert (board.benchmark, board.verified) == ("theirs", True) and figures(board.rows[0]) == expected
    with pytest.raises(AffinityZooError, match="no result that passes the verification"):
        add_results(tmp_path / "liar.zip", root=made.there)


def test_ids_alone_need_the_index(
    made: Made, tmp_path: Path, at_hand: Callable[[Dataset], Dataset], made_index: Callable[..., Dataset]
) -> None:
    pack_benchmark("poses", tmp_path / "b.zip", root=made.here, ids_only=True)
    assert b"pose_label" not in zipfile.ZipFile(tmp_path / "b.zip").read("ids.txt")
    with pytest.raises(UsageError, match="contains ids only"):
        add_benchmark(tmp_path / "b.zip", root=made.there)
    found = add_benchmark(tmp_path / "b.zip", root=made.there, data=made.dataset.path)
    assert found == replace(made.benchmark) and benchmarks.find(made.there, "poses") == found
    at_hand(made_index(tmp_path / "other", "q"))
    with pytest.raises(AffinityZooError, match="its content differs"):
        add_benchmark(tmp_path / "b.zip", root=made.there, data=tmp_path / "other")


def test_edited_labels_of_a_benchmark_are_refused(made: Made, tmp_path: Path) -> None:
    import hashlib

    def edit(parts: dict[str, bytes]) -> None:
        parts["pairs.csv"] = parts["pairs.csv"].replace(b",1.0,", b",0.0,", 1)
        manifest = json.loads(parts["manifest.json"])
        manifest["files"]["pairs.csv"] = hashlib.sha256(parts["pairs.csv"]).hexdigest()
        parts["manifest.json"] = json.dumps(manifest).encode()

    pack_benchmark("poses", tmp_path / "b.zip", root=made.here)
    _repacked(tmp_path / "b.zip", edit)
    with pytest.raises(AffinityZooError, match="are not those of the benchmark"):
        add_benchmark(tmp_path / "b.zip", root=made.there)


def test_the_commands(made: Made, cli: Callable[..., Any], tmp_path: Path) -> None:
    done = cli("results", "pack", "1", "2", "-o", made.zip, "--runs", made.here)
    assert done.code == 0 and "2 results" in done.out, done.err
    done = cli("benchmarks", "pack", "poses", "-o", tmp_path / "b.zip", "--runs", made.here)
    assert done.code == 0 and "120 pairs" in done.out, done.err
    done = cli("benchmarks", "add", "poses", tmp_path / "b.zip", "--runs", made.there)
    assert done.code == 0 and "without structures" in done.out, done.err
    done = cli("results", "add", made.zip, "--runs", made.there)
    assert done.code == 0 and "added 2 results" in done.out, done.err
    done = cli("results", "add", tmp_path / "none.zip", "--runs", made.there)
    assert done.code == 1 and "does not exist" in done.err
