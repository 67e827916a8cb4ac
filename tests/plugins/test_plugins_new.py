"""`plugins new` and `plugins check`, in this process."""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from affinity_zoo.cli import app
from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.catalog import registry as catalog
from affinity_zoo.zoo.catalog.scaffold import new_plugin

Distribute = Callable[..., Path]
Source = Callable[..., str]
KINDS = ("featurizer", "architecture", "scorer")


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    catalog.reset()
    yield
    catalog.reset()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["my-thing", "3d-thing", "zoo-thing"])
def test_every_file_is_whole(kind: str, name: str, tmp_path: Path) -> None:
    folder = new_plugin(name, kind, tmp_path)
    assert folder.name == f"zoo-{name.removeprefix('zoo-')}"
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]
    for path in folder.rglob("*"):
        if path.suffix == ".py":
            compile(path.read_text(), str(path), "exec")
        if path.is_file() and path.suffix != ".yml":
            assert "$" not in path.read_text(), path
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    ((_, module),) = project["entry-points"]["affinity_zoo"].items()
    assert (folder / "src" / module / "__init__.py").is_file()
    assert "${{ matrix.python }}" in (folder / ".github/workflows/test.yml").read_text()
    assert list((folder / "tests").glob("test_*.py")) and (folder / "README.md").is_file()


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_writes_registers(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = new_plugin("my-new-thing", kind, tmp_path)
    result = CliRunner().invoke(
        app,
        ["--plugin-file", str(folder / "src/zoo_my_new_thing/__init__.py"), "show", "my-new-thing", "--json"],
        catch_exceptions=False,
    )
    (shown,) = json.loads(result.stdout)
    assert shown["state"] == "loaded" and shown["kind"] == kind
    assert all(option["help"] for option in shown["options"])


def test_names_and_folders_that_cannot_be_used(tmp_path: Path) -> None:
    for name, said in (
        ("My_Thing", "not a plugin name"),
        ("", "not a plugin name"),
        ("atom-types", "is a built-in featurizer"),
    ):
        with pytest.raises(UsageError, match=said):
            new_plugin(name, "featurizer", tmp_path)
    new_plugin("thing", "featurizer", tmp_path)
    with pytest.raises(UsageError, match="exists already"):
        new_plugin("thing", "scorer", tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write"):
        new_plugin("other", "scorer", tmp_path / "file")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "zoo-thing"]


def test_check_reports_what_fails(distribute: Distribute, scorer_source: Source) -> None:
    distribute("zoo-constant", scorer_source("constant"))
    distribute("zoo-bad", "import no_such_module_anywhere")
    result = CliRunner().invoke(app, ["plugins", "check", "--json"])
    assert result.exit_code == 1
    reports = {report["name"]: report for report in json.loads(result.stdout)}
    assert not reports["zoo-bad"]["ok"]
    assert reports["constant"]["ok"] and len(reports["constant"]["results"]) > 10
    one = CliRunner().invoke(app, ["plugins", "check", "constant"])
    assert "zoo-bad" not in one.stdout


def test_check_a_builtin_by_name_or_an_unknown_name() -> None:
    result = CliRunner().invoke(app, ["plugins", "check", "confusion", "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.stdout
    assert [report["name"] for report in json.loads(result.stdout)] == ["confusion"]
    with pytest.raises(UsageError, match="no plugin is called 'confusio'.*'confusion'"):
        CliRunner().invoke(app, ["plugins", "check", "confusio"], catch_exceptions=False)


def test_nothing_is_loaded_to_write_a_plugin(distribute: Distribute, tmp_path: Path) -> None:
    distribute("zoo-never", "raise SystemExit('must not be imported')")
    result = CliRunner().invoke(app, ["plugins", "new", "fresh", "-o", str(tmp_path)], catch_exceptions=False)
    assert result.exit_code == 0 and "zoo-fresh" in result.stdout
    assert "zoo_never" not in sys.modules
