"""The Dockerfile and the conda recipe follow pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_conda_recipe_has_the_version_and_the_dependencies_of_the_project() -> None:
    recipe = (ROOT / "packaging" / "conda" / "recipe.yaml").read_text(encoding="utf-8")
    assert re.search(r"^  version: (\S+)$", recipe, re.MULTILINE)[1] == PROJECT["version"]  # type: ignore[index]
    run = recipe.split("  run:\n")[1].split("tests:")[0]
    listed = {line.strip().removeprefix("- ").replace(" ", "") for line in run.splitlines() if "- " in line}
    assert listed == {*PROJECT["dependencies"], f"python{PROJECT['requires-python']}"}
    assert "affinity-zoo = " + PROJECT["scripts"]["affinity-zoo"] in recipe


def test_the_citation_has_the_version_of_the_project() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {PROJECT['version']}\n" in citation


def test_the_dockerfile_installs_the_wheel_and_is_no_root() -> None:
    lines = (ROOT / "packaging" / "Dockerfile").read_text(encoding="utf-8").splitlines()
    kinds = [line.split(maxsplit=1)[0] for line in lines if re.match(r"[A-Z]+ ", line)]
    assert set(kinds) <= {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "ENTRYPOINT", "CMD"}
    assert kinds.count("FROM") == 2 and kinds.index("USER") < kinds.index("ENTRYPOINT")
