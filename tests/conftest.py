"""Shared fixtures: the real structures of the development data, where they are present."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data archives; skips where it is absent."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip("the development data (../shared/data) is not here")
    return folder


@pytest.fixture(scope="session")
def unpacked(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A function from an archive's name to its unpacked folder (once a test process)."""
    root = tmp_path_factory.mktemp("shared-data")

    def unpack(name: str) -> Path:
        folder = root / name
        if not folder.is_dir():
            with tarfile.open(shared_data / f"{name}.tar.xz") as archive:
                archive.extractall(root, filter="data")
        return folder

    return unpack
