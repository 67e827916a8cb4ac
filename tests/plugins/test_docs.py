"""docs/plugins.md: its code runs and prints what it says, and its reference is that of the code."""

from __future__ import annotations

import dataclasses
import inspect
import os
import re
import shlex
import subprocess
import sys
from enum import IntFlag
from pathlib import Path
from typing import Any

import pytest

from affinity_zoo.plugins import contracts, hookspecs
from affinity_zoo.plugins.kinds import KINDS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "plugins.md"
BLOCK = re.compile(r"<!-- (file: (?P<file>\S+)|run) -->\n```\w+\n(?P<text>.*?)```", re.DOTALL)
PIP = ["-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index", "--target"]


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def _run(command: list[str], folder: Path, site: Path) -> str:
    programs = {
        "pip": [*PIP, str(site)],
        "pytest": ["-m", "pytest", "-q"],
        "affinity-zoo": ["-m", "affinity_zoo.cli"],
    }
    arguments = command[2:] if command[0] == "pip" else command[1:]
    done = subprocess.run(
        [sys.executable, *programs[command[0]], *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(site), "COLUMNS": "110", "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"$ {' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return _squeezed(done.stdout)


def test_the_tutorial_runs_and_prints_what_it_says(tmp_path: Path) -> None:
    site = tmp_path / "site"
    folder = tmp_path / "work"
    folder.mkdir()
    blocks = list(BLOCK.finditer(PAGE.read_text(encoding="utf-8")))
    assert len(blocks) >= 6
    printed = ""
    for block in blocks:
        if block["file"]:
            (folder / block["file"]).write_text(block["text"], encoding="utf-8")
            continue
        for line in block["text"].splitlines():
            if line.startswith("$ "):
                printed = _run(shlex.split(line[2:]), folder, site)
            else:
                assert _squeezed(line) in printed, f"{line!r} is not in: {printed}"


def test_python_blocks_compile() -> None:
    for text in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        compile(text, str(PAGE), "exec")


def _section(title: str) -> str:
    text = PAGE.read_text(encoding="utf-8")
    found = re.search(rf"^### {title}\n(.*?)(?=^### |\Z)", text, re.DOTALL | re.MULTILINE)
    assert found, f"docs/plugins.md has no section {title}"
    return found[1]


def _documented(title: str) -> dict[str, str]:
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", _section(title), re.MULTILINE)
    return dict(rows)


def _members(cls: Any) -> set[str]:
    if issubclass(cls, IntFlag):
        return set(cls.__members__)
    names = {field.name for field in dataclasses.fields(cls)} if dataclasses.is_dataclass(cls) else set()
    for base in cls.__mro__:
        if base.__module__ == contracts.__name__:
            names |= {*vars(base), *vars(base).get("__annotations__", {})}
    return {name for name in names if not name.startswith("_")}


CONTRACTS = [
    "Featurizer",
    "Architecture",
    "Scorer",
    "Place",
    "Baseline",
    "MeasuredPair",
    "Atoms",
    "AtomFlag",
    "Encoding",
    "Box",
    "Predictions",
    "Score",
]


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_member_and_argument_is_documented(name: str) -> None:
    cls = getattr(contracts, name)
    documented = _documented(name)
    assert set(documented) == _members(cls)
    for member, text in documented.items():
        value = inspect.getattr_static(cls, member, None)
        if inspect.isfunction(value):
            arguments = [argument for argument in inspect.signature(value).parameters if argument != "self"]
            assert not arguments or f"`{member}({', '.join(arguments)})`" in text, member
        elif isinstance(value, property) and name != "Atoms":
            assert text.startswith("property: "), member


def test_every_public_class_of_the_contracts_is_documented() -> None:
    classes = {
        name
        for name, value in vars(contracts).items()
        if inspect.isclass(value) and value.__module__ == contracts.__name__ and not name.startswith("_")
    }
    assert classes == set(CONTRACTS)


def test_every_hook_is_documented_and_takes_no_arguments() -> None:
    hooks = {name: value for name, value in vars(hookspecs).items() if name.startswith("register_")}
    assert set(_documented("Hooks")) == set(hooks) == {kind.hook for kind in KINDS.values()}
    assert not any(inspect.signature(hook).parameters for hook in hooks.values())
    for kind in KINDS.values():
        assert f"`{kind.contract.__name__}`" in _documented("Hooks")[kind.hook]


def test_the_version_and_the_states_are_those_of_the_code() -> None:
    from affinity_zoo.plugins.discovery import State

    text = PAGE.read_text(encoding="utf-8")
    assert f"`API_VERSION` is {contracts.API_VERSION}" in text
    for state in State.__args__:  # type: ignore[attr-defined]
        assert f"| `{state}` |" in text
