"""Models that come with the package: one folder each beside this file, data and no code."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent  #: of the model directories


def names() -> list[str]:
    """Names of the shipped models and ensembles, sorted."""
    return sorted(
        entry.name
        for entry in FOLDER.iterdir()
        if (entry / "model.keras").is_file() or (entry / "ensemble.toml").is_file()
    )


def find(name: str) -> Path | None:
    """Return the folder of a shipped model; None: there is none of this name.

    Args:
        name: Name of the model.
    """
    return FOLDER / name if name in names() else None
