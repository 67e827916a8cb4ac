"""Model directories: ``model.keras``, ``recipe.toml``, ``card.json``, and loading them without running code."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.models.card_schema import check_card
from affinity_zoo.zoo.models.folders import FILES, Name, find_model_folder, find_model_folders
from affinity_zoo.zoo.models.readme import README, readme_text
from affinity_zoo.zoo.models.recipe import Recipe, from_tables
from affinity_zoo.zoo.models.safe_files import parse_json, read_json, read_toml
from affinity_zoo.zoo.models.safety import check_folder
from affinity_zoo.zoo.models.sizes import check_box, check_network
from affinity_zoo.zoo.runtime.archives import Limits, open_archive, read_member
from affinity_zoo.zoo.runtime.files import whole_folder

if TYPE_CHECKING:
    import keras

    from affinity_zoo.plugins.contracts import Architecture, Box, Featurizer


_REMEDY = f"a model directory needs {', '.join(FILES)}"


@dataclass(frozen=True, eq=False)
class Model:
    """A trained model, ready to score.

    Attributes:
        network: the Keras model, from image or encoded atoms to ``(B, outputs)``.
        featurizer, architecture, box: rebuilt from the recipe.
        recipe: every choice of the training.
        card: what is known of the model: outputs with unit and direction, threshold, training ids hash.
        folder: where it lies.
    """

    network: keras.Model
    featurizer: Featurizer
    architecture: Architecture
    box: Box
    recipe: Recipe
    card: Mapping[str, Any]
    folder: Path


@dataclass(frozen=True, eq=False)
class ModelEnsemble:
    """Several models that score as one; iterating gives its members.

    Attributes:
        name: of the ensemble.
        models: its members.
    """

    name: str
    models: tuple[Model, ...]

    def __iter__(self) -> Iterator[Model]:
        """Yield the members."""
        return iter(self.models)

    def __len__(self) -> int:
        """Return the number of members."""
        return len(self.models)


def save_model(
    folder: Path,
    network: keras.Model,
    recipe: Recipe,
    card: Mapping[str, Any],
    training_pairs: Sequence[Mapping[str, str]] | None,
) -> None:
    """Write a model directory; it appears whole or not at all.

    Args:
        network: an uncompiled model: no optimizer is saved.
        training_pairs: ``id``, ``target`` and ``coordinates`` (hash) of each training row, for overlap checks;
            None where they are not known.
    """
    with whole_folder(folder) as temporary:
        network.save(temporary / "model.keras")
        recipe.write(temporary / "recipe.toml")
        (temporary / "card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
        (temporary / README).write_text(readme_text(card), encoding="utf-8")
        if training_pairs is not None:
            with (temporary / "training_pairs.csv").open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, ["id", "target", "coordinates"], lineterminator="\n")
                writer.writeheader()
                writer.writerows(training_pairs)


def load_models(names: Sequence[Name], runs: str | Path = "summaries") -> list[Model]:
    """Load several models, to score as an ensemble.

    Args:
        names: each a model directory, a run, the name of a shipped model, or an ensemble directory, which
            stands for its members. A model that comes twice is loaded once.
        runs: folder of the runs, for numbers.

    Raises:
        AffinityZooError: as :func:`load_model`; missing models are reported before anything is loaded.
    """
    return [_load(folder) for folder in find_model_folders(names, runs)]


def load_model(model: Name, runs: str | Path = "summaries") -> Model:
    """Load a model directory. Nothing in it is executed: Keras safe mode, no pickle, plugins by name.

    Args:
        model: a model directory, the name of a shipped model, a run as ``train`` returned it, its number, or
            one of its folders.
        runs: folder of the runs, for a number.

    Raises:
        AffinityZooError: it is not a model, it needs a plugin that is not installed (named, with the
            distribution and version), or the plugin's encoding is not the one it was trained with.
    """
    return _load(find_model_folder(model, runs))


def _load(folder: Path) -> Model:
    recipe = read_model_recipe(folder)
    card = read_card(folder)
    featurizer, architecture = plugins_of(recipe, folder)
    check_encoding(featurizer, recipe, folder)
    check_box(recipe.box.side, recipe.box.spacing, len(featurizer.channels), folder)
    objects = {**featurizer.custom_objects(), **architecture.custom_objects()}
    check_folder(folder, objects)
    network = _load_network(folder / "model.keras", objects)
    return Model(network, featurizer, architecture, box_of(recipe), recipe, card, folder)


def check_files(folder: Path) -> None:
    """Check a model directory without Keras: recipe, card, sizes, weights.

    Args:
        folder: the model directory.

    Raises:
        AffinityZooError: a file is missing, damaged, or made to exhaust the machine.
    """
    read_model_recipe(folder)
    read_card(folder)
    check_folder(folder, None)


def box_of(recipe: Recipe) -> Box:
    """Return the box of a resolved recipe.

    Args:
        recipe: Parts, options, data and training fields that make a run.
    """
    from affinity_zoo.plugins.contracts import Box

    return Box(recipe.box.side, recipe.box.spacing, recipe.box.grid)


def plugins_of(recipe: Recipe, where: object) -> tuple[Featurizer, Architecture]:
    """Make the featurizer and the architecture of a recipe.

    Args:
        recipe: Parts, options, data and training fields that make a run.
        where: File, for messages.

    Raises:
        AffinityZooError: one is not installed; the message names its distribution and version.
    """
    from affinity_zoo.zoo.catalog.registry import catalog

    made = []
    for kind, choice in (("featurizer", recipe.featurizer), ("architecture", recipe.architecture)):
        try:
            if choice.distribution:
                catalog().require(kind, choice.name, choice.distribution, choice.version)
            made.append(catalog().create(kind, choice.name, choice.options))
        except AffinityZooError as error:
            raise AffinityZooError(f"{where}: {error}") from error
    return made[0], made[1]


def check_encoding(featurizer: Featurizer, recipe: Recipe, where: object) -> None:
    """Refuse a featurizer whose encoding differs from that of the training.

    Args:
        featurizer: An instance with its options.
        recipe: Parts, options, data and training fields that make a run.
        where: File, for messages.

    Raises:
        AffinityZooError: the hashes differ.
    """
    from affinity_zoo.zoo.models.provenance import encoding_hash

    trained = recipe.featurizer
    if trained.encoding_hash and encoding_hash(featurizer) != trained.encoding_hash:
        raise AffinityZooError(
            f"{where} was trained with {trained.name!r} of {trained.distribution} {trained.version}, which encodes "
            f"atoms differently from the installed version; install that version, or train again"
        )


def read_model_recipe(folder: Path) -> Recipe:
    """Read a model directory's recipe; Keras is not needed.

    Args:
        folder: the model directory.

    Returns:
        The recipe.

    Raises:
        AffinityZooError: it is missing or damaged, or its box is out of range.
    """
    path = folder / "recipe.toml"
    try:
        recipe = from_tables(read_toml(path), str(path))
    except (TypeError, ValueError, OverflowError) as error:
        raise AffinityZooError(f"{path}: cannot be read ({error}); {_REMEDY}") from error
    if recipe.box.side or recipe.box.spacing:  # else the featurizer's own
        check_box(recipe.box.side, recipe.box.spacing, 1, path)
    return recipe


def read_card(folder: Path) -> Mapping[str, Any]:
    """Read a model directory's card; Keras is not needed.

    Args:
        folder: the model directory.

    Returns:
        The card, with the fields that scoring needs filled in.

    Raises:
        AffinityZooError: it is missing or damaged, or lacks what scoring needs.
    """
    path = folder / "card.json"
    card = read_json(path)
    check_card(card, path)
    return {"logit_correction": 0.0, "threshold": None, "epoch": 0, **card}


def _load_network(path: Path, custom_objects: dict[str, Any]) -> keras.Model:
    try:
        import keras

        from affinity_zoo.featurizers import layers  # noqa: F401  (registers the voxelizers with Keras)
        from affinity_zoo.zoo.models.scoring_model import ScoringModel

        with open_archive(path, Limits()) as archive:
            config = parse_json(read_member(archive, "config.json", 8 << 20).decode("utf-8"), path)
        check_network(config, custom_objects, path)
        loaded = keras.saving.load_model(path, custom_objects=custom_objects, compile=False, safe_mode=True)
        if not isinstance(loaded, ScoringModel):
            raise AffinityZooError(
                f"{path}: not a model of affinity-zoo but a {type(loaded).__name__}; train or import one"
            )
    except AffinityZooError:
        raise
    except Exception as error:  # Keras and its backend raise a dozen kinds for a damaged configuration
        first = str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
        raise AffinityZooError(
            f"{path}: cannot be loaded safely ({first}); get the model again from where it came"
        ) from error
    return loaded
