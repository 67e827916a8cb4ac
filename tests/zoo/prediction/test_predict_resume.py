"""Work in chunks: a killed prediction that is resumed, and a cluster that loses a worker, end with the same bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.data.readers.sdf import split_records
from affinity_zoo.zoo.data.readers.sdf_records import record_offsets
from affinity_zoo.zoo.prediction.chunks import Cutter
from affinity_zoo.zoo.prediction.finished_chunks import FinishedChunks
from affinity_zoo.zoo.prediction.inputs import PoseSource
from affinity_zoo.zoo.prediction.scoring import Scored

LINES = st.sampled_from(
    ["$$$$\n", "$$$$\r\n", "$$$$", "$$$$ x\n", " $$$$\n", "a\n", "\n", "b\r\n", "a$$$$\n", "  "]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(LINES, max_size=12))
def test_offsets_are_those_of_the_reader(tmp_path_factory, lines: list[str]) -> None:  # type: ignore[no-untyped-def]
    """Each record by its bytes is the record that the reader splits off the whole file."""
    path = tmp_path_factory.mktemp("sdf") / "any.sdf"
    path.write_bytes("".join(lines).encode())
    offsets = record_offsets(path)
    data = path.read_bytes()
    pieces = [data[a:b] for a, b in pairwise(offsets)]
    alone = [next(split_records(piece), b"") for piece in pieces]
    assert alone == list(split_records(data))


def test_chunks_cover_each_record_once(tmp_path: Path, block: str, write_sdf) -> None:  # type: ignore[no-untyped-def]
    path = write_sdf(tmp_path / "poses.sdf", block, 23)
    small = [tmp_path / f"pose{i}.pdb" for i in range(7)]
    for file in small:
        file.write_text("HETATM\n")
    entries = [PoseSource("r.pdb", str(p), p.name) for p in (path, *small)]
    entries += [PoseSource("r.pdb", str(path), path.name, record=i) for i in (3, 20, 5)]
    chunks = list(Cutter(None, 10).chunks(entries))
    pieces = [piece for chunk in chunks for piece in chunk]
    ranges = [(p.first, p.last) for p in pieces if p.start >= 0 and not p.wanted]
    assert ranges == [(0, 10), (10, 20), (20, 23)]
    assert [p.shown for p in pieces if p.start < 0] == [file.name for file in small]
    assert [r for p in pieces for r, *_ in p.wanted] == [3, 20, 5]
    assert all(sum((p.last or 1) - p.first if not p.wanted else 3 for p in chunk) <= 10 for chunk in chunks)


def test_parts_of_another_prediction_are_not_used(tmp_path: Path) -> None:
    folder = tmp_path / "out.csv.parts"
    FinishedChunks(folder, "one", resume=False).save(0, Scored([{"a": 1}], []))
    assert FinishedChunks(folder, "one", resume=True).has(0)
    with pytest.raises(UsageError, match="other inputs, models or options"):
        FinishedChunks(folder, "two", resume=True)
    again = FinishedChunks(folder, "two", resume=False)
    assert not again.has(0) and again.discarded == 1
    assert FinishedChunks(folder, "two", resume=True).discarded == 0
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()
    with pytest.raises(UsageError, match="was not made by a prediction"):
        FinishedChunks(tmp_path / "mine", "one", resume=False)
    assert (tmp_path / "mine" / "thesis.txt").exists()


def _command(model: Path, receptor: Path, poses: Path, out: Path, *more: object) -> list[str]:
    arguments = (
        "predict", model, "-r", receptor, "-l", poses, "-o", out, "--sdf", out.with_suffix(".sdf"), "--views", 2,
        "--chunk", 16, *more,
    )  # fmt: skip
    return [sys.executable, "-m", "affinity_zoo.cli", *map(str, arguments)]


def _wait(what, seconds: float, process: subprocess.Popen) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + seconds
    while not what():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)


def test_killed_and_resumed_is_as_if_never_killed(
    make_model, receptor, block, write_sdf, tmp_path, cli
) -> None:  # type: ignore[no-untyped-def]
    model = make_model("pose")
    poses = write_sdf(tmp_path / "poses.sdf", block, 640, corrupt=6)
    killed, whole = tmp_path / "killed.csv", tmp_path / "whole.csv"
    process = subprocess.Popen(
        _command(model, receptor, poses, killed), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    parts = tmp_path / "killed.csv.parts"
    _wait(lambda: len(list(parts.glob("part-*.json"))) >= 3, 120, process)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    finished = len(list(parts.glob("part-*.json")))
    assert 3 <= finished < 40 and not killed.exists()
    first = (parts / "part-0000000.json").stat().st_mtime_ns
    other = cli(*_command(model, receptor, poses, killed, "--resume", "--seed", 1)[3:])
    assert other.code == 2 and "other inputs, models or options" in other.err
    assert (parts / "part-0000000.json").stat().st_mtime_ns == first
    for out, more in ((killed, ("--resume",)), (whole, ())):
        code, _, err = cli(*_command(model, receptor, poses, out, *more)[3:])
        assert code == 3, err
    assert killed.read_bytes() == whole.read_bytes()
    assert killed.with_suffix(".sdf").read_bytes() == whole.with_suffix(".sdf").read_bytes()
    assert not parts.exists() and not (tmp_path / "whole.csv.parts").exists()


@contextmanager
def _cluster(folder: Path) -> Iterator[tuple[str, list[subprocess.Popen]]]:
    """A Dask scheduler and three worker processes on the loopback interface."""
    file = folder / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0",
             "--no-dashboard", "--scheduler-file", str(file)], **quiet)
    ]  # fmt: skip
    try:
        _wait(file.is_file, 60, started[0])
        for i in range(3):
            started.append(
                subprocess.Popen(
                    [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(file), "--no-nanny",
                     "--nthreads", "1", "--no-dashboard", "--local-directory", str(folder / f"w{i}")],
                    **quiet)
            )  # fmt: skip
        import json

        yield json.loads(file.read_text())["address"], started[1:]
    finally:
        for process in started:
            process.kill()
            process.wait()


@pytest.mark.slow
def test_a_cluster_that_loses_a_worker_gives_the_same_bytes(  # type: ignore[no-untyped-def]
    make_model, receptor, block, write_sdf, tmp_path, cli
) -> None:
    pytest.importorskip("distributed", reason="Dask (the extra dask) is not installed")
    from distributed import Client

    model = make_model("pose")
    poses = write_sdf(tmp_path / "poses.sdf", block, 640, corrupt=6)
    far, here = tmp_path / "far.csv", tmp_path / "here.csv"
    with _cluster(tmp_path) as (address, workers):
        with Client(address) as client:
            client.wait_for_workers(3, timeout=120)
        process = subprocess.Popen(
            _command(model, receptor, poses, far, "--dask", address),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        parts = tmp_path / "far.csv.parts"
        _wait(lambda: len(list(parts.glob("part-*.json"))) >= 2, 240, process)
        workers[0].kill()
        assert len(list(parts.glob("part-*.json"))) < 40, "it is killed in the middle"
        _, err = process.communicate(timeout=300)
        assert process.returncode == 3, err.decode()
    code, _, message = cli(*_command(model, receptor, poses, here)[3:])
    assert code == 3, message
    assert far.read_bytes() == here.read_bytes()
    assert far.with_suffix(".sdf").read_bytes() == here.with_suffix(".sdf").read_bytes()


def test_the_pose_that_kills_a_worker_is_found(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """A chunk whose worker dies is scored record by record; the one that kills again is a row with the reason."""
    from affinity_zoo.zoo.inference.choices import ScoringChoices
    from affinity_zoo.zoo.prediction.choices import Choices
    from affinity_zoo.zoo.prediction.chunks import Chunk, RecordRange
    from affinity_zoo.zoo.prediction.execute import scored_chunks
    from affinity_zoo.zoo.prediction.rows import PosePrediction
    from affinity_zoo.zoo.runtime import parallel

    def fake(function, items, **_):  # type: ignore[no-untyped-def]
        for task in items:
            records = [r for p in task.pieces for r in ([w[0] for w in p.wanted] or range(p.first, p.last))]
            if 7 in records:
                yield parallel.Done(task, parallel.Lost("crash", "it ended the worker process"))
            else:
                rows = [PosePrediction(record=r, file=task.pieces[0].shown).as_dict() for r in records]
                yield parallel.Done(task, Scored(rows, []))

    monkeypatch.setattr(parallel, "ordered_map", fake)
    pieces = (
        RecordRange("r.pdb", "a.sdf", "a.sdf", "t", 4, 9, 0, 10),
        RecordRange(
            "r.pdb", "b.sdf", "b.sdf", "t", 2, 8, 0, 9, ((7, "seven", "m", -9.5), (2, "two", "m", 0.0))
        ),
    )
    task = Chunk(0, pieces, ("model",), ScoringChoices(1))
    ((same, scored),) = scored_chunks(iter([task]), (), Choices(processes=1), lambda n: None)
    assert same is task
    rows = [PosePrediction.from_dict(row) for row in scored.rows]
    assert [(row.file, row.record) for row in rows] == [
        ("a.sdf", 4), ("a.sdf", 5), ("a.sdf", 6), ("a.sdf", 7), ("a.sdf", 8), ("b.sdf", 7), ("b.sdf", 2),
    ]  # fmt: skip
    assert rows[5].id == "seven" and rows[5].docking_score == -9.5
    lost = [row for row in rows if row.status == "failed"]
    assert [row.record for row in lost] == [7, 7] and all("ended the worker" in row.reason for row in lost)


def test_a_worker_that_cannot_score_is_an_error(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    from affinity_zoo.plugins.errors import AffinityZooError
    from affinity_zoo.zoo.prediction.choices import Choices
    from affinity_zoo.zoo.prediction.execute import scored_chunks
    from affinity_zoo.zoo.runtime import parallel

    monkeypatch.setattr(
        parallel,
        "ordered_map",
        lambda f, items, **_: (parallel.Done(t, parallel.Lost("error", "no model")) for t in items),
    )
    with pytest.raises(AffinityZooError, match="no model"):
        list(scored_chunks(iter([None]), (), Choices(processes=1), lambda n: None))  # type: ignore[list-item]
