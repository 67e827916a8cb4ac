"""The recipe: every resolved choice of a training, read from and written to TOML."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.runtime.files import whole

#: what an output of a model can mean: pose and activity are logits, affinity is in pK, rmsd in Å
TASKS = ("pose", "activity", "affinity", "rmsd")


@dataclass(frozen=True)
class Choice:
    """A plugin by name, with its options and where it came from."""

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
    """How the box is turned and shifted in training."""

    rotate: bool = True
    max_shift: float = 2.0  #: Å on each axis
    keep_inside: bool = True  #: limit the shift so that every ligand atom stays in the box


@dataclass(frozen=True)
class Training:
    """How the network is trained. The table of the recipe that the command line overrides."""

    epochs: int = 10
    batch_size: int = 32
    learning_rate: float = 3e-4
    seed: int = 0
    false_positive_weight: float = 1.0  #: weight of the negative term of the loss
    balance: Literal["none", "oversample"] = "oversample"
    mixed_precision: bool = False
    shuffle_labels: bool = False
    #: which validation score chooses the epoch; auto: AUC within complexes, of an affinity model the RMSE
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
    early_stopping: int = 0  #: epochs without improvement before stopping; 0: never
    keep: Literal["best", "last"] = "best"  #: which epoch's weights become the model
    optimizer: Literal["adam", "adamw"] = "adam"
    weight_decay: float = 0.0
    #: where training poses may come from (column ``source``); empty: near-native positives prepared
    #: as the decoys are, where the index has them (relaxed and redocked), else crystal poses
    sources: tuple[str, ...] = ()
    #: what the outputs mean, in their order: pose, activity (logits), affinity (pK) and rmsd (Å)
    tasks: tuple[str, ...] = ("pose",)
    task_weights: tuple[float, ...] = ()  #: of each task in the loss; empty: 1 each
    affinity_loss: Literal["huber", "mse"] = "huber"  #: of the RMSD too
    huber_delta: float = 1.0  #: pK and Å; errors beyond it count linearly
    rmsd_cap: float = 8.0  #: Å; of a pose farther off the network learns only that it is at least so far off
    #: masked: the affinity of a wrong pose is not shown; one-sided: only predicting more is penalised
    affinity_on_wrong_poses: Literal["masked", "one-sided"] = "masked"
    #: learning rate over the steps: constant, or a linear rise over ``warm_up`` and a cosine down to 0
    schedule: Literal["constant", "cosine"] = "constant"
    warm_up: float = 0.05  #: share of all steps, with ``schedule = "cosine"``
    teachers: tuple[str, ...] = ()  #: models whose outputs are learnt too (knowledge distillation)
    teacher_weights: tuple[str, ...] = ()  #: SHA-256 of the teachers' networks
    teacher_views: int = 1  #: fixed orientations that the teachers' outputs are averaged over
    #: share of the truth in a pose label where there is a truth and a teacher's output; the rest is the teacher's
    truth_share: float = 0.5


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
    """What it was trained on."""

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
    """Every choice. ``recipe.toml`` holds one table a field."""

    featurizer: Choice = Choice("atom-types")
    architecture: Choice = Choice("resnet3d")
    box: BoxChoice = BoxChoice()
    views: Views = Views()
    training: Training = Training()
    data: Data = Data()
    head: Head = Head()
    start: Start = Start()

    def with_training(self, **changes: Any) -> Recipe:
        """Return a copy with fields of the table ``training`` changed; None leaves a field as it is.

        Raises:
            UsageError: there is no such field, or a value is not of its kind.
        """
        hints = get_type_hints(Training)
        unknown = sorted(set(changes) - set(hints))
        if unknown:
            raise UsageError(f"training has no option {unknown[0]!r}; it has {', '.join(hints)}")
        given = {
            # numbers of NumPy are as good as Python's
            key: _value(hints[key], value.item() if hasattr(value, "item") else value, _argument(key))
            for key, value in changes.items()
            if value is not None
        }
        return replace(self, training=replace(self.training, **given))

    def tables(self) -> dict[str, Any]:
        """Return the recipe as TOML's kinds of values: one table a field, lists for tuples, no None."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain

    def write(self, path: Path) -> None:
        """Write the recipe as TOML; the file appears whole or not at all."""
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

    Raises:
        UsageError: there is no such file or preset, or it is not a recipe; the message names the field.
    """
    text, where = _recipe_text(source)
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{where}: not TOML ({error}); mend it or leave out `recipe`") from error
    return from_tables(tables, str(where))


def from_tables(tables: Mapping[str, Any], where: str) -> Recipe:
    """Build a recipe from TOML tables, checking names and types."""
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
        raise UsageError(f"no recipe {str(source)!r}: give a file or one of {', '.join(presets())}")
    try:
        return path.read_text(encoding="utf-8"), path
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not a text file ({error}); a recipe is TOML") from error


def _table(kind: type, table: Mapping[str, Any], where: str) -> Any:
    hints = get_type_hints(kind)
    unknown = sorted(set(table) - set(hints))
    if unknown:
        raise UsageError(f"{where} has no field {unknown[0]!r}; it has {', '.join(hints)}")
    return kind(**{key: _value(hints[key], value, f"{where} {key}") for key, value in table.items()})


def _value(hint: Any, value: Any, where: str) -> Any:
    origin = get_origin(hint)
    if origin is Literal:
        if value not in get_args(hint):
            raise UsageError(f"{where} is {value!r}, not one of {', '.join(map(str, get_args(hint)))}")
        return value
    if origin is tuple:
        kind = get_args(hint)[0]
        if kind is float and not isinstance(value, str):
            value = [float(item) if type(item) is int else item for item in value]
        if isinstance(value, str) or not all(isinstance(item, kind) for item in value):
            raise UsageError(f"{where} is {value!r}, not a list of {kind.__name__}")
        return tuple(value)
    if origin is not None:  # Mapping[str, Any]
        return dict(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise UsageError(f"{where} is {value!r}, not of type {hint.__name__}")
    return value


def _plain(value: Any) -> Any:
    """Turn tuples into lists and drop None, which TOML does not know."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return value.item() if hasattr(value, "item") else value


