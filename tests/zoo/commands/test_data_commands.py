"""The commands index, split and check: output, JSON, exit codes, one-sentence errors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


def _run(*args: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "affinity_zoo.cli", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = tmp_path / "source"
    atom = "{:6s}{:5d}  {:<3s} {} A{:4d}    {:8.3f}{:8.3f}{:8.3f}  1.00  0.00           C\n"
    for k in range(4):
        for folder in ("receptors", f"crystal_ligands/c{k}", f"docked_ligands/c{k}"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        body = "".join(atom.format("ATOM", i, "CA", "ALA", i, 3.8 * i, float(k), 0.0) for i in range(1, 9))
        (root / f"receptors/c{k}.pdb").write_text(body)
        for name, z in (("crystal", 4.0), ("docked", 7.0)):
            text = "".join(
                atom.format("HETATM", i, f"C{i}", "LIG", 1, 1.5 * i, float(k), z) for i in range(1, 5)
            )
            (root / f"{name}_ligands/c{k}/{name}.pdb").write_text(text)
    return root


def test_index_split_check(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "data"
    run = _run("index", source, "-o", out, "--workers", 0, "--json")
    assert run.returncode == 0, run.stderr
    summary = json.loads(run.stdout)
    assert (summary["rows"], summary["failed"], summary["receptors"]) == (8, 0, 4)
    run = _run("split", out, "--split-by", "scaffold", "--json")
    assert run.returncode == 0 and json.loads(run.stdout)["groups"] == 1
    run = _run("check", out, "--csv", tmp_path / "odd.csv")
    assert run.returncode == 0 and "pairs readable" in run.stdout
    assert (tmp_path / "odd.csv").read_text().startswith("id,what,detail\n")


def test_some_failures_are_exit_code_3(source: Path, tmp_path: Path) -> None:
    (source / "docked_ligands/c0/bad.pdb").write_text("")
    run = _run("index", source, "-o", tmp_path / "data", "--workers", 0)
    assert run.returncode == 3
    assert "empty" in run.stdout and "failures.csv" in run.stderr and "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("index", "nowhere", "-o", "data"), 1, "does not exist"),
        (("split", "nowhere"), 1, "affinity-zoo index"),
        (("check", "nowhere"), 1, "does not exist"),
        (("index", "{source}", "-o", "data", "--fractions", "1,1,1"), 2, "add up to 1"),
        (("index", "{source}", "-o", "data", "--fractions", "a"), 2, "three numbers"),
        (("index", "{source}", "-o", "data", "--read", "waters=maybe"), 2, "keep, drop"),
        (("index", "{source}", "-o", "data", "--read", "wine=red"), 2, "unknown read option"),
        (("index", "{source}", "-o", "data", "--columns", "x"), 2, "pose_label=NAME"),
        (("index", "{source}", "-o", "{source}"), 1, "source"),
    ],
)
def test_errors_are_one_sentence(
    args: tuple[str, ...],
    code: int,
    words: str,
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    run = _run(*(a.format(source=source) for a in args))
    assert run.returncode == code, run.stderr
    assert words in run.stderr and "Traceback" not in run.stderr
    assert len([line for line in run.stderr.splitlines() if line.strip()]) <= 2
    assert not (tmp_path / "data").exists()
