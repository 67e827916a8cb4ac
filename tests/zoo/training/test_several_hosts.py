"""Training on several hosts: two real worker processes on the loopback interface, one of them killed."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.batches.pipeline import TrainingPlan
from affinity_zoo.zoo.runtime import cluster

#: the command, with each part of a batch that is made written to a file, and slowed down so that it can be killed
WORKER = """
import os, time
from affinity_zoo.zoo.batches import pipeline

made = pipeline.TrainingBatches.__call__

def traced(self, step, part=0, parts=1):
    rows = self._plan.step(step, self.steps).part(part, parts)
    with open(os.environ["TRACE"], "a") as file:
        shown = rows.rows[rows.weights > 0].tolist()
        file.write(repr((step, part, rows.epoch, shown)) + "\\n")
    time.sleep(float(os.environ["PAUSE"]))
    return made(self, step, part, parts)

pipeline.TrainingBatches.__call__ = traced
from affinity_zoo.cli import main
main()
"""
TRAIN = (
    "-f", "element-tag", "-a", "resnet3d", "-A", "filters=4", "--box", "24x1", "--batch-size", "4", "--balance", "none",
    "--epochs", "4", "--workers", "1",
)  # fmt: skip


class Workers:
    """Worker processes of one training."""

    def __init__(
        self, folder: Path, data: Path, name: str, *arguments: str, n: int = 2, pause: float = 0
    ) -> None:
        self.folder, self.runs = folder, folder / name
        script = folder / "worker.py"
        script.write_text(WORKER)
        addresses = free_addresses(n)
        self.logs, self.processes = [], []
        for i in range(n):
            env = {k: v for k, v in os.environ.items() if k != "TF_CONFIG" and not k.startswith("SLURM_")}
            env |= {"TRACE": str(folder / f"{name}.trace-{i}"), "PAUSE": str(pause)}
            if "--distributed" in arguments:
                step = {
                    "PROCID": i,
                    "STEP_NUM_TASKS": n,
                    "STEP_NODELIST": "localhost",
                    "STEP_TASKS_PER_NODE": n,
                }
                env |= {f"SLURM_{key}": str(value) for key, value in step.items()}
                env["SLURM_JOB_ID"] = str(int(addresses[0].rpartition(":")[2]))
            elif n > 1:
                task = {"type": "worker", "index": i}
                env["TF_CONFIG"] = json.dumps({"cluster": {"worker": addresses}, "task": task})
            self.logs.append(folder / f"{name}.log-{i}")
            command = [
                sys.executable,
                str(script),
                "train",
                str(data),
                *TRAIN,
                "--runs",
                str(self.runs),
                *arguments,
            ]
            with self.logs[-1].open("a") as log:
                self.processes.append(subprocess.Popen(command, stdout=log, stderr=log, env=env))

    def wait(self) -> list[int]:
        try:
            return [process.wait(timeout=600) for process in self.processes]
        finally:
            for process in self.processes:
                process.kill()

    def said(self, i: int) -> str:
        return self.logs[i].read_text()

    def trace(self, i: int) -> set[Any]:
        path = self.folder / f"{self.runs.name}.trace-{i}"
        # the first part is made once more, to learn the shapes
        return {repr(eval(line)) for line in path.read_text().splitlines()}

    def history(self) -> list[dict[str, Any]]:
        return json.loads((self.runs / "1_logs" / "history.json").read_text())["epochs"]

    def checkpoint(self, epoch: int) -> dict[str, Any]:
        with np.load(self.runs / "1_netstate" / f"epoch-{epoch:05d}.npz") as file:
            return {name: file[name] for name in file.files if name != "state"}


def free_addresses(n: int) -> list[str]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    addresses = [f"127.0.0.1:{s.getsockname()[1]}" for s in sockets]
    for s in sockets:
        s.close()
    return addresses


@pytest.fixture(scope="module")
def both(small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Workers:
    """A training of two workers that nobody disturbs."""
    pytest.importorskip("tensorflow")
    both = Workers(tmp_path_factory.mktemp("both"), small_data, "both", "-A", "dropout=0")
    assert both.wait() == [0, 0], both.said(0) + both.said(1)
    return both


def test_two_workers_train_as_one(both: Workers, small_data: Path, tmp_path: Path) -> None:
    alone = Workers(tmp_path, small_data, "alone", "-A", "dropout=0", n=1)
    assert alone.wait() == [0], alone.said(0)

    # the same loss at the same global batch: no dropout here, its masks are each replica's own
    for mine, theirs in zip(both.history(), alone.history(), strict=True):
        assert mine["train"]["loss"] == pytest.approx(theirs["train"]["loss"], rel=1e-3)
    assert both.history()[0]["train"]["loss"] == pytest.approx(alone.history()[0]["train"]["loss"], rel=1e-5)
    # the chief alone speaks; the model is like any other
    assert "epoch 4" in both.said(0) and "epoch" not in both.said(1)
    assert _layers(both.runs) == _layers(alone.runs)

    # each row once an epoch, by one of the two
    assert not both.trace(0) & both.trace(1)
    shown: dict[int, list[int]] = {}
    for entry in both.trace(0) | both.trace(1):
        _, _, epoch, rows = eval(entry)
        shown.setdefault(epoch, []).extend(rows)
    assert len(shown) == 4 and all(sorted(rows) == sorted(shown[0]) for rows in shown.values())
    assert len(set(shown[0])) == len(shown[0]) == 12


@pytest.mark.slow
def test_a_killed_worker_ends_both_and_they_go_on(both: Workers, small_data: Path, tmp_path: Path) -> None:
    """A kill ends both with a sentence; started again they end as if nothing had been."""
    killed = Workers(tmp_path, small_data, "killed", "-A", "dropout=0", pause=0.3)
    until(lambda: list(killed.runs.glob("*_netstate/epoch-00002.npz")))
    killed.processes[1].kill()
    codes = killed.wait()
    assert codes[0] == 1 and codes[1] < 0
    assert "another worker of this training has ended" in killed.said(0) and "--resume 1" in killed.said(0)
    # this time Slurm's variables say who the workers are
    again = Workers(tmp_path, small_data, "killed", "-A", "dropout=0", "--resume", "1", "--distributed")
    assert again.wait() == [0, 0], again.said(0) + again.said(1)
    assert "continuing after epoch" in again.said(0)
    expected, found = both.checkpoint(4), again.checkpoint(4)
    assert expected.keys() == found.keys()
    assert all(np.array_equal(expected[name], found[name]) for name in expected)


def until(true: Any, seconds: float = 600) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def _layers(runs: Path) -> list[Any]:
    with zipfile.ZipFile(runs / "1_netstate" / "model" / "model.keras") as file:
        network = json.loads(file.read("config.json"))["config"]["network"]
    for layer in network["config"]["layers"]:
        dtype = layer["config"].get("dtype")
        if isinstance(dtype, dict):
            dtype.pop("shared_object_id", None)  # the number of an object in memory
    return network["config"]["layers"]


@given(
    rows=st.integers(1, 40),
    size=st.integers(1, 5),
    parts=st.integers(1, 4),
    epoch=st.integers(0, 2),
    seed=st.integers(0, 9),
)
def test_the_parts_of_a_step_are_the_step(rows: int, size: int, parts: int, epoch: int, seed: int) -> None:
    plan = TrainingPlan(np.arange(rows), np.arange(rows) % 2.0, size * parts, seed, "none")
    shown: list[int] = []
    for step in range(epoch * plan.steps, (epoch + 1) * plan.steps):
        whole = plan.step(step, plan.steps)
        pieces = [whole.part(i, parts) for i in range(parts)]
        assert all(piece.epoch == whole.epoch and len(piece.rows) == size for piece in pieces)
        for name in ("rows", "copies", "weights"):
            together = np.concatenate([getattr(piece, name) for piece in pieces])
            assert np.array_equal(together, getattr(whole, name))
        shown += [int(r) for piece in pieces for r, w in zip(piece.rows, piece.weights, strict=True) if w]
    assert sorted(shown) == list(range(rows))


@pytest.mark.parametrize(
    ("variables", "asked", "says"),
    [
        ({}, True, "needs TF_CONFIG with at least two workers, or a step of Slurm"),
        ({"TF_CONFIG": "{no json"}, False, "TF_CONFIG is not a JSON object"),
        ({"TF_CONFIG": '["worker"]'}, False, "TF_CONFIG is not a JSON object"),
        ({"SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1"}, True, "at least two tasks"),
    ],
)
def test_what_is_missing_is_said(
    variables: dict[str, str], asked: bool, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TF_CONFIG", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=says):
        cluster.connect(asked)


def test_one_worker_trains_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "TF_CONFIG", '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 0}}'
    )
    assert cluster.connect() is None


def test_slurm_tells_who_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tensorflow")
    monkeypatch.delenv("TF_CONFIG", raising=False)
    variables: Sequence[tuple[str, str]] = [
        ("SLURM_PROCID", "2"), ("SLURM_STEP_NUM_TASKS", "4"), ("SLURM_JOB_ID", "54321"),
        ("SLURM_STEP_NODELIST", "node[07-08]"), ("SLURM_STEP_TASKS_PER_NODE", "2(x2)"), ("CUDA_VISIBLE_DEVICES", ""),
    ]  # fmt: skip
    for name, value in variables:
        monkeypatch.setenv(name, value)
    resolver = cluster._resolver(True)
    addresses = resolver.cluster_spec().as_dict()["worker"]
    assert addresses == ["node07:24321", "node07:24322", "node08:24321", "node08:24322"]
    assert (resolver.task_type, resolver.task_id) == ("worker", 2)
