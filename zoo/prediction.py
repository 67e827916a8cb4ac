"""Ranking unlabelled poses of a receptor: the function behind ``affinity-zoo predict``."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from affinity_zoo.featurizers import views as view_rules
from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo import inference
from affinity_zoo.zoo.data.batches import BatchMaker, Imaging, choose_place
from affinity_zoo.zoo.data.pairs import PosesOfReceptor
from affinity_zoo.zoo.data.readers import ReadOptions, read_poses, read_receptor
from affinity_zoo.zoo.files import write_whole
from affinity_zoo.zoo.models import Model
from affinity_zoo.zoo.pose_files import pose_files, receptor_file
from affinity_zoo.zoo.terminal import progress
from affinity_zoo.zoo.training.device import find_device


@dataclass(frozen=True)
class PosePrediction:
    """One pose in, one row out. Rows without a score stand last, with the reason."""

    rank: int  #: from 1; 0 without a score
    score: float  #: logit, higher is better
    probability: float  #: that the pose is near-native, at the prevalence of the training data
    spread: float  #: standard deviation of the logit over the views
    affinity: float  #: pK, higher binds better; NaN: the model gives none
    file: str
    record: int  #: in the file, from 0
    name: str
    status: str  #: ok, or failed
    reason: str  #: of a failure
    warnings: str  #: separated by "; "
    docking_score: float  #: the file's own, lower is better; NaN: none

    def as_dict(self) -> dict[str, object]:
        """The fields; NaN as None, for JSON."""
        return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in asdict(self).items()}


#: CSV header: unit and direction of each column that has one
HEADER = {
    "score": "score (logit, higher is better)",
    "probability": "probability (of a near-native pose, higher is better)",
    "spread": "spread (logit, standard deviation over views)",
    "affinity": "affinity (pK, higher binds better)",
    "docking_score": "docking_score (of the file, lower is better)",
}


@dataclass(frozen=True, eq=False)
class _Pose:
    file: str
    record: int
    name: str
    atoms: Atoms | None
    reason: str
    warnings: tuple[str, ...]
    docking_score: float


def predict(
    model: Model,
    receptor: str | Path,
    poses: Sequence[str | Path] | str | Path,
    *,
    views: int = 4,
    seed: int = 0,
    batch_size: int = 32,
    voxelize: str = "auto",
    workers: int = 2,
) -> list[PosePrediction]:
    """Score and rank poses of one receptor.

    Args:
        model: from :func:`affinity_zoo.load_model`.
        receptor: a structure file; it is read as the training data was.
        poses: pose files or folders of them; every record of every file gives one row.
        views: fixed rotations averaged for each pose.
        seed: of the views.

    Returns:
        One row a record, best first, failed ones last.

    Raises:
        AffinityZooError: the receptor cannot be read, or there are no pose files.
    """
    options = ReadOptions.from_dict(model.recipe.data.read_options)
    files = pose_files([poses] if isinstance(poses, (str, Path)) else list(poses))
    protein = _receptor(receptor_file(receptor), options)
    found = [pose for file in files for pose in _read(file, options, model)]
    readable = [pose for pose in found if pose.atoms is not None]
    outputs = _score(
        model, protein, [p.atoms for p in readable if p.atoms], views, seed, batch_size, voxelize, workers
    )
    order = np.argsort(-outputs[:, :, 0].mean(axis=1), kind="stable")
    rows = [_scored(model, readable[i], outputs[i], rank) for rank, i in enumerate(order, start=1)]
    return [*rows, *(_failed(pose) for pose in found if pose.atoms is None)]


def write_predictions_csv(path: Path, rows: Sequence[PosePrediction]) -> None:
    """Write the rows as CSV; the header says unit and direction."""
    names = [f.name for f in fields(PosePrediction)]
    with write_whole(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([HEADER.get(name, name) for name in names])
        for row in rows:
            writer.writerow(["" if value is None else value for value in row.as_dict().values()])


def _receptor(path: Path, options: ReadOptions) -> Atoms:
    try:
        return read_receptor(path, options).atoms
    except AffinityZooError as error:
        raise AffinityZooError(
            f"the receptor cannot be read ({error}); give a PDB or mmCIF file with -r"
        ) from error


def _read(file: Path, options: ReadOptions, model: Model) -> list[_Pose]:
    poses = []
    for record in read_poses(file, options):
        reason = "" if record.failure is None else record.failure.reason
        warnings = list(record.notes)
        if record.atoms is not None:
            centred = record.atoms.xyz - record.atoms.xyz.mean(axis=0)
            if not view_rules.fits(centred, model.box):
                warnings.append(f"ligand is too long for the box of {model.box.extent:g} Å and is cropped")
        poses.append(
            _Pose(
                str(file),
                record.record,
                record.name,
                record.atoms,
                reason,
                tuple(warnings),
                record.docking_score,
            )
        )
    return poses


def _score(
    model: Model,
    receptor: Atoms,
    poses: list[Atoms],
    views: int,
    seed: int,
    batch_size: int,
    voxelize: str,
    workers: int,
) -> np.ndarray:
    place = choose_place(model.featurizer, model.box, voxelize, find_device().accelerator)
    imaging = Imaging(model.featurizer, model.box, view_rules.ViewOptions(), place)
    maker = BatchMaker(PosesOfReceptor(receptor, poses), imaging, seed)
    rows = np.arange(len(poses), dtype=np.int64)
    with progress("scoring", len(poses) * views, "images") as advance:
        outputs = inference.outputs(model.network, maker, rows, views, batch_size, workers, advance)
    return outputs.astype(np.float64)


def _scored(model: Model, pose: _Pose, outputs: np.ndarray, rank: int) -> PosePrediction:
    """Make the row of a pose from its outputs: (views, outputs)."""
    score, spread = float(outputs[:, 0].mean()), float(outputs[:, 0].std())
    names = [output["name"] for output in model.card["outputs"]]
    affinity = float(outputs[:, names.index("affinity")].mean()) if "affinity" in names else math.nan
    return PosePrediction(
        rank, score, model.probability(score), spread, affinity, pose.file, pose.record, pose.name,
        "ok", "", "; ".join(pose.warnings), pose.docking_score,
    )  # fmt: skip


def _failed(pose: _Pose) -> PosePrediction:
    nan = float("nan")
    return PosePrediction(
        0, nan, nan, nan, nan, pose.file, pose.record, pose.name,
        "failed", pose.reason, "; ".join(pose.warnings), pose.docking_score,
    )  # fmt: skip