def check_training(training: Training) -> None:
    """Refuse impossible numbers and tasks with a sentence.

    Raises:
        UsageError: a number is out of its range, or a task is not one of :data:`TASKS`.
    """
    _check_tasks(training)
    rules = (
        (training.epochs >= 1, "epochs", "at least 1"),
        (training.batch_size >= 1, "batch_size", "at least 1"),
        (0 < training.learning_rate < math.inf, "learning_rate", "greater than 0"),
        (0 < training.false_positive_weight < math.inf, "false_positive_weight", "greater than 0"),
        (training.early_stopping >= 0, "early_stopping", "0 (never) or more"),
        (0 < training.huber_delta < math.inf, "huber_delta", "greater than 0"),
        (0 < training.rmsd_cap < math.inf, "rmsd_cap", "greater than 0"),
        (training.seed >= 0, "seed", "0 or more"),
        (0 <= training.warm_up < 1, "warm-up", "from 0 to below 1"),
        (training.teacher_views >= 1, "teacher-views", "at least 1"),
        (0 <= training.truth_share <= 1, "truth-share", "from 0 to 1"),
    )
    for fine, name, rule in rules:
        if not fine:
            raise UsageError(f"`{name}` must be {rule}")


def _check_tasks(training: Training) -> None:
    tasks, weights = training.tasks, training.task_weights
    if not tasks or len(set(tasks)) < len(tasks) or not set(tasks) <= set(TASKS):
        raise UsageError(
            f"`tasks` is {','.join(tasks)!r}: name one or several of {', '.join(TASKS)}, each once"
        )
    if weights and (len(weights) != len(tasks) or not all(0 < weight < math.inf for weight in weights)):
        raise UsageError(f"`task_weights` are one number greater than 0 for each of {', '.join(tasks)}")
    if training.monitor not in ("auto", *monitors(tasks)):
        raise UsageError(
            f"`monitor={training.monitor!r}` cannot be measured for `tasks={','.join(tasks)}`: choose one of "
            f"{', '.join(monitors(tasks))}"
        )


def monitors(tasks: tuple[str, ...]) -> tuple[str, ...]:
    """Validation scores that can choose the epoch of a training for these tasks; the first is the default."""
    of_labels = ("roc-auc-per-complex", "roc-auc") if {"pose", "activity"} & {*tasks} else ()
    of_affinity = ("rmse", "pearson", "spearman") if "affinity" in tasks else ()
    of_rmsd = ("rmse-rmsd", "spearman-rmsd") if "rmsd" in tasks else ()
    return (*of_labels, *of_affinity, *of_rmsd, "loss")


def _argument(field_name: str) -> str:
    return f"`{field_name}`"
