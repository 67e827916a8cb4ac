"""List of local and downloadable models, and their cards. Keras is not needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.plugins.names import nearest
from affinity_zoo.zoo import shipped
from affinity_zoo.zoo.models import published
from affinity_zoo.zoo.models.ensembles import ENSEMBLE_FILE, read_ensemble
from affinity_zoo.zoo.models.folders import Name, find_model_folder, model_path
from affinity_zoo.zoo.models.home import BESIDE, models_home

DEFAULT_VIEWS = 4  #: number of views if the cards do not state it


def listing(pattern: str = "*", folder: Path | None = None) -> list[dict[str, Any]]:
    """List shipped models, those in a folder, and those that can be downloaded.

    Args:
        pattern: only names like this, ``gnina*``.
        folder: where downloaded and imported models lie; None: ``models``, then the user's folder of models.

    Returns:
        ``name``, ``where`` (``shipped``, ``in FOLDER``, ``to download``), ``outputs``, ``about``; by name.
    """
    rows = [_row(name, shipped.FOLDER / name, "shipped") for name in shipped.names()]
    taken: set[str] = set()
    for place in (BESIDE, models_home()) if folder is None else (folder,):
        here = [path for path in sorted(place.iterdir()) if _is_model(path)] if place.is_dir() else []
        rows += [_row(path.name, path, f"in {place}") for path in here if path.name not in taken]
        taken |= {path.name for path in here}
    rows += [
        {"name": one.name, "where": "to download", "outputs": "pose, affinity", "about": one.about}
        for one in published.CATALOGUE.values()
        if one.name not in taken
    ]
    return sorted((row for row in rows if fnmatch(row["name"], pattern)), key=lambda row: row["name"])


def card_of(name: Name, folder: Path | None = None, runs: Path = Path("summaries")) -> dict[str, Any]:
    """Return a model's card, folder and components.

    Args:
        name: a model or ensemble directory, a shipped name, a name in ``folder``, a run, or a published name.

    Raises:
        AffinityZooError: there is none of this name, or its card is damaged.
    """
    path = model_path(name) or (None if folder is None else model_path(folder / str(name)))
    if path is None and (str(name).isdigit() or Path(str(name)).is_dir()):
        path = find_model_folder(name, runs)
    if path is not None:
        return _described(path)
    to_download = published.find(str(name))
    if to_download is None:
        known = [row["name"] for row in listing("*", folder)]
        raise AffinityZooError(
            f"there is no model {str(name)!r}{nearest(str(name), known)}; `affinity-zoo models list` lists the models"
        )
    families = to_download.families
    return {
        "name": to_download.name,
        "about": to_download.about,
        "where": f"to download: `affinity-zoo models get {to_download.name}`",
        "files": {file: published.HASHES[file] for file in to_download.files},
        "trained_on": "; ".join(dict.fromkeys(family.trained_on for family in families)),
        "overlap": families[0].overlap,
        "licence": to_download.licence,
        "cite": list(dict.fromkeys(text for family in families for text in family.cite)),
    }


def default_views(cards: Iterable[Mapping[str, Any]]) -> int:
    """Return the default number of views per pose: the largest number on the cards.

    Args:
        cards: Content of ``card.json``.
    """
    return max((int(card.get("views", DEFAULT_VIEWS)) for card in cards), default=DEFAULT_VIEWS)


def outputs_text(card: Mapping[str, Any]) -> str:
    """The outputs of a card in a few words: ``pose (logit, higher is better)``.

    Args:
        card: Content of ``card.json``.
    """
    return ", ".join(
        f"{one['name']} ({one['unit']}, {one['direction']})" for one in card.get("outputs") or ()
    )


def _is_model(path: Path) -> bool:
    return (path / "model.keras").is_file() or (path / ENSEMBLE_FILE).is_file()


def _row(name: str, path: Path, where: str) -> dict[str, Any]:
    from affinity_zoo.zoo.models.loading import read_card

    try:
        if (path / ENSEMBLE_FILE).is_file():
            ensemble = read_ensemble(path)
            card = read_card(ensemble.members[0])
            about = ensemble.about or f"ensemble of {len(ensemble.members)}"
        else:
            card = read_card(path)
            about = str(card.get("about") or card.get("headline") or card.get("name") or "")
        outputs = ", ".join(str(one["name"]) for one in card.get("outputs") or ())
    except AffinityZooError as error:
        about, outputs = f"cannot be used: {error}", ""
    return {"name": name, "where": where, "outputs": outputs, "about": about}


def _described(path: Path) -> dict[str, Any]:
    from affinity_zoo.zoo.models.loading import read_card

    if (path / ENSEMBLE_FILE).is_file():
        ensemble = read_ensemble(path)
        cards = [dict(read_card(member)) for member in ensemble.members]
        same = {
            key: value for key, value in cards[0].items() if all(card.get(key) == value for card in cards)
        }
        same.pop("imported_from", None)
        members = [
            {"folder": m.name, "name": c.get("name")} for m, c in zip(ensemble.members, cards, strict=True)
        ]
        trained = "; ".join(dict.fromkeys(str(card.get("trained_on", "")) for card in cards))
        cite = list(dict.fromkeys(text for card in cards for text in _texts(card.get("cite"))))
        return {
            **same, "name": ensemble.name, "about": ensemble.about, "where": str(path), "members": members,
            "trained_on": trained, "cite": cite,
        }  # fmt: skip
    where = "shipped with affinity-zoo" if path.parent == shipped.FOLDER else str(path)
    return {**read_card(path), "where": where, "made_of": _made_of(path)}


def _made_of(path: Path) -> str:
    """Featurizer, architecture and box of the recipe, in a few words."""
    from affinity_zoo.zoo.models.loading import read_model_recipe

    recipe = read_model_recipe(path)
    parts = []
    for choice in (recipe.featurizer, recipe.architecture):
        options = ", ".join(f"{key}={value}" for key, value in choice.options.items())
        parts.append(f"{choice.name} ({options})" if options else choice.name)
    return f"{' + '.join(parts)}, box {recipe.box.side}^3 at {recipe.box.spacing:g} Å"


def _texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(text) for text in value or ()]
