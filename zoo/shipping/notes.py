"""Notes on a shipped model: limits, licences, commands; read from a TOML file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from affinity_zoo.plugins.errors import UsageError


@dataclass(frozen=True)
class Notes:
    """Notes on a shipped model, from a TOML file in the repository."""

    about: str
    licence: str
    data_licence: str
    data_source: str
    headline_benchmark: str  #: whose comparison the first line tells
    limits: tuple[str, ...]
    cite: tuple[str, ...]
    commands: tuple[str, ...]  #: commands that reproduce the model
    hardware: str = ""
    headline_name: str = ""  #: how the first line calls that benchmark; its name by default
    views: int = 0  #: orientations that users average over by default; 0: the program's own default
    docking_program: str = ""  #: program of the scores in the files of that benchmark


def read_notes(path: Path) -> Notes:
    """Read the notes.

    Args:
        path: TOML file.

    Raises:
        UsageError: the file is not TOML, or a field is missing or unknown.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: cannot be read ({error}); see benchmarks/shipped_small.toml") from error
    known = {field.name for field in fields(Notes)}
    optional = {"hardware", "headline_name", "docking_program", "views"}
    wrong = sorted(set(table) - known) or sorted(known - optional - set(table))
    if wrong:
        what = "unknown" if wrong[0] in table else "missing"
        raise UsageError(f"{path}: the field {wrong[0]!r} is {what}; see benchmarks/shipped_small.toml")
    given: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in table.items()
    }
    return Notes(**given)
