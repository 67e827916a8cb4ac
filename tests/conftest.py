"""Shared fixtures: the real structures of the development data, where they are present."""

from __future__ import annotations

import os
import sys
import tarfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings

from affinity_zoo.zoo.runtime.keras import choose_backend

# test machines are noisy: how long an example takes says nothing of the code
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
if find_spec("tensorflow") is not None:
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
else:  # `make test-backends`
    choose_backend()

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data archives; skips where it is absent."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip("the development data (../shared/data) is not here")
    return folder


@pytest.fixture(scope="session")
def cases() -> Path:
    """The folder of files from the field that were read wrongly; skips where it is absent."""
    folder = SHARED / "cases"
    if not folder.is_dir():
        pytest.skip("the files from the field (../shared/cases) are not here")
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


class Outcome(NamedTuple):
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


Cli = Callable[..., Outcome]


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run ``affinity-zoo`` in this process, as its entry point does."""

    def run(*arguments: object) -> Outcome:
        from affinity_zoo import cli as module

        monkeypatch.setattr(sys, "argv", ["affinity-zoo", *map(str, arguments)])
        capfd.readouterr()
        try:
            module.main()
            code = 0
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        printed = capfd.readouterr()
        return Outcome(code, printed.out, printed.err)

    return run


@pytest.fixture(scope="session")
def small_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real complexes in the ancestor's folders: crystal poses of 7PBL and 3MHT with 3 decoys each."""
    from affinity_zoo.zoo.demo.complexes import make_demo_set

    folder = tmp_path_factory.mktemp("small-set") / "structures"
    make_demo_set(folder, structures=("7pbl", "3mht"), decoys_per_ligand=3, tries=10)
    return folder


@pytest.fixture(scope="session")
def small_data(small_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of ``small_set``, split by complex."""
    from affinity_zoo.zoo.data.index.run import build_index

    folder = tmp_path_factory.mktemp("small-data") / "data"
    build_index(small_set, folder, workers=0, progress=False)
    return folder
