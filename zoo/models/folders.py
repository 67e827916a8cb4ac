"""Location of models by folder, run, name of a shipped model, or ensemble, without loading."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.plugins.names import nearest
from affinity_zoo.zoo import shipped
from affinity_zoo.zoo.models import published
from affinity_zoo.zoo.models.ensembles import ENSEMBLE_FILE, read_ensemble
from affinity_zoo.zoo.models.home import BESIDE, models_home

FILES = ("model.keras", "recipe.toml", "card.json")
Name = str | int | os.PathLike[str]


def find_model_folder(model: Name, runs: str | Path = "summaries") -> Path:
    """Find one model directory from itself, a run's number, one of a run's folders, or a shipped name.

    Args:
        runs: folder of the runs, for a number.

    Raises:
        AffinityZooError: there is none, or it is an ensemble of several.
    """
    folders = find_model_folders([model], runs)
    if len(folders) > 1:
        raise AffinityZooError(
            f"{model} is an ensemble of {len(folders)} models, but a single model is needed: give one of "
            + ", ".join(str(folder) for folder in folders)
        )
    return folders[0]


def find_model_folders(models: Sequence[Name], runs: str | Path = "summaries") -> list[Path]:
    """Find model directories; an ensemble is replaced by its members, and duplicates count once.

    Args:
        models: model directories, ensemble directories, runs (number or folder), names of shipped models.
        runs: folder of the runs, for numbers.

    Raises:
        UsageError: no name is given.
        AffinityZooError: one is none of these, or its run is not finished.
    """
    if not models:
        raise UsageError(f"no model: give a model directory, a run, or one of {', '.join(shipped.names())}")
    found: dict[Path, Path] = {}
    for model in models:
        for folder in _folders(model, Path(runs)):
            found.setdefault(folder.resolve(), folder)
    return list(found.values())


def model_path(model: Name) -> Path | None:
    """Return the folder of a model or ensemble by its path or its name.

    A name is looked for in a folder ``models`` of the working folder, in the user's folder of models, and among the
    shipped models.

    Args:
        model: a path, or the name of a downloaded, imported or shipped model.

    Returns:
        None: it is none of these.

    Raises:
        AffinityZooError: it is the name of a model that came with an earlier version; the message names its successor.
    """
    path = Path(str(model) if isinstance(model, int) else model)
    to_download = published.find(str(path))
    name = path.name if to_download is None else to_download.name
    named = [BESIDE / name, models_home() / name] if to_download is not None or len(path.parts) == 1 else []
    for folder in (path, *named):
        if (folder / "model.keras").is_file() or (folder / ENSEMBLE_FILE).is_file():
            return folder
    if gone := shipped.replacement(str(path)):
        raise AffinityZooError(gone)
    return shipped.find(str(path))


def _folders(model: Name, runs: Path) -> list[Path]:
    from affinity_zoo.zoo.models.run_folder import RunFolder

    path = model_path(model)
    if path is not None:
        return list(read_ensemble(path).members) if (path / ENSEMBLE_FILE).is_file() else [path]
    path = Path(str(model) if isinstance(model, int) else model)
    if (path / "card.json").is_file():
        raise AffinityZooError(f"{path} is a model without its weights (model.keras): get the model again")
    if str(path).isdigit() or path.is_dir():
        folder = RunFolder.find(path, runs).model
        if (folder / "model.keras").is_file():
            return [folder]
        raise AffinityZooError(
            f"{folder} contains no model yet, because the run is not finished; continue it with "
            "`affinity-zoo train DATA --resume`"
        )
    to_download = published.find(str(model))
    if to_download is not None:
        raise AffinityZooError(
            f"{model} is not on this machine yet: `affinity-zoo models get {to_download.name}` downloads it"
        )
    raise AffinityZooError(f"{model} is not a model{_hint(str(model))}")


def _hint(name: str) -> str:
    have = shipped.names()
    shipped_names = f", or the name of a shipped one ({', '.join(have)})" if have else ""
    return f"{nearest(name, have)}: give a folder with {', '.join(FILES)}, the number of a run{shipped_names}"
