"""What is installed: versions, extras and settings, as a bug report needs them."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from importlib import metadata

from affinity_zoo.zoo.runtime.backends import NAMES

NAME = "affinity-zoo"
#: libraries that affect results and failures
LIBRARIES = (
    "keras", *NAMES, "numpy", "numba", "scipy", "scikit-learn", "rdkit", "prody", "gemmi",
    "h5py", "typer", "rich",
)  # fmt: skip
#: beginnings of the names of environment variables that change what the package does
SETTINGS = (
    "AFFINITY_ZOO_",
    "KERAS_",
    "TF_",
    "CUDA_VISIBLE_DEVICES",
    "JAX_PLATFORMS",
    "OMP_NUM_THREADS",
    "XDG_CACHE_HOME",
)


def versions() -> dict[str, str]:
    """Versions of the package, Python, the system and the libraries; those that are missing are left out."""
    found = {
        NAME: _version(NAME) or "not installed",
        "python": sys.version.split()[0],
        "system": platform.platform(),
    }
    for name in LIBRARIES:
        if version := _version(name):
            found[name] = version
    return found


def extras() -> dict[str, list[str]]:
    """The package's extras and what each lacks; an empty list: all of it is installed."""
    from packaging.requirements import Requirement

    try:
        requirements = [Requirement(text) for text in metadata.requires(NAME) or ()]
        names = metadata.metadata(NAME).get_all("Provides-Extra") or []
    except metadata.PackageNotFoundError:
        return {}
    found: dict[str, list[str]] = {}
    for extra in names:
        asked = [r for r in requirements if r.marker is not None and r.marker.evaluate({"extra": extra})]
        found[extra] = [r.name for r in asked if not _version(r.name)]
    return found


def settings(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Environment variables that change what the package does.

    Args:
        environment: where they are looked up; None: this process's.
    """
    given = os.environ if environment is None else environment
    return {name: value for name, value in sorted(given.items()) if name.startswith(SETTINGS)}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
