"""Every command's help fits a screen, shows an example that parses, and is written in whole phrases."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from affinity_zoo.cli import app

LINES = 50


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    inside = getattr(command, "commands", {})
    if path and not inside:
        yield path, command
    for name, sub in inside.items():
        yield from _commands(sub, (*path, name))


COMMANDS = dict(_commands(get_command(app)))


def _help(path: tuple[str, ...]) -> str:
    result = CliRunner(env={"COLUMNS": "100", "TERMINAL_WIDTH": "100"}).invoke(app, [*path, "--help"])
    assert result.exit_code == 0
    return result.output


def test_the_first_page_fits_a_screen() -> None:
    assert len(_help(()).splitlines()) <= LINES + 6


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_fits_a_screen_and_shows_an_example_that_parses(path: tuple[str, ...]) -> None:
    text = _help(path)
    assert len(text.splitlines()) <= LINES
    example = re.search(r"Example: (affinity-zoo .*)", COMMANDS[path].help or "")
    assert example, f"{' '.join(path)}: no example"
    words = shlex.split(example[1])
    assert tuple(words[1 : 1 + len(path)]) == path
    COMMANDS[path].make_context(path[-1], words[1 + len(path) :])  # raises where an option does not exist


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_option_is_described_in_a_whole_phrase(path: tuple[str, ...]) -> None:
    for parameter in COMMANDS[path].params:
        text = getattr(parameter, "help", None)
        assert text, f"{' '.join(path)}: {parameter.name} has no help"
        assert not re.match(r"(Of|The same|So many|On which|Without it)\b", text), text
        assert "[default" not in text, "the help page would hide it: use show_default"
        assert text.endswith((".", "...")), text


def test_rare_options_are_shown_when_asked_for() -> None:
    assert "--weight-decay" not in _help(("train",))
    result = CliRunner(env={"COLUMNS": "100"}).invoke(app, ["train", "--help-all"])
    assert result.exit_code == 0 and "--weight-decay" in result.output


@pytest.mark.parametrize(
    ("old", "new"), [("--output", "--out"), ("--output-folder", "--out")], ids=("output", "output-folder")
)
def test_old_names_of_options_still_work(old: str, new: str) -> None:
    command = COMMANDS["explain",] if old == "--output-folder" else COMMANDS["predict",]
    words = ["model", "rec.pdb", "a.sdf", old, "there"]
    context = command.make_context("it", words)
    assert str(context.params["out"]) == "there", new
