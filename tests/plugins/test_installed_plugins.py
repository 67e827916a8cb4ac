"""Plugins of strangers in a fresh environment: a built wheel, scaffolded packages and the examples."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ("zoo-pharmacophore", "zoo-densenet3d", "zoo-rie")
KINDS = ("featurizer", "architecture", "scorer")

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Environment:
    """A virtual environment with affinity-zoo from a wheel; heavy libraries are those of this one."""

    folder: Path

    def run(self, *command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run Python there, away from the checkout; it must succeed."""
        env = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "AFFINITY"))}
        done = subprocess.run(
            [str(self.folder / "bin" / "python"), *command],
            cwd=cwd or self.folder,
            env={**env, "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done

    def zoo(self, *arguments: str, cwd: Path | None = None) -> str:
        """Run affinity-zoo there."""
        return self.run("-m", "affinity_zoo.cli", *arguments, cwd=cwd).stdout

    def json(self, *arguments: str) -> Any:
        """Run affinity-zoo there and read its JSON."""
        return json.loads(self.zoo(*arguments, "--json"))

    def install(self, *folders: Path) -> None:
        """Install packages, not editable, without looking for dependencies."""
        pip = [sys.executable, "-m", "pip", "--python", str(self.folder / "bin" / "python"), "install", "-q"]
        options = ["--no-deps", "--no-build-isolation", "--no-index"]
        done = subprocess.run([*pip, *options, *map(str, folders)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """A fresh environment with the wheel, three scaffolded plugins and the three examples installed."""
    work = tmp_path_factory.mktemp("strangers")
    fresh = Environment(work / "env")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(fresh.folder)], check=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = fresh.folder / "lib" / version / "site-packages"
    (site / "host.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    source = work / "tree"
    skip = shutil.ignore_patterns(".*", "*.egg-info", "build", "dist", "__pycache__", "summaries", "*.tmp-*")
    shutil.copytree(ROOT, source, ignore=skip)
    fresh.install(source)
    for kind in KINDS:
        fresh.zoo("plugins", "new", f"fresh-{kind}", "--kind", kind, "-o", str(work))
    for name in EXAMPLES:
        shutil.copytree(source / "examples" / name, work / name)
    fresh.install(*(work / f"zoo-fresh-{kind}" for kind in KINDS), *(work / name for name in EXAMPLES))
    return fresh


def test_it_is_the_wheel_that_is_tested(environment: Environment) -> None:
    where = environment.run("-c", "import affinity_zoo; print(affinity_zoo.__file__)").stdout
    assert where.startswith(str(environment.folder))


def test_all_are_found_loaded_and_light(environment: Environment) -> None:
    rows = {row["distribution"]: row for row in environment.json("--strict", "plugins", "list")}
    for name in (*EXAMPLES, *(f"zoo-fresh-{kind}" for kind in KINDS)):
        assert rows[name]["state"] == "loaded", rows[name]
        assert not rows[name]["notes"], rows[name]
    assert "pharmacophore" in [row["name"] for row in environment.json("list", "featurizers")]
    (shown,) = environment.json("show", "rie")
    assert shown["distribution"] == "zoo-rie"


@pytest.mark.parametrize("name", [*EXAMPLES, *(f"zoo-fresh-{kind}" for kind in KINDS)])
def test_their_own_tests_pass(environment: Environment, name: str) -> None:
    folder = environment.folder.parent / name
    environment.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests", cwd=folder)


def test_plugins_check_passes(environment: Environment) -> None:
    reports = environment.json("plugins", "check")
    assert {report["name"] for report in reports} >= {"pharmacophore", "densenet3d", "fresh-scorer"}
    assert all(report["ok"] for report in reports)
