"""Scoring one chunk: a pure function of its description, the same in this process, another or on a cluster."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.zoo.data.readers import ReadOptions
from affinity_zoo.zoo.inference.choices import ScoringChoices
from affinity_zoo.zoo.inference.combine import combine
from affinity_zoo.zoo.inference.held import held_model
from affinity_zoo.zoo.inference.ready import ReadyModel
from affinity_zoo.zoo.inference.together import outputs_together
from affinity_zoo.zoo.prediction.checks import findings
from affinity_zoo.zoo.prediction.chunks import Chunk
from affinity_zoo.zoo.prediction.columns import values_of
from affinity_zoo.zoo.prediction.extras import Extras
from affinity_zoo.zoo.prediction.reading import ComplexPose, read_pieces
from affinity_zoo.zoo.prediction.rows import PosePrediction
from affinity_zoo.zoo.prediction.similarity import KnownLigands
from affinity_zoo.zoo.prediction.structures import structure_text

Advance = Callable[[int], None]
#: why a pose has no score although it could be read
NOT_FINITE = "the network's output is not a number (or not finite)"


@dataclass(frozen=True, eq=False)
class Scored:
    """Result of a chunk."""

    rows: list[dict[str, object]]  #: :meth:`PosePrediction.as_dict`, one a record, in order
    structures: list[bytes]  #: SDF text of each row's pose, empty where there is none; [] if not asked for


@dataclass(frozen=True, eq=False)
class Prepared:
    """Poses as read: by the reading of the first model, and by each other reading that differs."""

    models: Sequence[ReadyModel]
    scoring: ScoringChoices
    readings: dict[ReadOptions, list[ComplexPose]]
    warnings: list[str]
    structures: bool  #: whether the poses are wanted as SDF
    extras: list[dict[str, Any]]  #: columns that are no fields of a row, of each pose

    @property
    def poses(self) -> list[ComplexPose]:
        """The poses by the reading of the first model."""
        return self.readings[self.models[0].options]


def score_chunk(task: Chunk) -> Scored:
    """Read and score a chunk in a worker.

    Args:
        task: The chunk.
    """
    return score(prepare(task, [held_model(folder) for folder in task.models]))


def prepare(task: Chunk, models: Sequence[ReadyModel]) -> Prepared:
    """Read the poses of a chunk once per set of read options of its models.

    Args:
        task: the chunk.
        models: those that the task names.
    """
    models = [replace(model, options=model.options.changed(task.read)) for model in models]
    ways = ways_of(models)
    texts = task.structures or bool(task.validity)
    readings = {way: read_pieces(task.pieces, way, texts and way == ways[0]) for way in ways}
    extras = Extras(task.validity, task.similarity, tuple(str(model.model.folder) for model in models))
    return prepared(models, task.scoring, readings, task.structures, extras)


def ways_of(models: Sequence[ReadyModel]) -> list[ReadOptions]:
    """The ways in which models want their files read, each once; the first model's first.

    Args:
        models: at least one.
    """
    return list(dict.fromkeys(model.options for model in models))


def prepared(
    models: Sequence[ReadyModel],
    scoring: ScoringChoices,
    readings: dict[ReadOptions, list[ComplexPose]],
    structures: bool = False,
    extras: Extras | None = None,
    molecules: Sequence[Any] = (),
) -> Prepared:
    """Look at poses that were read, and note what a user should know of each.

    Args:
        models: that are to score them.
        scoring: with a number of views.
        readings: of :func:`ways_of`, the same poses in each.
        structures: whether the poses are wanted as SDF.
        extras: columns on request; None: none.
        molecules: for them: of each pose the RDKit molecule that it came from, or None; empty: all are from files.
    """
    ligands = KnownLigands([str(model.model.folder.resolve()) for model in models])
    warnings: list[str] = []
    for pose in readings[models[0].options]:
        if pose.atoms is None:
            warnings.append("; ".join(f"note: {note}" for note in pose.notes))
            continue
        unknown = max(model.model.featurizer.encode(pose.atoms).unknown for model in models)
        found = findings(pose, [model.model.box for model in models], unknown, ligands)
        warnings.append("; ".join(found))
    poses = readings[models[0].options]
    further = [values_of(pose) for pose in poses]
    if extras:
        asked = extras.of(poses, ligands, molecules)
        further = [{**own, **on_request} for own, on_request in zip(further, asked, strict=True)]
    return Prepared(models, scoring, readings, warnings, structures, further)


def score(given: Prepared, advance: Advance = lambda n: None) -> Scored:
    """Score the poses of a chunk.

    Args:
        given: poses.
        advance: called with the number of images scored.
    """
    poses = given.poses
    # a pose that one of the readings refuses has no score in any: models are compared on the same poses
    good = [i for i in range(len(poses)) if all(way[i].atoms is not None for way in given.readings.values())]
    place = {row: k for k, row in enumerate(good)}
    columns = _columns(given, good, advance)
    rows: list[dict[str, object]] = []
    for i, pose in enumerate(poses):
        values = {name: float(column[place[i]]) for name, column in columns.items()} if i in place else {}
        reason = "" if i in place else _reason(given, i)
        if values and not np.isfinite(list(values.values())).all():
            values, reason = {}, NOT_FINITE
        rows.append(_row(pose, reason, given.warnings[i], values, given.extras[i]).as_dict())
    structures = [structure_text(pose) for pose in poses] if given.structures else []
    return Scored(rows, structures)


#: Dask runs several tasks of a worker in threads of one process; the network is one
_one_at_a_time = threading.Lock()


def _columns(given: Prepared, good: list[int], advance: Advance) -> dict[str, NDArray[np.float64]]:
    """The combined scores of the poses that can be read."""
    if not good:
        return {}
    pairs = {way: ChunkPairs([read[i] for i in good]) for way, read in given.readings.items()}
    rows = np.arange(len(good))
    with _one_at_a_time:
        outputs = outputs_together(given.models, lambda m: pairs[m.options], rows, given.scoring, advance)
    return combine(given.models, outputs)


def _reason(given: Prepared, i: int) -> str:
    reasons = [way[i].reason for way in given.readings.values() if way[i].reason]
    return reasons[0] if reasons else "it has no atoms"


def _row(
    pose: ComplexPose, reason: str, warnings: str, values: dict[str, Any], extras: dict[str, Any]
) -> PosePrediction:
    return PosePrediction(
        id=pose.id, target=pose.target, molecule=pose.molecule, name=pose.name, file=pose.file,
        record=pose.record, receptor=pose.receptor, status="failed" if reason else "ok", reason=reason,
        warnings=warnings, docking_score=pose.docking_score, skeleton=pose.skeleton, extras=extras,
        **values,
    )  # fmt: skip


class ChunkPairs:
    """The readable poses of a chunk as the batches need them: row i is pose i; receptors come after them.

    Args:
        poses: with atoms and receptor.
    """

    def __init__(self, poses: Sequence[ComplexPose]) -> None:
        self._poses = poses
        receptors = {id(pose.protein): pose.protein for pose in poses}
        self._places = {key: k for k, key in enumerate(receptors)}
        self._proteins = list(receptors.values())

    def __len__(self) -> int:
        return len(self._poses)

    def structures(self, row: int) -> tuple[int, int]:
        """Return the numbers of a row's receptor and ligand.

        Args:
            row: Row of the chunk, from 0.
        """
        return len(self._poses) + self._places[id(self._poses[row].protein)], row

    def atoms(self, structure: int) -> Atoms:
        """Return the atoms of a structure.

        Args:
            structure: Number of a structure of the chunk, from 0.
        """
        if structure < len(self._poses):
            found = self._poses[structure].atoms
        else:
            protein = self._proteins[structure - len(self._poses)]
            found = None if protein is None else protein.atoms
        assert found is not None
        return found
