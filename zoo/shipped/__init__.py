"""Models that come with the package: one folder each beside this file, data and no code."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent  #: of the model directories


#: models that came with earlier versions: what took their place, and why
REPLACED = {
    "pose-resnet3d": (
        "zoo-small",
        "it was trained on 215 complexes without near misses and was worse than Vina's ranking on csar-pose",
    ),
    "affinity-resnet3d": (
        "zoo-small",
        "it was not significantly better than ligand size within a series, and worse over all series",
    ),
}


def replacement(name: str) -> str:
    """Name the successor of a model of an earlier version; empty: no earlier model has this name."""
    if name not in REPLACED:
        return ""
    successor, why = REPLACED[name]
    return f"{name} does not come with the package any more ({why}): use {successor}"


def names() -> list[str]:
    """Names of the shipped models and ensembles, sorted."""
    return sorted(
        entry.name
        for entry in FOLDER.iterdir()
        if (entry / "model.keras").is_file() or (entry / "ensemble.toml").is_file()
    )


def find(name: str) -> Path | None:
    """Return the folder of a shipped model; None: no model has this name.

    Args:
        name: Name of the model.
    """
    return FOLDER / name if name in names() else None
