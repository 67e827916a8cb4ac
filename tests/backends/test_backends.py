"""Training, scoring and export under JAX and PyTorch, without TensorFlow: `make test-backends`.

Layers, losses and gradients are compared in tests/featurizers/test_layers.py, tests/zoo/training/test_losses.py and
tests/zoo/see/test_attribution.py, which the same command runs.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from affinity_zoo.zoo.runtime.backends import backend_named, installed_backends

BACKENDS = installed_backends()
if not BACKENDS or "tensorflow" in BACKENDS:
    pytest.skip("needs an environment with JAX or PyTorch and without TensorFlow", allow_module_level=True)

ATOM = "HETATM{:5d}  C{:<2d} {} A   1    {:8.3f}{:8.3f}{:8.3f}  1.00  0.00           {}\n"


def run(backend: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own: Keras takes one backend a process."""
    environment = {**os.environ, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu", "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-m", "affinity_zoo.cli", *map(str, arguments)],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of 12 small complexes, each with a crystal pose and three others."""
    root, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    ring = [[1.4 * np.cos(a), 1.4 * np.sin(a), 0] for a in np.arange(6) * np.pi / 3]

    def write(path: Path, places: np.ndarray, residue: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [ATOM.format(i + 1, i + 1, residue, *xyz, "C") for i, xyz in enumerate(places)]
        path.write_text("".join(lines) + "END\n")

    for k in range(12):
        wall = rng.normal(0, 1, (40, 3))
        wall *= (6 + rng.uniform(0, 3, 40) / np.linalg.norm(wall, axis=1))[:, None]
        write(root / f"source/receptors/c{k}.pdb", wall, "ALA")
        write(root / f"source/crystal_ligands/c{k}/c{k}.pdb", np.array(ring), "LIG")
        for d in range(3):
            write(
                root / f"source/docked_ligands/c{k}/c{k}_{d}.pdb", np.array(ring) + rng.normal(0, 2, 3), "LIG"
            )
    done = run(BACKENDS[0], "index", root / "source", "-o", root / "index")
    assert (root / "index" / "manifest.json").is_file(), done.stderr
    return root / "index"


@pytest.mark.parametrize("backend", BACKENDS)
def test_train_predict_and_export(backend: str, index: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    call = (
        "train",
        index,
        "-f",
        "atom-types",
        "-a",
        "cnn4",
        "--box",
        "12x1",
        "--epochs",
        1,
        "--batch-size",
        8,
    )
    for place, precision in (("host", ()), ("device", ("--mixed-precision",))):
        done = run(backend, *call, "--voxelize", place, *precision, "--runs", runs)
        assert done.returncode == 0, done.stderr
        assert {"jax": "JAX", "torch": "PyTorch"}[backend] in done.stdout
    # the recipe says what ran
    half = tomllib.loads((runs / "2_logs" / "recipe.toml").read_text())["training"]["mixed_precision"]
    assert half == backend_named(backend).half_precision() and f"network in {half}" in done.stdout
    source = index.parent / "source"
    scores = {}
    for place in ("host", "device"):
        out = tmp_path / f"{place}.csv"
        poses = sorted((source / "docked_ligands" / "c0").iterdir())
        done = run(
            backend, "predict", runs / "1_netstate" / "model", source / "receptors" / "c0.pdb", *poses,
            "--voxelize", place, "-o", out,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        with out.open(newline="") as file:
            scores[place] = {row["id"]: float(row["pose_logit"]) for row in csv.DictReader(file)}
    assert len(scores["host"]) == 3
    for name, logit in scores["host"].items():
        assert scores["device"][name] == pytest.approx(logit, abs=1e-3)
    checked = run(backend, "models", "test", runs / "1_netstate" / "model")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    # exports are written by TensorFlow: the sentence says what to do
    export = ("export", runs / "1_netstate" / "model", "-o", tmp_path / "model", "--format", "savedmodel")
    exported = run(backend, *export)
    assert exported.returncode == 1 and "tensorflow" in exported.stderr.lower()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_resumed_training_ends_as_one_that_never_stopped(backend: str, index: Path, tmp_path: Path) -> None:
    call = ("train", index, "-f", "element-tag", "-a", "cnn4", "--box", "10x1", "--batch-size", 8)
    whole = run(backend, *call, "--epochs", 2, "--runs", tmp_path / "whole")
    first = run(backend, *call, "--epochs", 1, "--runs", tmp_path / "parts")
    rest = run(backend, "train", index, "--resume", 1, "--epochs", 2, "--runs", tmp_path / "parts")
    for done in (whole, first, rest):
        assert done.returncode == 0, done.stderr
    lines = [
        next(line.split(";")[0] for line in done.stdout.splitlines() if line.startswith("epoch 2:"))
        for done in (whole, rest)
    ]
    assert lines[0] == lines[1]
    # not the loss alone, which is rounded where it is printed: every weight of the last checkpoint
    ends = [
        np.load(tmp_path / kind / "1_netstate" / "epoch-00002.npz", allow_pickle=False)
        for kind in ("whole", "parts")
    ]
    names = [name for name in ends[0].files if name != "state"]
    assert names
    for name in names:
        np.testing.assert_allclose(ends[1][name], ends[0][name], rtol=1e-4, atol=1e-6, err_msg=name)
