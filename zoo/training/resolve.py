"""Resolution of a recipe: all open choices, and the training rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Architecture, Box, Featurizer
from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.batches.fits import fits_box
from affinity_zoo.zoo.models.provenance import ids_hash
from affinity_zoo.zoo.models.recipe import BoxChoice, Data, Head, Recipe, Training
from affinity_zoo.zoo.runtime.backends.base import Backend, Half
from affinity_zoo.zoo.training.targets import TRUTH, Targets, targets_of
from affinity_zoo.zoo.training.teacher import Teacher, with_teachers

if TYPE_CHECKING:
    from affinity_zoo.zoo.data.store.dataset import Dataset

#: near-native positives that were prepared as the decoys were; crystal poses are left out beside them,
#: or the model learns "was it docked" (the distances of a raw crystal pose give it away)
PREPARED_ALIKE = ("crystal_relaxed", "near_native", "sampled")


#: what a resumed run may do otherwise than before; a new version must still encode alike
MAY_CHANGE = frozenset(
    {"training.epochs", "training.early_stopping", "featurizer.version", "architecture.version", "data.name"}
)


def refuse_changes(before: Recipe, now: Recipe, x: int) -> None:
    """Refuse to resume a run with other choices, because its recipe would not hold for all epochs.

    Args:
        before: Recipe of the run.
        now: Recipe of the call.
        x: Number of the run.

    Raises:
        UsageError: a choice differs.
        AffinityZooError: the training or validation poses differ.
    """
    old, new = _flat(before.tables()), _flat(now.tables())
    for name in sorted({*old, *new} - MAY_CHANGE):
        if old.get(name) == new.get(name):
            continue
        if name.startswith("data."):
            raise AffinityZooError(
                f"run {x} was trained on other poses ({name} differs): split or read the index as before, "
                "or start a new run without `resume`"
            )
        raise UsageError(
            f"run {x} was trained with {name} = {old.get(name)!r}, not {new.get(name)!r}: `resume` changes `epochs` "
            "and `early_stopping` only; start a new run for anything else"
        )


def _flat(tables: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tables.items():
        name = f"{prefix}{key}"
        flat |= _flat(value, f"{name}.") if isinstance(value, Mapping) else {name: value}
    return flat


def choose_box(recipe: Recipe, featurizer: Featurizer, architecture: Architecture) -> BoxChoice:
    """Take the recipe's box, else the architecture's, else the featurizer's.

    Args:
        recipe: Parts, options, data and training fields that make a run.
        featurizer: An instance with its options.
        architecture: An instance with its options.
    """
    default: Box = architecture.default_box or featurizer.default_box
    box = recipe.box
    if not box.side and not box.spacing:
        return BoxChoice(default.side, default.spacing, default.grid)
    return BoxChoice(box.side or default.side, box.spacing or default.spacing, box.grid)


def choose_precision(wanted: bool | Half, backend: Backend, before: Recipe | None) -> bool | Half:
    """Choose the type of half precision: as requested, that of the resumed run, or the backend's.

    Args:
        wanted: The recipe's field; True leaves the choice.
        backend: The backend that trains.
        before: Recipe of the run that is resumed; None: a new run.
    """
    if wanted is not True:
        return wanted
    # a run of an earlier version has True and was trained in float16
    trained = before.training.mixed_precision if before is not None else False
    return trained or backend.half_precision()


def choose_sources(
    dataset: Dataset, wanted: tuple[str, ...], tasks: tuple[str, ...] = ("pose",)
) -> tuple[str, ...]:
    """Choose the sources of training poses: as requested, else positives prepared like the decoys.

    A model that does not learn poses takes all sources.

    Args:
        dataset: The index.
        wanted: Sources from the user; empty: choose.
        tasks: Output that is learnt: ``pose``, ``activity``, ``affinity`` or ``rmsd``.
    """
    present = sorted(set(dataset.column("source").tolist()))
    if wanted:
        missing = [source for source in wanted if source not in present]
        if len(missing) == len(wanted):
            raise AffinityZooError(
                f"{dataset.path} has no poses of source {', '.join(wanted)} (it has {', '.join(present)}); "
                "change `sources`"
            )
        return tuple(source for source in wanted if source in present)
    if {"pose", "rmsd"} & {*tasks} and any(source in present for source in PREPARED_ALIKE):
        return tuple(source for source in present if source != "crystal")
    return tuple(present)


@dataclass(frozen=True, eq=False)
class Rows:
    """Row numbers of the index, with their targets."""

    rows: NDArray[np.int64]
    targets: Targets

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def labels(self) -> NDArray[np.float64]:
        """(n,) labels for balancing and counting: of pose, else of activity; NaN if missing."""
        task = self.targets.label_task
        return np.full(len(self), np.nan) if task is None else self.targets.of(task)

    @property
    def positives(self) -> int:
        """Number of rows with label 1."""
        return int((self.labels == 1).sum())

    @property
    def negatives(self) -> int:
        """Number of rows with label 0."""
        return int((self.labels == 0).sum())

    @property
    def affinities(self) -> int:
        """Number of rows with an affinity, bounds included."""
        return int(self.targets.known[:, self._affinity].sum()) if self._affinity is not None else 0

    @property
    def _affinity(self) -> int | None:
        tasks = self.targets.tasks
        return tasks.index("affinity") if "affinity" in tasks else None


def labelled_rows(dataset: Dataset, split: str, training: Training) -> Rows:
    """Return the rows of a split with a target for any task of the recipe, from its sources.

    Args:
        dataset: The index.
        split: ``train``, ``validation``, ``test`` or ``all``.
        training: Training table of the recipe.
    """
    rows = dataset.rows(split)
    rows = rows[np.isin(dataset.column("source")[rows], training.sources)]
    targets = targets_of(dataset, rows, training)
    keep = np.asarray(targets.known.any(axis=1))
    return Rows(rows[keep], targets.take(keep))


def taught_rows(dataset: Dataset, training: Training, teachers: Sequence[Teacher]) -> Rows:
    """Return the training rows from the recipe's sources, with targets from true values and teachers.

    Args:
        dataset: The index.
        training: Training table of the recipe.
        teachers: Models whose outputs are learnt.
    """
    rows = dataset.rows("train")
    rows = rows[np.isin(dataset.column("source")[rows], training.sources)]
    targets = targets_of(dataset, rows, training)
    return Rows(rows, with_teachers(targets, dataset, rows, training, teachers))


def without_too_long(dataset: Dataset, wanted: Rows, box: Box) -> tuple[Rows, dict[str, int]]:
    """Remove ligands that do not fit the box, and count them by label.

    Args:
        dataset: The index.
        wanted: Rows with their targets.
        box: Voxels along a side, and their spacing in Å.
    """
    structures = dataset.ligand_structure[wanted.rows]
    fitting = {int(s): fits_box(dataset, int(s), box) for s in np.unique(structures)}
    keep = np.array([fitting[int(s)] for s in structures], dtype=bool)
    kept, left = (Rows(wanted.rows[k], wanted.targets.take(k)) for k in (keep, ~keep))
    unlabelled = len(left) - left.positives - left.negatives
    counted = {"positive": left.positives, "negative": left.negatives, "unlabelled": unlabelled}
    return kept, counted


def check_truths(dataset: Dataset, train: Rows, sources: tuple[str, ...]) -> None:
    """Refuse to train a task without targets.

    Args:
        dataset: The index.
        train: Training rows.
        sources: Sources of the poses.

    Raises:
        AffinityZooError: labels of one kind only, or no affinity.
    """
    named = f"of source {', '.join(source or 'unnamed' for source in sources)}"
    for task in train.targets.tasks:
        values = train.targets.of(task)
        if task == "rmsd":
            if not np.isfinite(values).any():
                raise AffinityZooError(
                    f"{dataset.path}: the training set has no RMSD among its poses {named}: index decoys, a table with "
                    "a column rmsd, or leave out the task rmsd (`tasks`)"
                )
            continue
        if task == "affinity":
            if not np.isfinite(values).any():
                raise AffinityZooError(
                    f"{dataset.path}: the training set has no affinity among its poses {named}: index a table with "
                    "a column pK, Kd, Ki or IC50, or leave out the task affinity (`tasks`)"
                )
            continue
        positives, negatives = int((values == 1).sum()), int((values == 0).sum())
        if not positives or not negatives:
            column, what = TRUTH[task], "poses" if task == "pose" else "molecules"
            raise AffinityZooError(
                f"{dataset.path}: the training set has {positives} positive and {negatives} negative poses {named}"
                f"{'' if task == 'pose' else f' (column {column})'}; both are needed: index {what} of both labels, "
                "or split again"
                + (
                    ""
                    if task != "pose" or np.isnan(dataset.column("affinity")).all()
                    else ", or train affinities (`tasks='affinity'`)"
                )
            )


def resolve_head(train: Rows) -> Head:
    """Return mean and spread of the training affinities and RMSDs, for the scaling of these outputs.

    Args:
        train: Training rows.
    """
    parts: dict[str, float] = {}
    for task, prefix in (("affinity", ""), ("rmsd", "rmsd_")):
        if task not in train.targets.tasks:
            continue
        values = train.targets.of(task)
        if task == "affinity" and train.targets.measured.any():
            values = values[train.targets.measured]
        values = values[np.isfinite(values)]
        if len(values):
            spread = float(values.std())
            parts[f"{prefix}offset"] = round(float(values.mean()), 4)
            parts[f"{prefix}scale"] = round(spread, 4) if spread > 0.05 else 1.0
    return Head(**parts)


def start_head(head: Head, outputs: tuple[str, ...], train: Rows) -> Head:
    """:func:`resolve_head`, but an output that training starts from keeps its scale.

    Args:
        head: of the model that training starts from.
        outputs: of that model; empty: there is none.
        train: the training rows.
    """
    new = resolve_head(train)
    if "affinity" in outputs:
        new = replace(new, offset=head.offset, scale=head.scale)
    if "rmsd" in outputs:
        new = replace(new, rmsd_offset=head.rmsd_offset, rmsd_scale=head.rmsd_scale)
    return new


def describe_data(dataset: Dataset, train: Rows, validation: Rows) -> Data:
    """Describe the training data, for the recipe.

    Args:
        dataset: The index.
        train: Training rows.
        validation: Rows that the epoch is chosen on.
    """
    ids = dataset.column("id")[train.rows]
    return Data(
        name=dataset.path.name,
        content_hash=dataset.content_hash,
        n_train=len(train),
        n_positive=train.positives,
        n_affinity=train.affinities,
        n_validation=len(validation),
        ids_hash=ids_hash(ids.tolist()),
        read_options=dataset.read_options,
    )
