"""Knowledge distillation: the outputs of teachers on the poses of an index, and targets made of them.

A teacher needs no labels: its probability of a near-native pose and its affinity on any pose are targets for a
smaller network (Hinton et al., Distilling the knowledge in a neural network, 2015, arXiv:1503.02531; gnina 1.3 makes
its small networks in this way).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.inference.choices import ScoringChoices
from affinity_zoo.zoo.inference.ready import ready
from affinity_zoo.zoo.inference.rows import score_rows
from affinity_zoo.zoo.models.folders import Name, find_model_folders
from affinity_zoo.zoo.models.loading import Model, load_model
from affinity_zoo.zoo.models.recipe import Training
from affinity_zoo.zoo.runtime.files import file_hash, whole
from affinity_zoo.zoo.runtime.terminal import progress
from affinity_zoo.zoo.training.targets import REGRESSIONS, Targets

FOLDER = "teachers"  #: in the folder of the index
BLOCK = 1024  #: rows of one stored file: a killed computation loses at most one


@dataclass(frozen=True)
class Teacher:
    """A teacher: a model whose outputs are learnt.

    Attributes:
        folder: its model directory.
        weights: SHA-256 of its ``model.keras``.
    """

    folder: Path
    weights: str


def find_teachers(names: Sequence[Name], runs: Path) -> list[Teacher]:
    """Find teachers; an ensemble is replaced by its members.

    Args:
        names: what :func:`~affinity_zoo.zoo.models.loading.load_models` takes.
        runs: folder of the runs, for numbers.

    Raises:
        AffinityZooError: one is not a model.
    """
    folders = find_model_folders(names, runs) if names else []
    return [Teacher(folder, file_hash(folder / "model.keras")) for folder in folders]


def with_teachers(
    targets: Targets,
    dataset: Dataset,
    rows: NDArray[np.int64],
    training: Training,
    teachers: Sequence[Teacher],
) -> Targets:
    """Fill targets from the teachers.

    A pose (or activity) target becomes ``share * truth + (1 - share) * p`` where both are known, the mean probability
    ``p`` of the teachers where there is no truth. Cross-entropy is linear in its target, so this equals the weighted
    sum of the two losses. A known affinity or RMSD stays; elsewhere the mean of the teachers is taken.

    Args:
        targets: of the rows, T tasks.
        dataset: the index.
        rows: (n,) row numbers.
        training: tasks, views and share of the truth.
        teachers: at least one.

    Raises:
        AffinityZooError: no teacher has an output for any of the tasks.
    """
    taught = teacher_outputs(dataset, rows, teachers, training.tasks, training.teacher_views)
    values, sides = targets.values.copy(), targets.sides.copy()
    for t, task in enumerate(targets.tasks):
        if task not in taught:
            continue
        known = np.isfinite(values[:, t])
        if task in REGRESSIONS:
            values[~known, t], sides[~known, t] = taught[task][~known], 0
        else:
            share = np.where(known, training.truth_share, 0.0)
            truth = np.where(known, values[:, t], 0.0)
            values[:, t] = share * truth + (1.0 - share) * taught[task]
    return Targets(targets.tasks, values, sides)


def teacher_outputs(
    dataset: Dataset, rows: NDArray[np.int64], teachers: Sequence[Teacher], tasks: Sequence[str], views: int
) -> dict[str, NDArray[np.float64]]:
    """Return the mean output of the teachers for each task that they have: probability, pK or Å; (n,) each.

    Args:
        dataset: the index; outputs are kept in its folder ``teachers``.
        rows: (n,) row numbers.
        teachers: at least one.
        tasks: what is learnt.
        views: fixed orientations to average over.

    Raises:
        AffinityZooError: no teacher has an output for any of the tasks.
    """
    found: dict[str, list[NDArray[np.float64]]] = {}
    for teacher in teachers:
        for task, values in _outputs_of(teacher, dataset, rows, views).items():
            if task in tasks:
                found.setdefault(task, []).append(values)
    if not found:
        raise AffinityZooError(
            f"no teacher has an output for {', '.join(tasks)}: choose other teachers or other tasks"
        )
    return {task: np.mean(values, axis=0) for task, values in found.items()}


def _outputs_of(
    teacher: Teacher, dataset: Dataset, rows: NDArray[np.int64], views: int
) -> dict[str, NDArray[np.float64]]:
    """The outputs of one teacher, from the files beside the index; missing blocks are computed first."""
    key = f"{dataset.content_hash}:{teacher.weights}:{views}"
    folder = dataset.path / FOLDER / hashlib.sha256(key.encode()).hexdigest()[:16]
    blocks = np.unique(rows // BLOCK)
    missing = [int(block) for block in blocks if not _path(folder, int(block)).is_file()]
    if missing:
        _compute(teacher, dataset, folder, missing, views)
    stored = {int(block): _read(_path(folder, int(block))) for block in blocks}
    names = list(next(iter(stored.values())))
    return {
        name: np.array([stored[int(row) // BLOCK][name][int(row) % BLOCK] for row in rows]) for name in names
    }


def _compute(teacher: Teacher, dataset: Dataset, folder: Path, blocks: list[int], views: int) -> None:
    model = load_model(teacher.folder)
    scorer, choices = ready(model), ScoringChoices(views)
    with progress(f"teacher {model.card.get('name', teacher.folder.name)}", len(blocks), "blocks") as advance:
        for block in blocks:
            rows = np.arange(block * BLOCK, min((block + 1) * BLOCK, len(dataset)), dtype=np.int64)
            outputs = score_rows(scorer, dataset, rows, choices)
            with whole(_path(folder, block), "wb") as file:
                np.savez(file, **_as_targets(model, outputs))  # type: ignore[arg-type]
            advance(1)


def _as_targets(model: Model, outputs: NDArray[np.float64]) -> dict[str, NDArray[np.float32]]:
    """Mean over views of (n, views, outputs): a probability for a logit, pK and Å unchanged; (n,) float32 each."""
    made: dict[str, NDArray[np.float32]] = {}
    for number, entry in enumerate(model.card["outputs"]):
        values = outputs[:, :, number]
        if entry["unit"] == "logit":
            # a soft target is a probability as the network was trained to give it, not corrected for its prevalence
            values = 1.0 / (1.0 + np.exp(-np.clip(values, -60.0, 60.0)))
        made[str(entry["name"])] = values.mean(axis=1).astype(np.float32)
    return made


def _path(folder: Path, block: int) -> Path:
    return folder / f"block-{block:06d}.npz"


def _read(path: Path) -> dict[str, NDArray[np.float32]]:
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def announce(teachers: Sequence[Teacher], training: Training, say: Callable[[str], None]) -> None:
    """Report the teachers and their number of views.

    Args:
        teachers: Models whose outputs are learnt.
        training: Training table of the recipe.
        say: Receives the line.
    """
    names = ", ".join(teacher.folder.name for teacher in teachers)
    say(f"taught by {names} in {training.teacher_views} view{'s' if training.teacher_views > 1 else ''}")
