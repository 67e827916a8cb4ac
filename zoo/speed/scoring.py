"""Speed of scoring: poses of one receptor, from an SDF file to a ranked CSV, beside PyTorch with molgrid's images.

Ours is the whole of ``predict`` but the start of Python and the loading of the model: reading, typing, checks,
images, network, ranking, writing. The peer gets the poses typed and in memory, makes the images and computes
the network, as gnina-torch does: it reads and writes nothing.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.featurizers import layers
from affinity_zoo.featurizers.gnina_types import RECEPTOR_CHANNELS
from affinity_zoo.plugins.contracts import Atoms, Featurizer
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.architectures.gnina import GRID, GninaDefault2018, GninaDense
from affinity_zoo.zoo.data.readers import ReadOptions, read_poses, read_receptor
from affinity_zoo.zoo.models.loading import Model, load_model, save_model
from affinity_zoo.zoo.models.plugin_choice import choose
from affinity_zoo.zoo.models.recipe import BoxChoice, Recipe
from affinity_zoo.zoo.models.scoring_model import ScoringModel
from affinity_zoo.zoo.prediction import write_predictions_csv
from affinity_zoo.zoo.prediction.choices import Choices
from affinity_zoo.zoo.prediction.inputs import from_files
from affinity_zoo.zoo.prediction.run import run
from affinity_zoo.zoo.speed.suite import libraries, machine

_PEER = Path(__file__).with_name("peer_scoring.py")


def measure(
    models: Sequence[Path] = (),
    receptor: Path | None = None,
    poses: Path | None = None,
    n: int = 512,
    rounds: int = 3,
    batch_size: int = 32,
    peer_python: str | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Time scoring, ours and the peer's in turn.

    Args:
        models: model directories, several are an ensemble; empty: gnina's default2018 with random weights, which take
            as long.
        receptor, poses: None: 7PBL with its crystal ligand in ``n`` places.
        rounds: of each side; the median counts.
        peer_python: interpreter that has molgrid and torch; None: ours alone.

    Returns:
        JSON-ready: milliseconds a pose of each round, their median, ratio, largest differences in score.

    Raises:
        AffinityZooError: the peer cannot be run.
    """
    with tempfile.TemporaryDirectory(prefix="affinity-zoo-speed-") as name:
        folder = Path(name)
        models = list(models) or [random_model(folder / "default2018")]
        title = " + ".join(model.name for model in models)
        if receptor is None or poses is None:
            receptor, poses = many_poses(folder, n)
        report: dict[str, Any] = {"machine": machine(), "libraries": libraries(), "model": title}
        started = time.perf_counter()
        loaded = [load_model(model) for model in models]
        report["loading_s"] = round(time.perf_counter() - started, 2)
        inputs = from_files(receptor, [poses])
        choices = Choices.of(views=1, batch_size=batch_size)
        ours: list[dict[str, float]] = []
        theirs: list[dict[str, Any]] = []
        rows = []
        for number in range(rounds + 1):
            say(f"scoring {poses.name} with {title}" + ("" if number else " (to warm up)"))
            wall, processor = time.perf_counter(), time.process_time()
            found = run(
                inputs,
                models,
                choices,
                write=lambda rows, columns: write_predictions_csv(folder / "ranked.csv", rows, columns),
            )
            rows = found.rows
            ours.append({"wall": time.perf_counter() - wall, "processor": time.process_time() - processor})
            if peer_python and number:
                say("the peer")
                theirs.append(_peer(loaded, receptor, poses, batch_size, peer_python, folder))
        del ours[0]
        scored = [row for row in rows if row.status == "ok"]
        report |= {
            "poses": len(rows),
            "scored": len(scored),
            "ours_ms": [1e3 * t["wall"] / len(rows) for t in ours],
            "ours_processor_ms": [1e3 * t["processor"] / len(rows) for t in ours],
        }
        if theirs:
            report |= _compared(report, theirs, scored)
    return report


def _compared(report: dict[str, Any], theirs: list[dict[str, Any]], scored: Sequence[Any]) -> dict[str, Any]:
    n = len(scored)
    peer_ms = [1e3 * t["seconds"][0] / n for t in theirs]
    order = sorted(scored, key=lambda row: row.record)
    score = np.abs(np.array([row.pose_probability for row in order]) - np.array(theirs[0]["score"]))
    affinity = np.abs(np.array([row.affinity_pk for row in order]) - np.array(theirs[0]["affinity"]))
    return {
        "peer": theirs[0]["peer"],
        "peer_ms": peer_ms,
        "peer_processor_ms": [1e3 * t["processor_seconds"][0] / n for t in theirs],
        "ratio": statistics.median(peer_ms) / statistics.median(report["ours_ms"]),
        "largest_difference": {"score": float(score.max()), "affinity": float(affinity.max())},
    }


def random_model(folder: Path) -> Path:
    """Write gnina's default2018 with random weights as a model directory.

    Args:
        folder: Folder to write to.
    """
    import keras

    keras.utils.set_random_seed(0)
    chosen_f, featurizer = choose("featurizer", Recipe().featurizer, "atom-types", {})
    chosen_a, architecture = choose("architecture", Recipe().architecture, "gnina-default2018", {})
    outputs = {"pose": "logit", "affinity": "pK"}
    network = architecture.build((GRID.side,) * 3 + (len(featurizer.channels),), tuple(outputs))
    card = {
        "format": 1,
        "name": "gnina default2018, random weights",
        "outputs": [
            {"name": name, "unit": unit, "direction": "higher is better"} for name, unit in outputs.items()
        ],
        "logit_correction": 0.0,
        "threshold": 0.0,
    }
    recipe = Recipe(chosen_f, chosen_a, BoxChoice(GRID.side, GRID.spacing, GRID.grid))
    save_model(
        folder, ScoringModel(network, layers.for_featurizer(featurizer, GRID), name="m"), recipe, card, None
    )
    return folder


