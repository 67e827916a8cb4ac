"""The commands list, show and plugins list, as users run them."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from affinity_zoo.cli import app, main
from affinity_zoo.plugins import settings
from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.catalog import describe
from affinity_zoo.zoo.catalog import registry as catalog

Distribute = Callable[..., Path]
Source = Callable[..., str]

run = CliRunner()


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    catalog.reset()
    yield
    catalog.reset()


def output(*arguments: str) -> Any:
    """Run a command that prints JSON."""
    result = run.invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_list_shows_builtins_and_plugins(distribute: Distribute, scorer_source: Source) -> None:
    distribute("zoo-good", scorer_source("good"), version="1.2")
    rows = {row["name"]: row for row in output("list", "scorers", "--json")}
    assert rows["good"]["distribution"] == "zoo-good" and rows["good"]["version"] == "1.2"
    assert rows["roc-auc"]["builtin"] and rows["roc-auc"]["state"] == "loaded"
    assert [row["name"] for row in output("list", "scorers", "g*d", "--json")] == ["good"]
    table = run.invoke(app, ["list", "scorers"]).stdout
    assert "good" in table and "roc-auc" in table


def test_show_says_options_input_output_and_origin() -> None:
    (shown,) = output("show", "atom-types", "--json")
    options = {option["name"]: option for option in shown["options"]}
    assert options["parts"]["type"] == "both|ligand|receptor" and options["parts"]["default"] == "both"
    assert options["parts"]["help"]
    assert "28 channels" in shown["output"] and shown["distribution"] == "affinity-zoo"
    text = run.invoke(app, ["show", "cnn4"]).stdout
    assert "strides" in text and "2,2,2,2" in text


def test_show_finds_aliases_and_suggests() -> None:
    assert output("show", "top-100", "--json")[0]["name"] == "r-precision"
    with pytest.raises(UsageError, match="did you mean 'resnet3d'"):
        run.invoke(app, ["show", "resnet"], catch_exceptions=False)


def test_plugins_list_tells_every_state(
    distribute: Distribute, scorer_source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    distribute("zoo-good", scorer_source("good"))
    distribute("zoo-bad", "import no_such_module_anywhere")
    distribute("zoo-thief", scorer_source("roc-auc"))
    distribute("zoo-blocked", scorer_source("blocked"))
    monkeypatch.setenv(settings.ONLY, "zoo-good,zoo-bad,zoo-thief")
    rows = {row["name"]: row for row in output("plugins", "list", "--json")}
    states = {name: row["state"] for name, row in rows.items() if not row["builtin"]}
    assert states == {
        "zoo-good": "loaded",
        "zoo-bad": "failed",
        "zoo-thief": "conflict",
        "zoo-blocked": "blocked",
    }
    assert rows["zoo-bad"]["reason"] and rows["zoo-bad"]["remedy"]
    assert rows["zoo-good"]["import_seconds"] > 0
    catalog.reset()
    table = run.invoke(app, ["plugins", "list"]).stdout
    assert "zoo-bad" in table


def test_strict_plugins_list_shows_the_table_and_fails(distribute: Distribute) -> None:
    distribute("zoo-bad", "import no_such_module_anywhere")
    result = run.invoke(app, ["--strict", "plugins", "list"])
    assert result.exit_code == 1
    assert "zoo-bad" in result.stdout and "strict" in str(result.exception)


def test_global_options_reach_the_environment_and_leave_it(tmp_path: Path, scorer_source: Source) -> None:
    file = tmp_path / "mine.py"
    file.write_text(scorer_source("mine"))
    assert output("--plugin-file", str(file), "list", "scorers", "mine", "--json")
    assert settings.FILES not in os.environ
    assert output("list", "scorers", "mine", "--json") == []
    assert output("--no-plugins", "--plugin-file", str(file), "list", "scorers", "mine", "--json") == []
    assert settings.DISABLED not in os.environ


def test_recovery_loads_no_plugin(distribute: Distribute, tmp_path: Path) -> None:
    mark = tmp_path / "imported"
    distribute("zoo-mark", f"open({str(mark)!r}, 'w').close()")
    for arguments in (["--help"], ["--version"], ["plugins", "--help"], ["plugins", "list", "--no-load"]):
        assert run.invoke(app, arguments).exit_code == 0
    assert run.invoke(app, ["--no-plugins", "plugins", "list"]).exit_code == 0
    assert not mark.exists()


def test_a_crash_in_a_plugin_names_it(
    distribute: Distribute,
    scorer_source: Source,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = scorer_source("crashing") + "\n\ndef crash(self):\n    return 1 / 0\n\nS0.options = crash\n"
    distribute("zoo-crashing", source, version="3.1")
    monkeypatch.setattr(sys, "argv", ["affinity-zoo", "list", "scorers"])
    monkeypatch.setattr(
        describe, "entry_summary", lambda entry: entry.cls().options() if entry.name == "crashing" else {}
    )
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 1
    said = capsys.readouterr().err
    assert "ZeroDivisionError in the plugin 'zoo-crashing' of zoo-crashing 3.1" in said
    assert "Traceback" in said and "--no-plugins" in said
    monkeypatch.setattr(describe, "entry_summary", lambda entry: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main()


SCRIPT = """
import sys
from affinity_zoo.cli import app
try:
    app({arguments!r})
