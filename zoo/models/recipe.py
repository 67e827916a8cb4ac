"""The recipe: every resolved choice of a training, read from and written to TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.runtime.files import whole

#: meanings of a model's outputs: pose and activity are logits, affinity is in pK, rmsd in Å
TASKS = ("pose", "activity", "affinity", "rmsd")

_Count = Annotated[int, Meta(ge=1)]
_CountOrZero = Annotated[int, Meta(ge=0)]
_Positive = Annotated[float, Meta(gt=0, le=1e9)]


@dataclass(frozen=True)
class Choice:
    """A plugin by name, with its options and its distribution."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    distribution: str = ""
    version: str = ""
    encoding_hash: str = ""  #: of a featurizer: SHA-256 of what it makes of every element and atom type


@dataclass(frozen=True)
class BoxChoice:
    """The box; ``side = 0`` means the featurizer's (or the architecture's) own."""

    side: int = 0
    spacing: float = 0.0  #: Å
    grid: Literal["cells", "points"] = "cells"


@dataclass(frozen=True)
class Views:
    """Rotation and shift of the box in training."""

    rotate: bool = True
    max_shift: float = 2.0  #: Å on each axis
    keep_inside: bool = True  #: limit the shift so that every ligand atom stays in the box


@dataclass(frozen=True)
class Training:
    """Training options. The command line overrides this table of the recipe."""

    epochs: _Count = 10
    batch_size: _Count = 32
    learning_rate: _Positive = 3e-4
    seed: _CountOrZero = 0
    false_positive_weight: _Positive = 1.0  #: weight of the negative term of the loss
    balance: Literal["none", "oversample"] = "oversample"
    #: half precision in the network; a training writes which: true is float16 in a recipe that was trained with
    mixed_precision: bool | Literal["float16", "bfloat16"] = False
    shuffle_labels: bool = False
    #: validation score that chooses the epoch; auto: AUC within complexes, or RMSE for an affinity model
    monitor: Literal[
        "auto",
        "roc-auc",
        "roc-auc-per-complex",
        "loss",
        "rmse",
        "pearson",
        "spearman",
        "rmse-rmsd",
        "spearman-rmsd",
    ] = "auto"
    early_stopping: _CountOrZero = 0  #: epochs without improvement before stopping; 0: never
    keep: Literal["best", "last"] = "best"  #: which epoch's weights become the model
    optimizer: Literal["adam", "adamw"] = "adam"
    weight_decay: float = 0.0
    #: sources of training poses (column ``source``); empty: near-native positives prepared like the
    #: decoys (relaxed and redocked) if the index has them, else crystal poses
    sources: tuple[str, ...] = ()
    #: tasks of the outputs, in order: pose, activity (logits), affinity (pK) and rmsd (Å)
    tasks: tuple[str, ...] = ("pose",)
    task_weights: tuple[_Positive, ...] = ()  #: of each task in the loss; empty: 1 each
    affinity_loss: Literal["huber", "mse"] = "huber"  #: of the RMSD too
    huber_delta: _Positive = 1.0  #: pK and Å; errors beyond it count linearly
    rmsd_cap: _Positive = 8.0  #: Å; a larger RMSD is learnt as a lower bound of this size
    #: masked: the affinity of a wrong pose is not learnt; one-sided: only larger predictions are penalised
    affinity_on_wrong_poses: Literal["masked", "one-sided"] = "masked"
    #: learning rate over the steps: constant, or a linear rise over ``warm_up`` and a cosine down to 0
    schedule: Literal["constant", "cosine"] = "constant"
    warm_up: Annotated[float, Meta(ge=0, lt=1)] = 0.05  #: share of all steps, with ``schedule = "cosine"``
    teachers: tuple[str, ...] = ()  #: models whose outputs are learnt too (knowledge distillation)
    teacher_weights: tuple[str, ...] = ()  #: SHA-256 of the teachers' networks
    teacher_views: _Count = 1  #: fixed orientations that the teachers' outputs are averaged over
    #: weight of the true pose label beside the teachers' output, where both exist
    truth_share: Annotated[float, Meta(ge=0, le=1)] = 0.5


@dataclass(frozen=True)
class Head:
    """The last step of an output with a unit: ``scale * network + offset``, from the truths of the training rows."""

    offset: float = 0.0  #: of the affinity, pK
    scale: float = 1.0
    rmsd_offset: float = 0.0  #: Å
    rmsd_scale: float = 1.0


@dataclass(frozen=True)
class Start:
    """The model that training starts from; empty: random weights."""

    model: str = ""  #: its folder, or the name of a shipped one
    name: str = ""  #: as its card says
    weights: str = ""  #: SHA-256 of its ``model.keras``
    freeze: int = 0  #: leading layers that are not trained
    outputs: tuple[str, ...] = ()  #: what its columns mean


@dataclass(frozen=True)
class Data:
    """The training data."""

    name: str = ""
    content_hash: str = ""
    n_train: int = 0
    n_positive: int = 0
    n_validation: int = 0
    ids_hash: str = ""
    read_options: Mapping[str, Any] = field(default_factory=dict)
    n_affinity: int = 0