def many_poses(folder: Path, n: int) -> tuple[Path, Path]:
    """Write a receptor (7PBL) and an SDF file of its ligand in ``n`` places, up to 1 Å from where it lies.

    Args:
        folder: Folder to write to.
        n: Number of poses.
    """
    from rdkit import Chem

    from affinity_zoo.zoo.demo.complexes import make_demo_set

    made = folder / "structures"
    make_demo_set(made, structures=("7pbl",), decoys_per_ligand=3, tries=10)
    receptor = next((made / "receptors").iterdir())
    crystal = next((made / "crystal_ligands" / receptor.stem).iterdir())
    molecule = Chem.MolFromPDBFile(str(crystal), sanitize=False)
    rng = np.random.default_rng(0)
    conformer = molecule.GetConformer()
    xyz = conformer.GetPositions()
    with (folder / "poses.sdf").open("w") as file:
        for number in range(n):
            for i, place in enumerate(xyz + rng.uniform(-1, 1, 3)):
                conformer.SetAtomPosition(i, place.tolist())
            molecule.SetProp("_Name", f"pose{number}")
            file.write(Chem.MolToMolBlock(molecule, kekulize=False) + "$$$$\n")
    return receptor, folder / "poses.sdf"


def _peer(
    models: Sequence[Model], receptor: Path, poses: Path, batch_size: int, python: str, folder: Path
) -> dict[str, Any]:
    for model in models:
        if model.architecture.name not in (GninaDefault2018.name, GninaDense.name):
            raise AffinityZooError(
                f"the peer computes gnina-default2018 and gnina-dense, not {model.architecture.name}"
            )
    inputs, weights, out = folder / "typed.npz", folder / "weights.npz", folder / "peer.json"
    if not inputs.exists():
        options = ReadOptions.from_dict(models[0].recipe.data.read_options)
        typed: dict[str, Any] = _typed(models[0].featurizer, receptor, poses, options)
        np.savez(inputs, **typed, batches=sorted({8, batch_size}), rounds=1)
        named = {
            f"{i}/{key}": value for i, model in enumerate(models) for key, value in _state_dict(model).items()
        }
        np.savez(weights, **named)  # type: ignore[arg-type]
    try:
        done = subprocess.run(
            [python, str(_PEER), str(inputs), str(weights), str(out)],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise AffinityZooError(
            f"{python} cannot be run ({error}); give `peer_python` an interpreter"
        ) from error
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise AffinityZooError(
            f"the peer under {python} failed ({last[0]}); it needs molgrid, torch and numpy<2"
        )
    report: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return report


def _typed(
    featurizer: Featurizer, receptor: Path, poses: Path, options: ReadOptions
) -> dict[str, NDArray[Any]]:
    ligands = [record.atoms for record in read_poses(poses, options) if record.atoms is not None]
    parts = [_channels(featurizer, atoms, len(RECEPTOR_CHANNELS)) for atoms in ligands]
    joined = [np.concatenate(column) for column in zip(*parts, strict=True)]
    protein = _channels(featurizer, read_receptor(receptor, options).atoms, 0)
    return {
        **{f"rec_{name}": value for name, value in zip(("xyz", "type", "r"), protein, strict=True)},
        **{f"lig_{name}": value for name, value in zip(("xyz", "type", "r"), joined, strict=True)},
        "lig_start": np.cumsum([0, *(len(part[0]) for part in parts)]),
    }


def _channels(
    featurizer: Featurizer, atoms: Atoms, first: int
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Atoms that are imaged: positions, channels from 0, radii."""
    encoding = featurizer.encode(atoms)
    assert encoding.channel is not None
    keep = encoding.channel >= 0
    return atoms.xyz[keep], encoding.channel[keep] - first, encoding.radius[keep]


def _state_dict(model: Model) -> dict[str, NDArray[np.float32]]:
    """The network's weights as PyTorch keeps them: the way back of ``import gnina``."""
    found: dict[str, NDArray[np.float32]] = {}
    for layer in model.network.network.layers:
        if not layer.weights:
            continue
        kernel, *rest = layer.get_weights()
        if len(rest) == 3:  # a normalisation
            found |= dict(
                zip(
                    [f"{layer.name}.{key}" for key in ("weight", "bias", "running_mean", "running_var")],
                    [kernel, *rest],
                    strict=True,
                )
            )
            continue
        side = round((kernel.shape[0] / 128) ** (1 / 3))
        if kernel.ndim == 5:
            kernel = kernel.transpose(4, 3, 0, 1, 2)
        elif side > 1 and 128 * side**3 == kernel.shape[0]:  # after a flattened convolution of 128 channels
            grid = kernel.T.reshape(-1, side, side, side, 128).transpose(0, 4, 1, 2, 3)
            kernel = grid.reshape(len(grid), -1)
        else:
            kernel = kernel.T
        found[f"{layer.name}.weight"] = np.ascontiguousarray(kernel)
        found[f"{layer.name}.bias"] = rest[0]
    return found
