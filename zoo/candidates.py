"""What can be judged: the model of a run, or a model directory from elsewhere."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo import models
from affinity_zoo.zoo.files import file_hash
from affinity_zoo.zoo.training.recipe import Recipe
from affinity_zoo.zoo.training.run_folder import RunFolder


@dataclass(frozen=True, eq=False)
class Candidate:
    """A model that is judged, and where its results go."""

    model: models.Model
    x: int | str  #: number of the run, or name of the model
    root: Path  #: folder of the runs; baselines go there
    logs: Path  #: results, predictions and scores go here
    trained_on: Path | None  #: the index it was trained on, where known

    def data(self) -> Path:
        """Return the index it was trained on.

        Raises:
            AffinityZooError: it is not known.
        """
        if self.trained_on is None:
            raise AffinityZooError(
                f"the data that {self.x} was trained on is not known; name the DATA folder"
            )
        return self.trained_on


def find_candidate(run: str | int | os.PathLike[str], runs: Path) -> Candidate:
    """Find a run by number or folder, or a model directory.

    Results of a model directory go to ``runs/models/<name>``.

    Raises:
        AffinityZooError: it is neither.
    """
    path = Path(str(run) if isinstance(run, int) else run)
    if (path / "model.keras").is_file():
        inside = path.resolve().parent
        if not (path.resolve().name == "model" and inside.name.endswith("_netstate")):
            name = path.resolve().name
            return Candidate(models.load_model(path), name, runs, runs / "models" / name, None)
        path = inside  # the model of a run, by its own path: results go to the run
    folder = RunFolder.find(path, runs)
    return Candidate(models.load_model(folder.logs), folder.x, folder.root, folder.logs, _trained_on(folder))


def _trained_on(folder: RunFolder) -> Path | None:
    try:
        return Path(json.loads((folder.logs / "run.json").read_text(encoding="utf-8"))["data"])
    except (OSError, ValueError, KeyError):
        return None


def describe_model(model: models.Model, x: int | str) -> dict[str, Any]:
    """What a result says of its model."""
    recipe = model.recipe
    return {
        "name": str(model.card["name"]),
        "run": x,
        "featurizer": recipe.featurizer.name,
        "featurizer_options": dict(recipe.featurizer.options),
        "featurizer_origin": f"{recipe.featurizer.distribution} {recipe.featurizer.version}",
        "architecture": recipe.architecture.name,
        "architecture_options": dict(recipe.architecture.options),
        "architecture_origin": f"{recipe.architecture.distribution} {recipe.architecture.version}",
        "box": f"{recipe.box.side}^3 at {recipe.box.spacing:g} Å",
        "weights": file_hash(model.folder / "model.keras"),
        "recipe_hash": recipe_hash(recipe),
        "parameters": int(model.network.count_params()),
    }


def recipe_hash(recipe: Recipe) -> str:
    """SHA-256 of every choice but the seed: trainings that share it are one row of a leaderboard."""
    table = asdict(recipe.with_training(seed=0))
    return hashlib.sha256(json.dumps(table, sort_keys=True, default=str).encode()).hexdigest()


def describe_training(model: models.Model) -> dict[str, Any]:
    """What a result says of the training of its model."""
    recipe = model.recipe
    return {
        "ids_hash": recipe.data.ids_hash,
        "pairs": str((model.folder / "training_pairs.csv").resolve()),
        "data": recipe.data.name,
        "poses": recipe.data.n_train,
        "epochs": model.card["epoch"],
        "sources": list(recipe.training.sources),
        "shuffled_labels": recipe.training.shuffle_labels,
    }
