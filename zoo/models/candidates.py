"""Models that can be evaluated: the model of a run, or a model directory."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.models.ensembles import ENSEMBLE_FILE, read_ensemble
from affinity_zoo.zoo.models.folders import model_path
from affinity_zoo.zoo.models.loading import Model, load_model, load_models
from affinity_zoo.zoo.models.recipe import Recipe
from affinity_zoo.zoo.models.run_folder import RunFolder
from affinity_zoo.zoo.runtime.files import file_hash, whole

SEARCH_FILE = "search.json"  #: of a folder of runs that a search made: how many trials, and the best run


@dataclass(frozen=True, eq=False)
class Candidate:
    """A model or ensemble to evaluate, and the folder of its results."""

    models: tuple[Model, ...]  #: one; of an ensemble its members
    x: int | str  #: number of the run, or name of the model
    root: Path  #: folder of the runs; baselines go there
    logs: Path  #: results, predictions and scores go here
    trained_on: Path | None  #: the index it was trained on, where known
    name: str = ""  #: of an ensemble

    @property
    def model(self) -> Model:
        """The model; of an ensemble the first member."""
        return self.models[0]

    @property
    def threshold(self) -> float | None:
        """Score from which a pose counts as positive; of an ensemble on its corrected logit."""
        cards = [model.card for model in self.models]
        if len(cards) == 1 or any(card.get("threshold") is None for card in cards):
            return cards[0].get("threshold") if len(cards) == 1 else None
        return sum(float(card["threshold"]) + float(card["logit_correction"]) for card in cards) / len(cards)

    def training_pairs(self) -> Path:
        """Return the file of all training pairs; it does not exist where those of a member are not known."""
        files = [model.folder / "training_pairs.csv" for model in self.models]
        if len(files) == 1:
            return files[0]
        together = self.logs / "training_pairs.csv"
        together.unlink(missing_ok=True)
        if all(file.is_file() for file in files):
            lines = [file.read_text(encoding="utf-8").splitlines() for file in files]
            with whole(together) as out:
                out.write(
                    "\n".join([lines[0][0], *dict.fromkeys(line for part in lines for line in part[1:])])
                    + "\n"
                )
        return together

    def data(self) -> Path:
        """Return the index it was trained on.

        Raises:
            AffinityZooError: it is not known.
        """
        if self.trained_on is None:
            raise AffinityZooError(
                f"the data that {self.x} was trained on is not known; give the folder DATA"
            )
        return self.trained_on


def find_candidate(run: str | int | os.PathLike[str], runs: Path) -> Candidate:
    """Find a run by number or folder, a model or ensemble directory, or a shipped model by name.

    Results of what is not a run go to ``runs/models/<name>``.

    Args:
        run: Run, model directory or name.
        runs: Folder that holds ``x_logs`` and ``x_netstate`` of each run.

    Raises:
        AffinityZooError: it is neither.
    """
    path = Path(str(run) if isinstance(run, int) else run)
    found = model_path(run)
    if found is not None and (found / ENSEMBLE_FILE).is_file():
        name = read_ensemble(found).name
        return Candidate(tuple(load_models([found])), name, runs, runs / "models" / name, None, name)
    if found is not None:
        path = found
        inside = path.resolve().parent
        if not (path.resolve().name == "model" and inside.name.endswith("_netstate")):
            name = path.resolve().name
            return Candidate((load_model(path),), name, runs, runs / "models" / name, None)
        path = inside  # the model of a run, by its own path: results go to the run
    folder = RunFolder.find(path, runs)
    return Candidate((load_model(folder.logs),), folder.x, folder.root, folder.logs, _trained_on(folder))


def _trained_on(folder: RunFolder) -> Path | None:
    try:
        return Path(json.loads((folder.logs / "run.json").read_text(encoding="utf-8"))["data"])
    except (OSError, ValueError, KeyError):
        return None


def describe(candidate: Candidate) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the description of model and training in a result.

    Args:
        candidate: A model of a run, or a model directory, that may be shipped.
    """
    parts = [describe_model(model, candidate.x) for model in candidate.models]
    trainings = [describe_training(model) for model in candidate.models]
    if len(parts) == 1:
        note = _note_of_search(candidate)
        return {**parts[0], **({"note": note} if note else {})}, trainings[0]
    weights = "\n".join(part["weights"] for part in parts)
    model = {
        "name": candidate.name,
        "run": candidate.x,
        **{
            key: ", ".join(dict.fromkeys(str(part[key]) for part in parts))
            for key in ("featurizer", "featurizer_origin", "architecture", "architecture_origin", "box")
        },
        "weights": hashlib.sha256(weights.encode()).hexdigest(),
        "parameters": sum(part["parameters"] for part in parts),
        "note": f"ensemble of {len(parts)}",
        "members": [{key: part[key] for key in ("name", "weights")} for part in parts],
    }
    same = {key: value for key, value in trainings[0].items() if all(t[key] == value for t in trainings)}
    return model, {**same, "pairs": str(candidate.training_pairs().resolve())}


def _note_of_search(candidate: Candidate) -> str:
    """Note on a board about a run of a search; empty: no search made it."""
    try:
        found = json.loads((candidate.root / SEARCH_FILE).read_text(encoding="utf-8"))
        trials, best, tried = int(found["trials"]), found["best"], list(found["runs"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    if candidate.x == best:
        return f"best of {trials} on validation ({found.get('monitor', '')})"
    return f"one of {trials} of a search" if candidate.x in tried else ""


def describe_model(model: Model, x: int | str) -> dict[str, Any]:
    """Return the description of one model in a result.

    Args:
        model: Loaded model.
        x: Number of the run; None: no run.
    """
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
    """Return the SHA-256 of a recipe without its seed; trainings with equal hashes share a row of a leaderboard.

    Args:
        recipe: Parts, options, data and training fields that make a run.
    """
    table = asdict(recipe.with_training(seed=0))
    return hashlib.sha256(json.dumps(table, sort_keys=True, default=str).encode()).hexdigest()


def describe_training(model: Model) -> dict[str, Any]:
    """Return the description of a model's training in a result.

    Args:
        model: Loaded model.
    """
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
