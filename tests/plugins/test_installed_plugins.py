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

    def run(self, *command: str, cwd: Path | None = None, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run Python there, away from the checkout; it must end with this code."""
        env = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "AFFINITY"))}
        done = subprocess.run(
            [str(self.folder / "bin" / "python"), *command],
            cwd=cwd or self.folder,
            env={**env, "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == code, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def zoo(self, *arguments: str, cwd: Path | None = None) -> str:
        """Run affinity-zoo there."""
        return self.run("-m", "affinity_zoo.cli", *arguments, cwd=cwd).stdout

    def json(self, *arguments: str, cwd: Path | None = None) -> Any:
        """Run affinity-zoo there and read its JSON."""
        return json.loads(self.zoo(*arguments, "--json", cwd=cwd))

    def refused(self, *arguments: str, cwd: Path | None = None, code: int = 1) -> str:
        """Run affinity-zoo there; it must fail with a sentence, which is returned."""
        said = self.run("-m", "affinity_zoo.cli", *arguments, cwd=cwd, code=code).stderr
        return " ".join(said.split())

    def install(self, *folders: Path) -> None:
        """Install packages, not editable, without looking for dependencies."""
        self.pip("install", "--no-deps", "--no-build-isolation", "--no-index", *map(str, folders))

    def pip(self, *arguments: str) -> None:
        """Run pip on this environment."""
        command = [sys.executable, "-m", "pip", "--python", str(self.folder / "bin" / "python"), *arguments]
        done = subprocess.run([*command, "-q"], capture_output=True, text=True)
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
    assert {report["name"] for report in reports} >= {"pharmacophore", "densenet3d-se", "fresh-scorer"}
    assert all(report["ok"] for report in reports)


RESIDUES = {
    "SER": "N -0.5 1.4 0.0;CA 0.0 0.0 0.0;C 1.5 0.0 0.0;O 2.1 1.1 0.0;CB -0.5 -0.8 1.2;OG -0.1 -0.2 2.4",
    "ASP": "N -0.5 1.4 0.0;CA 0.0 0.0 0.0;C 1.5 0.0 0.0;O 2.1 1.1 0.0;CB -0.5 -0.8 1.2;CG -2.0 -0.9 1.3;"
    "OD1 -2.6 -1.8 0.7;OD2 -2.6 0.0 2.0",
}
PHENOL = (
    "C1 1.39 0.0 0.0;C2 0.695 1.204 0.0;C3 -0.695 1.204 0.0;C4 -1.39 0.0 0.0;C5 -0.695 -1.204 0.0;"
    "C6 0.695 -1.204 0.0;O1 2.76 0.0 0.0"
)


def pdb(molecule: str, residue: str, number: int, x: float, z: float, record: str) -> str:
    """Return a small molecule's PDB lines, moved along x and z (Å)."""
    lines = []
    for serial, atom in enumerate(molecule.split(";"), 1):
        name, *place = atom.split()
        at = [float(value) for value in place]
        lines.append(
            f"{record:6s}{serial:5d}  {name:<3s} {residue} A{number:4d}    "
            f"{at[0] + x:8.3f}{at[1]:8.3f}{at[2] + z:8.3f}  1.00  0.00          {name[0]:>2s}\n"
        )
    return "".join(lines)


@pytest.fixture(scope="module")
def data(environment: Environment) -> Path:
    """An index of small made-up complexes."""
    source = environment.folder.parent / "structures"
    for k in range(10):
        places = [source / f"receptors/c{k}.pdb", source / f"crystal_ligands/c{k}/c{k}_crystal.pdb"]
        places += [source / f"docked_ligands/c{k}/c{k}_decoy_{d}.pdb" for d in range(3)]
        for path in places:
            path.parent.mkdir(parents=True, exist_ok=True)
        residues = [
            pdb(text, name, i, 12.0 * i, 0.1 * k, "ATOM") for i, (name, text) in enumerate(RESIDUES.items())
        ]
        places[0].write_text("".join(residues) + "END\n")
        for d, path in enumerate(places[1:]):
            path.write_text(pdb(PHENOL, "IPH", 1, 5.0, 5.0 + 2.0 * d + 0.01 * k, "HETATM") + "END\n")
    out = environment.folder.parent / "data"
    environment.zoo("index", str(source), "-o", str(out), "--workers", "0", "--fractions", "0.5,0.25,0.25")
    return out


COMBINATIONS = (
    (
        "-f pharmacophore -F radius=2.0 -a densenet3d-se -A blocks=1,1 -A growth=4 -A squeeze=2",
        "pharmacophore",
    ),
    ("-f fresh-featurizer -a fresh-architecture -A filters=4,4", "fresh-featurizer"),
)


def test_train_evaluate_predict_and_leaderboard_by_name(environment: Environment, data: Path) -> None:
    work = environment.folder.parent
    structures = work / "structures"
    for x, (choice, _) in enumerate(COMBINATIONS, 1):
        environment.zoo("train", str(data), *choice.split(), "--epochs", "1", "--batch-size", "8", cwd=work)
        scorers = ["-s", "rie", "-s", "fresh-scorer", "-s", "roc-auc"]
        environment.zoo("evaluate", str(x), "--views", "1", *scorers, cwd=work)
        (result,) = (work / "summaries" / f"{x}_logs" / "results").rglob("result.json")
        metrics = json.loads(result.read_text())["metrics"]
        assert {"robust-initial-enhancement", "fresh-scorer", "roc-auc"} <= set(metrics), metrics
        receptor, poses = structures / "receptors/c0.pdb", structures / "docked_ligands/c0"
        arguments = ["-r", str(receptor), "-l", str(poses), "--views", "1", "-o", str(work / f"{x}.csv")]
        environment.zoo("predict", str(x), *arguments, cwd=work)
        assert len((work / f"{x}.csv").read_text().splitlines()) == 4
    board = environment.zoo("leaderboard", "--json", cwd=work)
    for _, name in COMBINATIONS:
        assert name in board


def test_a_single_file_through_train_and_evaluate(environment: Environment, data: Path) -> None:
    work = environment.folder.parent / "single"
    work.mkdir()
    file = environment.folder.parent / "tree/examples/single_file/polar_and_apolar.py"
    chosen = ["-f", "polar-and-apolar", "-a", "fresh-architecture", "-A", "filters=4"]
    short = ["--epochs", "1", "--batch-size", "8"]
    environment.zoo("--plugin-file", str(file), "train", str(data), *chosen, *short, cwd=work)
    environment.zoo("--plugin-file", str(file), "evaluate", "1", "--views", "1", cwd=work)
    said = environment.refused("evaluate", "1", "--views", "1", cwd=work)
    assert f"--plugin-file {file}" in said


def test_a_model_says_which_distribution_it_misses(environment: Environment, data: Path) -> None:
    work = environment.folder.parent / "missing"
    work.mkdir()
    choice = COMBINATIONS[0][0].split()
    environment.zoo("train", str(data), *choice, "--epochs", "1", "--batch-size", "8", cwd=work)
    environment.pip("uninstall", "-y", "zoo-pharmacophore")
    try:
        said = environment.refused("evaluate", "1", "--views", "1", cwd=work)
        assert "'pharmacophore' of zoo-pharmacophore 0.1.0" in said
        assert "pip install zoo-pharmacophore==0.1.0" in said
        assert "atom-types" in [row["name"] for row in environment.json("list", "featurizers")]
    finally:
        environment.install(environment.folder.parent / "zoo-pharmacophore")
