"""Scoring one chunk: a pure function of its description, the same in this process, another or on a cluster."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.zoo.data.readers import ReadOptions
from affinity_zoo.zoo.models.ensembles import mean_logit
from affinity_zoo.zoo.prediction.checks import findings
from affinity_zoo.zoo.prediction.chunks import Task
from affinity_zoo.zoo.prediction.members import Member, members
from affinity_zoo.zoo.prediction.reading import Pose, read_pieces
from affinity_zoo.zoo.prediction.rows import NAN, PosePrediction
from affinity_zoo.zoo.prediction.structures import structure_text

Advance = Callable[[int], None]
_NO_NUMBER = "the network's output is not a number"


@dataclass(frozen=True, eq=False)
class Scored:
    """What became of a chunk."""

    rows: list[dict[str, object]]  #: :meth:`PosePrediction.as_dict`, one a record, in order
    structures: list[bytes]  #: SDF text of each row's pose, empty where there is none; [] if not asked for


@dataclass(frozen=True, eq=False)
class Prepared:
    """A chunk as read: the poses by the reading of the first model, and of each other reading that differs."""

    task: Task
    poses: list[Pose]
    readings: dict[ReadOptions, list[Pose]]
    warnings: list[str]


def score_chunk(task: Task) -> Scored:
    """Read and score a chunk."""
    return score(prepare(task))


def prepare(task: Task) -> Prepared:
    """Read the poses of a chunk, once for each way of reading that its models want."""
    models = members(task.models)
    ways = list(dict.fromkeys(model.options for model in models))
    readings = {way: read_pieces(task.pieces, way, task.structures and way == ways[0]) for way in ways}
    poses = readings[ways[0]]
    warnings: list[str] = []
    marks: dict[tuple[str, bytes], object] = {}
    for pose in poses:
        if pose.atoms is None:
            warnings.append("; ".join(f"note: {note}" for note in pose.notes))
            continue
        unknown = max(model.model.featurizer.encode(pose.atoms).unknown for model in models)
        found = findings(pose, [model.model.box for model in models], unknown, task.models, marks)
        warnings.append("; ".join(found))
    return Prepared(task, poses, readings, warnings)


def score(prepared: Prepared, advance: Advance = lambda n: None) -> Scored:
    """Score what was read.

    Args:
        advance: called with the number of images scored.
    """
    task, poses = prepared.task, prepared.poses
    models = members(task.models)
    # a pose that one of the readings refuses has no score in any: models are compared on the same poses
    good = [
        i for i in range(len(poses)) if all(way[i].atoms is not None for way in prepared.readings.values())
    ]
    outputs: list[NDArray[np.float64]] = []
    with _one_at_a_time:
        for member in models:
            read = prepared.readings[member.options]
            outputs.append(member.outputs([read[i] for i in good], task, advance))
    columns = combine(models, outputs) if good else {}
    place = {row: k for k, row in enumerate(good)}
    rows: list[dict[str, object]] = []
    for i, pose in enumerate(poses):
        reasons = [way[i].reason for way in prepared.readings.values() if way[i].reason]
        values: dict[str, Any] = (
            {name: float(column[place[i]]) for name, column in columns.items()} if i in place else {}
        )
        row = PosePrediction(
            id=pose.id, target=pose.target, molecule=pose.molecule, name=pose.name, file=pose.file,
            record=pose.record, receptor=pose.receptor, status="ok" if i in place else "failed",
            reason="" if i in place else (reasons or ["it has no atoms"])[0],
            warnings=prepared.warnings[i], docking_score=pose.docking_score, **values,
        )  # fmt: skip
        if values and not np.isfinite(list(values.values())).all():
            nothing: dict[str, Any] = dict.fromkeys(values, NAN)
            row = replace(row, **nothing, status="failed", reason=_NO_NUMBER)
        rows.append(row.as_dict())
    structures = [structure_text(pose) for pose in poses] if task.structures else []
    return Scored(rows, structures)


#: Dask runs several tasks of a worker in threads of one process; the network is one
_one_at_a_time = threading.Lock()


def combine(
    models: Sequence[Member], outputs: Sequence[NDArray[np.float64]]
) -> dict[str, NDArray[np.float64]]:
    """Columns of a prediction from the outputs of each model.

    Args:
        models: one or more.
        outputs: of each model (n, views, outputs).

    Returns:
        Field of :class:`PosePrediction` -> (n,) float64.
    """
    found: dict[str, NDArray[np.float64]] = {}
    for name, fields in (
        ("pose", ("score", "probability", "spread", "model_spread")),
        ("activity", ("activity_score", "activity_probability", None, None)),
    ):
        logits, corrections = _of(models, outputs, name)
        if not logits:
            continue
        means = np.stack([each.mean(axis=1) for each in logits])
        joint = mean_logit(means, corrections)
        found[fields[0]] = means[0] if len(logits) == 1 else joint
        found[fields[1]] = _sigmoid(joint)
        if fields[2] and logits[0].shape[1] > 1:
            found[fields[2]] = np.mean([each.std(axis=1) for each in logits], axis=0)
        if fields[3] and len(logits) > 1:
            found[fields[3]] = _sigmoid(means + np.array(corrections)[:, None]).std(axis=0)
    affinities, _ = _of(models, outputs, "affinity")
    if affinities:
        means = np.stack([each.mean(axis=1) for each in affinities])
        found["affinity"] = means.mean(axis=0)
        if affinities[0].shape[1] > 1:
            found["affinity_spread"] = np.mean([each.std(axis=1) for each in affinities], axis=0)
        if len(affinities) > 1:
            found["affinity_variance"] = means.var(axis=0)
    distances, _ = _of(models, outputs, "rmsd")
    if distances:
        found["predicted_rmsd"] = np.mean([each.mean(axis=1) for each in distances], axis=0)
    probability = found.get("probability", found.get("activity_probability"))
    if affinities and probability is not None:
        found["product"] = probability * found["affinity"]
    return found


def _of(
    models: Sequence[Member], outputs: Sequence[NDArray[np.float64]], name: str
) -> tuple[list[NDArray[np.float64]], list[float]]:
    """One output of the models that have it, (n, views) each, and their corrections."""
    having = [(m, o) for m, o in zip(models, outputs, strict=True) if name in m.names]
    values = [output[:, :, model.names.index(name)] for model, output in having]
    return values, [model.corrections[name] for model, _ in having]


def _sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(over="ignore"):
        found: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-x))
    return found
