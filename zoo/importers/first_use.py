"""Download of published models at their first use."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.importers.downloads import get_model, is_offline
from affinity_zoo.zoo.models import loading, published
from affinity_zoo.zoo.models.folders import Name, find_model_folder, find_model_folders, model_path
from affinity_zoo.zoo.models.home import models_home
from affinity_zoo.zoo.models.loading import Model, ModelEnsemble
from affinity_zoo.zoo.runtime.terminal import note


def model_folders(
    models: Sequence[Name], runs: str | Path = "summaries", *, offline: bool = False
) -> list[Path]:
    """Find model directories, and fetch missing published models into the user's folder of models.

    Args:
        models: what :func:`affinity_zoo.zoo.models.folders.find_model_folders` takes, or names of published models.
        runs: folder of the runs, for numbers.
        offline: download nothing; ``AFFINITY_ZOO_OFFLINE=1`` forbids it as well.

    Returns:
        Model directories; an ensemble stands for its members.

    Raises:
        AffinityZooError: there is no such model, or it cannot be had.
    """
    for model in models:
        fetch_missing(model, offline)
    folders = find_model_folders(models, runs)
    for folder in folders:
        loading.check_files(folder)
    return folders


def model_folder(model: Name, runs: str | Path = "summaries", *, offline: bool = False) -> Path:
    """Find one model directory as :func:`model_folders` does.

    Args:
        model: a model; an ensemble of several is refused.
        runs: folder of the runs, for a number.
        offline: download nothing.

    Returns:
        The model directory.

    Raises:
        AffinityZooError: as :func:`model_folders`, or it is an ensemble.
    """
    fetch_missing(model, offline)
    folder = find_model_folder(model, runs)
    loading.check_files(folder)
    return folder


def load_model(
    model: Name, runs: str | Path = "summaries", *, offline: bool = False
) -> Model | ModelEnsemble:
    """Load a model or an ensemble by folder, run or name; a published one is fetched at its first use.

    Args:
        model: a model or ensemble directory, a run, or the name of a shipped, downloaded or published model.
        runs: folder of the runs, for a number.
        offline: download nothing.

    Returns:
        The model, or an ensemble of several; :func:`affinity_zoo.predict` takes both.

    Raises:
        AffinityZooError: as :func:`affinity_zoo.zoo.models.loading.load_model`, or it cannot be had.
    """
    folders = model_folders([model], runs, offline=offline)
    models = tuple(loading.load_models(folders, runs))
    return models[0] if len(models) == 1 else ModelEnsemble(Path(str(model)).name, models)


def load_models(
    names: Sequence[Name] | Name, runs: str | Path = "summaries", *, offline: bool = False
) -> list[Model]:
    """Load several models to score as an ensemble; published ones are fetched at their first use.

    Args:
        names: models, or one; an ensemble such as ``gnina-default`` stands for its members.
        runs: folder of the runs, for numbers.
        offline: download nothing.

    Returns:
        The models, each once.

    Raises:
        AffinityZooError: as :func:`load_model`.
    """
    given = [names] if isinstance(names, str | int | Path) else list(names)  # type: ignore[arg-type]
    return loading.load_models(model_folders(given, runs, offline=offline), runs)


def fetch_missing(model: Name, offline: bool = False) -> None:
    """Fetch a missing published model; other names are ignored.

    Args:
        model: what a user named.
        offline: download nothing.

    Raises:
        AffinityZooError: it is missing and downloads are forbidden, or it cannot be had.
    """
    wanted = published.find(str(model))
    if wanted is None or model_path(model) is not None or Path(str(model)).is_dir():
        return
    if offline or is_offline():
        raise AffinityZooError(
            f"{model} is not on this machine, and downloads are forbidden (offline): on a machine with "
            "internet access run `affinity-zoo "
            f"models get {wanted.name} -o models` and copy the folder models to this machine"
        )
    note(announcement(wanted))
    from affinity_zoo.zoo.runtime.keras import start_keras

    start_keras()
    get_model(wanted.name)


def announcement(wanted: published.Published) -> str:
    """Return a line with name, size, source and licence of a model to be fetched.

    Args:
        wanted: The published model.
    """
    wheels = {one.wheel for one in wanted.collections if one.wheel is not None}
    size = sum(wheel.size for wheel in wheels) + sum(
        published.family_of(file).size for file in wanted.files if published.collection_of(file).wheel is None
    )
    origin = ", ".join(
        f"package index, {one.wheel.project} {one.wheel.version}" if one.wheel else one.repository
        for one in wanted.collections
    )
    count = len(wanted.files)
    return (
        f"{wanted.name} is fetched once into {models_home()}: {count} network{'s' if count > 1 else ''}, about "
        f"{size / 1e6:.0f} MB ({origin}); licence: {wanted.licence}"
    )