except SystemExit as stop:
    assert not stop.code, stop.code
names = ("keras", "tensorflow", "numpy", "rdkit", "prody", "sklearn", "numba")
heavy = [name for name in names if name in sys.modules]
assert not heavy, heavy
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["list", "featurizers"],
        ["list", "architectures"],
        ["list", "scorers"],
        ["list", "baselines"],
    ]
    + [["show", "resnet3d"], ["plugins", "list"], ["train", "--help"]],
    ids=" ".join,
)
def test_quick_and_light(arguments: list[str]) -> None:
    code = SCRIPT.format(arguments=arguments)
    assert seconds(lambda: timed(sys.executable, "-c", code)[0]) < BUDGET


BUDGET = 0.5  #: processor seconds
BARE = 0.13  #: processor seconds that importing Typer and rich takes where nothing else runs


def seconds(measure: Callable[[], float]) -> float:
    """The least processor time of three; over the budget, in units of this machine's present speed.

    Busy processors share caches and clock, so that the same work costs more of their time.
    """
    best = min(measure() for _ in range(3))
    if best < BUDGET:
        return best
    bare = min(timed(sys.executable, "-c", "import typer.main, rich.table")[0] for _ in range(3))
    return best * min(1.0, BARE / bare)


def timed(*command: str, **keywords: Any) -> tuple[float, str]:
    """Run a command that must succeed; return its processor seconds and what it printed.

    Processor time, because a busy machine must not fail a test; no command here waits for anything.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, **keywords)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, done.stdout


def test_help_is_quick_with_twenty_plugins_one_of_them_slow(
    distribute: Distribute, scorer_source: Source, tmp_path: Path
) -> None:
    mark = tmp_path / "imported"
    for number in range(19):
        site = distribute(f"zoo-many{number}", scorer_source(f"many-{number}"))
    sleepy = f"import time; time.sleep(5); open({str(mark)!r}, 'w').close()\n"
    distribute("zoo-sleepy", sleepy + scorer_source("sleepy"))
    environment = {**os.environ, "PYTHONPATH": str(site)}

    def zoo(*arguments: str) -> tuple[float, str]:
        return timed(sys.executable, "-m", "affinity_zoo.cli", *arguments, env=environment, cwd=tmp_path)

    for arguments in (["--help"], ["plugins", "list", "--no-load"], ["--no-plugins", "list", "scorers"]):
        assert seconds(lambda given=arguments: zoo(*given)[0]) < BUDGET, arguments  # type: ignore[misc]
        assert not mark.exists(), arguments
    rows = {row["name"]: row for row in json.loads(zoo("plugins", "list", "--json")[1])}
    assert len([row for row in rows.values() if not row["builtin"]]) >= 20
    assert rows["zoo-sleepy"]["state"] == "loaded" and rows["zoo-sleepy"]["import_seconds"] >= 5
    assert rows["zoo-many3"]["import_seconds"] < 5