@dataclass(frozen=True)
class Recipe:
    """All choices of a training. ``recipe.toml`` holds one table per field."""

    featurizer: Choice = Choice("atom-types")
    architecture: Choice = Choice("resnet3d")
    box: BoxChoice = BoxChoice()
    views: Views = Views()
    training: Training = Training()
    data: Data = Data()
    head: Head = Head()
    start: Start = Start()

    def with_training(self, **changes: Any) -> Recipe:
        """Return a copy with fields of the table ``training`` changed; None does not change a field.

        Args:
            changes: New values by name.

        Raises:
            UsageError: there is no such field, or a value is not of its kind.
        """
        hints = get_type_hints(Training, include_extras=True)
        unknown = sorted(set(changes) - set(hints))
        if unknown:
            raise UsageError(f"training has no option {unknown[0]!r}; it has {', '.join(hints)}")
        given = {
            # numbers of NumPy are as good as Python's
            key: _value(hints[key], value.item() if hasattr(value, "item") else value, f"`{key}`")
            for key, value in changes.items()
            if value is not None
        }
        return replace(self, training=replace(self.training, **given))

    def tables(self) -> dict[str, Any]:
        """Return the recipe as TOML's kinds of values: one table a field, lists for tuples, no None."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain

    def write(self, path: Path) -> None:
        """Write the recipe as TOML; the file appears whole or not at all.

        Args:
            path: The file.
        """
        import tomli_w

        with whole(Path(path)) as file:
            file.write(tomli_w.dumps(self.tables()))


def presets() -> list[str]:
    """Names of the recipes that come with the package."""
    folder = resources.files("affinity_zoo.zoo.models")
    return sorted(
        entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")
    )


def read_recipe(source: str | Path) -> Recipe:
    """Read a recipe from a file or by the name of a preset.

    Args:
        source: File, or name of a preset.

    Raises:
        UsageError: there is no such file or preset, or it is not a recipe; the message names the field.
    """
    text, where = _recipe_text(source)
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{where}: not TOML ({error}); correct it or leave out `recipe`") from error
    return from_tables(tables, str(where))


def from_tables(tables: Mapping[str, Any], where: str) -> Recipe:
    """Build a recipe from TOML tables, checking names and types.

    Args:
        tables: Tables by name.
        where: File, for messages.
    """
    kinds = {f.name: type(getattr(Recipe(), f.name)) for f in fields(Recipe)}
    unknown = sorted(set(tables) - set(kinds))
    if unknown:
        raise UsageError(f"{where}: unknown table [{unknown[0]}]; a recipe has {', '.join(kinds)}")
    made = {}
    for name, table in tables.items():
        if not isinstance(table, Mapping):
            raise UsageError(f"{where}: {name} is a table, write [{name}]")
        made[name] = _table(kinds[name], table, f"{where}: [{name}]")
    return Recipe(**made)


def _recipe_text(source: str | Path) -> tuple[str, str | Path]:
    preset = resources.files("affinity_zoo.zoo.models") / f"{source}.toml"
    if "/" not in str(source) and preset.is_file():
        return preset.read_text(encoding="utf-8"), f"recipe {source}"
    path = Path(source)
    if not path.is_file():
        raise UsageError(f"there is no recipe {str(source)!r}: give a file or one of {', '.join(presets())}")
    try:
        return path.read_text(encoding="utf-8"), path
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not a text file ({error}); a recipe is TOML") from error


def _table(kind: type, table: Mapping[str, Any], where: str) -> Any:
    hints = get_type_hints(kind, include_extras=True)
    unknown = sorted(set(table) - set(hints))
    if unknown:
        raise UsageError(f"{where} has no field {unknown[0]!r}; it has {', '.join(hints)}")
    return kind(**{key: _value(hints[key], value, f"{where} {key}") for key, value in table.items()})


def _value(hint: Any, value: Any, where: str) -> Any:
    try:
        return msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        choices = get_args(hint) if get_origin(hint) is Literal else ()
        problem = f"expected one of {', '.join(choices)}" if choices else str(error).replace("`", "")
        raise UsageError(f"{where} is {value!r}: {problem[0].lower()}{problem[1:]}") from error


def _plain(value: Any) -> Any:
    """Turn tuples into lists and drop None, which TOML does not know."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return value.item() if hasattr(value, "item") else value


def check_training(training: Training) -> None:
    """Check that the tasks, their weights and the monitored score fit together.

    Args:
        training: values that are each within their range.

    Raises:
        UsageError: A task is not one of :data:`TASKS`, the weights do not match, or the monitor is not measured.
    """
    tasks, weights = training.tasks, training.task_weights
    if not tasks or len(set(tasks)) < len(tasks) or not set(tasks) <= set(TASKS):
        raise UsageError(
            f"`tasks` is {','.join(tasks)!r}: give one or several of {', '.join(TASKS)}, each once"
        )
    if weights and len(weights) != len(tasks):
        raise UsageError(f"`task_weights` needs one number for each of {', '.join(tasks)}")
    if training.monitor not in ("auto", *monitors(tasks)):
        raise UsageError(
            f"`monitor={training.monitor!r}` cannot be measured for `tasks={','.join(tasks)}`: choose one of "
            f"{', '.join(monitors(tasks))}"
        )


def monitors(tasks: tuple[str, ...]) -> tuple[str, ...]:
    """Validation scores that can choose the epoch of a training for these tasks; the first is the default.

    Args:
        tasks: Outputs that are learnt: ``pose``, ``activity``, ``affinity``, ``rmsd``.
    """
    of_labels = ("roc-auc-per-complex", "roc-auc") if {"pose", "activity"} & {*tasks} else ()
    of_affinity = ("rmse", "pearson", "spearman") if "affinity" in tasks else ()
    of_rmsd = ("rmse-rmsd", "spearman-rmsd") if "rmsd" in tasks else ()
    return (*of_labels, *of_affinity, *of_rmsd, "loss")
