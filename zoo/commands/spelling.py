"""Arguments as flags: messages of the rooms below name arguments, the command line shows its own options.

A message names an argument in backticks: ``"`views` must be at least 1, not 0"``, with a value
``"use `method='occlusion'`"``. A Python caller reads it unchanged; here it becomes
``--views must be at least 1, not 0`` and ``use --method occlusion``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import typer
from typer.main import get_command

_ARGUMENT = re.compile(r"`([a-z_][a-z0-9_]*)(?:=([^`]*))?`")
#: name in Python -> names of parameters of commands that mean the same, the first one that a command has counts
ALIASES: dict[str, tuple[str, ...]] = {
    "poses": ("ligand",),
    "pose": ("poses", "ligand"),
    "tasks": ("task",),
    "by": ("split_by",),
    "column": ("time_column",),
    "parts": ("only",),
    "threads": ("workers",),
    "root": ("output",),
    "out": ("output",),
    "output": ("model_output", "out"),
    "folder": ("out", "output"),
    "featurizer_options": ("featurizer_option",),
    "architecture_options": ("architecture_option",),
}


def as_flags(message: str, app: typer.Typer, words: Sequence[str]) -> str:
    """Write the arguments that a message names as options of the command that runs.

    Args:
        message: names arguments in backticks.
        app: the Typer app.
        words: the command line without the program's name; the command is found in them.

    Returns:
        The message; names that no command has are not changed.
    """
    if not _ARGUMENT.search(message):
        return message
    chain = _commands(app, words)
    return _ARGUMENT.sub(lambda found: _flag(chain, found[1], found[2]) or found[0], message)


def _commands(app: typer.Typer, words: Sequence[str]) -> list[Any]:
    """The command that the words call and the groups above it, the command first."""
    chain: list[Any] = [get_command(app)]
    for word in words:
        inside = getattr(chain[0], "commands", {})
        if word in inside:
            chain.insert(0, inside[word])
    return chain


def _flag(chain: Sequence[Any], name: str, value: str | None) -> str | None:
    for candidate in (name, *ALIASES.get(name, ())):
        for command in chain:
            for parameter in command.params:
                if parameter.name == candidate:
                    return _written(parameter, value)
    return None


def _written(parameter: Any, value: str | None) -> str:
    if parameter.param_type_name == "argument":
        name = str(parameter.name).upper()
        return name if value is None else f"{name} {value.strip(chr(39))}"
    flag: str = max(parameter.opts, key=len)
    if value == "False" and parameter.secondary_opts:
        return str(max(parameter.secondary_opts, key=len))
    if value is None or value in ("True", "False"):
        return flag
    return f"{flag} {value.strip(chr(39))}"
