"""Conversion of gnina's published weights to model directories: the function behind ``affinity-zoo import gnina``."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.importers.torch_files import read_torch_file
from affinity_zoo.zoo.models import published
from affinity_zoo.zoo.models.ensembles import write_ensemble
from affinity_zoo.zoo.runtime.files import whole_folder

if TYPE_CHECKING:
    import keras

Weights = Mapping[str, NDArray[np.float32]]
OUTPUTS = ("pose", "affinity")
CITE = "McNutt et al., GNINA 1.0, J. Cheminform. 2021, 13, 43"
HEADLINE = "gnina's published weights: same scores as gnina-torch within 1e-4 from typed input; see `overlap`"
UNKNOWN = "the file is not a published file of this name, and does not state its training data"
LIMITS = [
    "docked poses in a known pocket; the affinity is meant for good poses",
    "from PDB and SDF input atoms are typed by this package, not by gnina's Open Babel: scores differ, see "
    "docs/models.md",
    "few metals, cofactors, covalent ligands, nucleic acids in training",
]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")

#: weight whose name identifies the architecture
SIGNS = {
    "unit1_conv1.weight": "gnina-default2017",
    "unit1_conv.weight": "gnina-default2018",
    "data_enc_init_conv.weight": "gnina-dense",
}


def import_gnina(
    files: Sequence[str | Path], out: str | Path, *, ensemble: str | None = None, about: str = ""
) -> list[Path]:
    """Convert weight files to model directories ``out/<file name>``, or to one ensemble ``out/<ensemble>``.

    Args:
        files: published state dicts or TorchScript archives (``.pt``); nothing in them is executed.
        out: folder to write to.
        ensemble: name of an ensemble directory that holds them all; it appears whole or not at all.
        about: a sentence on the ensemble.

    Returns:
        The model directories; of an ensemble its one folder.

    Raises:
        AffinityZooError: a file is not one of gnina's networks, or two have one name.
    """
    paths = [Path(file) for file in files]
    if len({path.stem for path in paths}) < len(paths):
        raise UsageError(
            "two files have the same name: rename one, because each becomes a folder with its name"
        )
    if ensemble is None:
        return [import_single(path, Path(out) / path.stem) for path in paths]
    if not _NAME.fullmatch(ensemble):
        raise UsageError(
            f"`ensemble` is the name of a folder to make, letters, digits, - and _, not {ensemble!r}"
        )
    return [import_ensemble(paths, Path(out) / ensemble, ensemble, about)]


def import_single(file: Path, folder: Path, name: str = "") -> Path:
    """Convert one weight file to the model directory ``folder``; errors as :func:`import_gnina`.

    Args:
        file: State dict or TorchScript archive of gnina.
        folder: Model directory to write.
        name: Name of the model on its card and on boards; empty: gnina and the name of the file.
    """
    return _convert(file, read_weights(file), folder, name)


def import_ensemble(files: Sequence[Path], folder: Path, name: str, about: str = "") -> Path:
    """Convert weight files to an ensemble directory, whole or not at all; errors as :func:`import_gnina`.

    Args:
        files: State dict or TorchScript archive of gnina.
        folder: Model directory to write.
        name: Name of the model.
        about: A description.
    """
    with whole_folder(folder) as temporary:
        for file in files:
            import_single(file, temporary / file.stem)
        write_ensemble(temporary, name, [file.stem for file in files], about, CITE)
    return folder


def read_weights(path: Path) -> Weights:
    """Read one of gnina's files, a state dict or a TorchScript archive, without PyTorch.

    Args:
        path: the file.

    Returns:
        Weights by name; counters of training steps are left out.

    Raises:
        AffinityZooError: the file cannot be read safely, or a TorchScript archive states another grid.
    """
    found = read_torch_file(path)
    _check_grid(path, found.extra.get("metadata"))
    return {name: value for name, value in found.tensors.items() if not name.endswith("num_batches_tracked")}


def _check_grid(path: Path, text: str | None) -> None:
    """Refuse a network whose archive states another grid than gnina's, or transformed outputs."""
    if text is None:
        return
    try:
        metadata = json.loads(text)
        resolution, dimension = float(metadata["resolution"]), float(metadata["dimension"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise AffinityZooError(f"{path}: its metadata is damaged ({error}); get the file again") from error
    changed = sorted(
        key for key in ("skip_softmax", "apply_logistic_loss", "radius_scaling") if metadata.get(key)
    )
    if (resolution, dimension) != (0.5, 23.5) or changed:
        what = f"sets {changed[0]}" if changed else f"is for a grid of {dimension:g} Å at {resolution:g} Å"
        raise AffinityZooError(
            f"{path}: {what}; only networks for gnina's grid of 23.5 Å at 0.5 Å can be imported"
        )


def _convert(file: Path, weights: Weights, folder: Path, called: str = "") -> Path:
    from affinity_zoo.featurizers import layers
    from affinity_zoo.zoo.architectures.gnina import GRID
    from affinity_zoo.zoo.catalog.registry import catalog
    from affinity_zoo.zoo.inference.reference import write_reference
    from affinity_zoo.zoo.models.loading import save_model
    from affinity_zoo.zoo.models.plugin_choice import choose
    from affinity_zoo.zoo.models.recipe import BoxChoice, Data, Recipe
    from affinity_zoo.zoo.models.scoring_model import ScoringModel

    name = architecture_of(file, weights)
    scheme = "default2017" if name == "gnina-default2017" else "default"
    recipe = Recipe()
    # gnina's training files know the rings of tryptophan as Open Babel types them: not aromatic
    options = {"scheme": scheme, "typing": "openbabel"}
    featurizer_choice, featurizer = choose("featurizer", recipe.featurizer, "atom-types", options)
    architecture_choice, _ = choose("architecture", recipe.architecture, name, {})
    side = GRID.side
    network = (
        catalog().create("architecture", name).build((side, side, side, len(featurizer.channels)), OUTPUTS)
    )
    fill(network, weights, file)
    box = BoxChoice(side, GRID.spacing, GRID.grid)
    recipe = Recipe(
        featurizer_choice, architecture_choice, box, data=Data(read_options={"typing": "openbabel"})
    )
    model = ScoringModel(network, layers.for_featurizer(featurizer, GRID), name="scoring_model")
    folder.parent.mkdir(parents=True, exist_ok=True)
    save_model(folder, model, recipe, _card(file, name, called), None)
    write_reference(folder, model, featurizer, GRID, OUTPUTS)
    return folder


def architecture_of(file: Path, weights: Weights) -> str:
    """Recognise the architecture by the names of the weights.

    Args:
        file: State dict or TorchScript archive of gnina.
        weights: Arrays by name.

    Raises:
        AffinityZooError: they are none of gnina's.
    """
    for sign, name in SIGNS.items():
        if sign in weights:
            return name
    raise AffinityZooError(f"{file}: not weights of gnina's default2017, default2018 or dense network")


def fill(network: keras.Model, weights: Weights, file: Path) -> None:
    """Put a state dict's values into a network whose layers have its names; each must be used.

    PyTorch keeps convolutions as (out, in, D, H, W) and flattens channels first; Keras keeps
    (D, H, W, in, out) and flattens channels last.

    Args:
        network: Network whose layers have the names of the weights.
        weights: Arrays by name.
        file: State dict or TorchScript archive of gnina.
    """
    left = dict(weights)
    for layer in network.layers:
        if not layer.weights:
            continue
        of_layer = [key for key in left if f".{key}".rpartition(".")[0].endswith(f".{layer.name}")]
        found = {key.rpartition(".")[2]: left.pop(key) for key in of_layer}
        try:
            layer.set_weights(_as_keras(layer, found))
        except (KeyError, ValueError) as error:
            raise AffinityZooError(
                f"{file}: the weights of layer {layer.name} do not fit ({error})"
            ) from error
    if left:
        raise AffinityZooError(
            f"{file}: {len(left)} weights do not belong to the network (the first is {sorted(left)[0]})"
        )


def _as_keras(layer: Any, found: dict[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    kind = type(layer).__name__
    if kind == "BatchNormalization":
        return [found[name] for name in ("weight", "bias", "running_mean", "running_var")]
    weight = found["weight"]
    if kind == "Conv3D":
        return [weight.transpose(2, 3, 4, 1, 0), found["bias"]]
    out, fan_in = weight.shape
    side = round((fan_in / 128) ** (1 / 3))
    if side > 1 and 128 * side**3 == fan_in:  # after a flattened convolution of 128 channels
        weight = weight.reshape(out, 128, side, side, side).transpose(0, 2, 3, 4, 1).reshape(out, fan_in)
    return [weight.T, found["bias"]]


def _card(file: Path, architecture: str, called: str) -> dict[str, Any]:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    known = published.BY_HASH.get(digest)
    card: dict[str, Any] = {
        "format": 1,
        "name": called or f"gnina {known or file.stem}",
        "headline": HEADLINE,
        "outputs": [
            {"name": "pose", "unit": "logit", "direction": "higher is better"},
            {"name": "affinity", "unit": "pK", "direction": "higher is better"},
        ],
        # the sigmoid of the pose logit is gnina's CNNscore as published
        "logit_correction": 0.0,
        # gnina scores the pose in the orientation of the file
        "views": 1,
        "threshold": 0.0,
        "epoch": 0,
        "training_ids_hash": "",
        "shuffled_labels": False,
        "imported_from": {"file": file.name, "sha256": digest, "known": known is not None},
        "architecture": architecture,
    }
    if known is None:
        return {
            **card,
            "trained_on": UNKNOWN,
            "overlap": f"cannot know: {UNKNOWN}",
            "cite": [CITE],
            "limits": LIMITS,
        }
    family, collection = published.family_of(known), published.collection_of(known)
    return {
        **card,
        "about": family.about,
        "trained_on": family.trained_on,
        "overlap": family.overlap,
        "licence": collection.licence,
        "source": f"{collection.base_url}/{known}.pt",
        "cite": list(family.cite),
        "limits": LIMITS,
    }
