"""Selection of plugins, read from the environment, where the command line stores its options too.

Worker processes inherit the environment and therefore see the same plugins.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from affinity_zoo.plugins.names import canonical

ONLY = "AFFINITY_ZOO_PLUGINS"  #: names separated by commas: load only these; empty: none
DISABLED = "AFFINITY_ZOO_NO_PLUGINS"  #: 1: built-ins only
STRICT = "AFFINITY_ZOO_STRICT"  #: 1: any plugin that is not fully usable is an error
FILES = "AFFINITY_ZOO_PLUGIN_FILES"  #: single-file plugins, separated as in PATH

_OFF = ("", "0", "false", "no")


@dataclass(frozen=True)
class Settings:
    """Selection of the plugins to load.

    Args:
        only: entry-point or distribution names to load; None: all that are installed.
        enabled: False: built-ins only.
        strict: a plugin that failed, conflicts or is missing is an error for every command.
        files: additional single-file plugins.
    """

    only: tuple[str, ...] | None = None
    enabled: bool = True
    strict: bool = False
    files: tuple[Path, ...] = ()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the settings from environment variables (default: this process's).

        Args:
            environment: Variables; None: those of this process.
        """
        env = os.environ if environment is None else environment
        only = env.get(ONLY)
        return cls(
            only=None if only is None else tuple(canonical(n) for n in only.split(",") if n.strip()),
            enabled=env.get(DISABLED, "").lower() in _OFF,
            strict=env.get(STRICT, "").lower() not in _OFF,
            files=tuple(Path(p) for p in env.get(FILES, "").split(os.pathsep) if p),
        )
