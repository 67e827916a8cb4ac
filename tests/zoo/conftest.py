"""A real Dask cluster of processes on the loopback interface."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest


class DaskProcesses:
    """A scheduler and three workers."""

    def __init__(self, folder: Path) -> None:
        self.folder, file = folder, folder / "scheduler.json"
        self.scheduler = self._start(
            "dask_scheduler",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--no-dashboard",
            "--scheduler-file",
            str(file),
        )
        end = time.monotonic() + 120
        while not file.is_file():
            assert time.monotonic() < end and self.scheduler.poll() is None
            time.sleep(0.05)
        self.address = json.loads(file.read_text())["address"]
        self.workers = [
            self._start(
                "dask_worker", self.address, "--no-nanny", "--nthreads", "1", "--no-dashboard",
                "--local-directory", str(folder / f"worker-{i}"),
            )
            for i in range(3)
        ]  # fmt: skip

    def _start(self, module: str, *arguments: str) -> subprocess.Popen:
        command = [sys.executable, "-m", f"distributed.cli.{module}", *arguments]
        quiet = subprocess.DEVNULL
        return subprocess.Popen(command, stdout=quiet, stderr=quiet, cwd=self.folder)

    def ready(self) -> str:
        """The address, once all workers are there."""
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(3, timeout=300)
        return self.address

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


@pytest.fixture
def dask_processes(tmp_path: Path) -> Iterator[DaskProcesses]:
    """A scheduler and three worker processes, working in a folder of their own."""
    pytest.importorskip("distributed", reason="Dask (the extra dask) is not installed")
    folder = tmp_path / "cluster"
    folder.mkdir()
    processes = DaskProcesses(folder)
    try:
        yield processes
    finally:
        processes.stop()


@pytest.fixture(scope="session")
def toy_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model directory with random weights: element-tag + cnn4 at 12^3."""
    import keras

    from affinity_zoo.featurizers import layers
    from affinity_zoo.plugins.contracts import Box
    from affinity_zoo.zoo.models.loading import save_model
    from affinity_zoo.zoo.scoring_model import ScoringModel
    from affinity_zoo.zoo.training.recipe import BoxChoice, Recipe
    from affinity_zoo.zoo.training.resolve import choose

    keras.utils.set_random_seed(0)
    featurizer, made_f = choose("featurizer", Recipe().featurizer, "element-tag", {})
    architecture, made_a = choose("architecture", Recipe().architecture, "cnn4", {})
    box = Box(12, 1.5)
    network = made_a.build((12, 12, 12, len(made_f.channels)), ("pose",))
    card = {
        "format": 1,
        "name": "toy",
        "outputs": [{"name": "pose", "unit": "logit", "direction": "higher is better"}],
        "logit_correction": 0.0,
        "threshold": None,
        "epoch": 0,
    }
    folder = tmp_path_factory.mktemp("toy") / "model"
    model = ScoringModel(network, layers.for_featurizer(made_f, box), name="scoring_model")
    save_model(folder, model, Recipe(featurizer, architecture, BoxChoice(12, 1.5)), card, None)
    return folder
