"""Refinement of all poses of a receptor: one output row per input record."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.data.readers import PoseRecord, ReadOptions, read_poses, read_receptor
from affinity_zoo.zoo.models.loading import Model
from affinity_zoo.zoo.refine.field import check_positions_count
from affinity_zoo.zoo.refine.refine import Options, Refined, refine_pose
from affinity_zoo.zoo.runtime.files import whole, write_csv
from affinity_zoo.zoo.runtime.terminal import progress
from affinity_zoo.zoo.see.checks import output_column
from affinity_zoo.zoo.see.molecules import molecule_of, sdf_text

STATUSES = ("improved", "unchanged", "failed")


@dataclass(frozen=True)
class RefinedPose:
    """Result of one pose. NaN: not available."""

    file: str
    record: int  #: in the file, from 0
    name: str
    status: str  #: improved, unchanged (the original is kept) or failed (it is not in the SDF file)
    before: float = math.nan  #: score as read
    after: float = math.nan  #: score as written, never below ``before``
    moved: float = math.nan  #: Å, root mean square move of the heavy atoms
    steps: int = 0
    reason: str = ""  #: reason of a failure
    notes: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for JSON and CSV; NaN becomes None."""
        return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in asdict(self).items()}


def refine(
    model: Model,
    receptor: str | Path,
    poses: Sequence[Path],
    out: Path,
    *,
    output: str | None = None,
    options: Options | None = None,
    table: Path | None = None,
) -> list[RefinedPose]:
    """Refine every record of every pose file and write the poses.

    Args:
        model: from :func:`affinity_zoo.load_model`.
        receptor: read as the training data was.
        poses: pose files.
        out: SDF file; each readable pose once, in the order of the inputs.
        output: name of the output to raise; None: the first.
        table: CSV file with one row for every record, failed ones too; None: none.

    Returns:
        One row per record, in the order of the inputs.

    Raises:
        UsageError: the model has no such output, or smaller values of it are better.
        AffinityZooError: the receptor cannot be read, or the model's image has no gradient.
    """
    options = options or Options()
    column, described = output_column(model.card, output)
    if described["direction"].startswith("lower"):
        raise UsageError(
            f"`output={described['name']!r}`: refinement raises an output, and smaller values of this output are better"
        )
    check_positions_count(model.featurizer, model.featurizer.voxelizer(model.box) is not None)
    read_options = ReadOptions.from_dict(model.recipe.data.read_options)
    protein = read_receptor(receptor, read_options).atoms
    rows: list[RefinedPose] = []
    with whole(out) as file, progress("refining", None, "poses") as advance:
        for path in poses:
            for pose in read_poses(path, read_options):
                row, text = _one(model, column, described, protein, path, pose, options)
                file.write(text)
                rows.append(row)
                advance(1)
    if table is not None:
        write_table(table, rows, described)
    return rows


def _one(
    model: Model,
    column: int,
    output: dict[str, str],
    receptor: Atoms,
    path: Path,
    pose: PoseRecord,
    options: Options,
) -> tuple[RefinedPose, str]:
    """Return the row of one record and its SDF text; empty if it failed."""
    if pose.atoms is None:
        reason = pose.failure.reason if pose.failure else "no atoms"
        return RefinedPose(str(path), pose.record, pose.name, "failed", reason=reason), ""
    try:
        molecule, place, note = molecule_of(pose.atoms, path, pose.record)
        found = refine_pose(model, column, receptor, pose.atoms, molecule, place, options)
    except AffinityZooError as error:
        return RefinedPose(str(path), pose.record, pose.name, "failed", reason=str(error)), ""
    notes = "; ".join([*pose.notes, *([note] if note else [])])
    row = RefinedPose(
        str(path), pose.record, pose.name, "improved" if found.improved else "unchanged",
        found.before, found.after, found.moved, found.steps, notes=notes,
    )  # fmt: skip
    return row, _text(molecule, found, row, pose, output)


def _text(molecule: Any, found: Refined, row: RefinedPose, pose: PoseRecord, output: dict[str, str]) -> str:
    molecule.GetConformer().SetPositions(np.ascontiguousarray(found.xyz))
    unit = output["unit"]
    properties = {
        **{key: value for key, value in pose.properties.items() if not key.startswith("refined_")},
        "refined_status": row.status,
        f"refined_{output['name']}_before ({unit})": f"{row.before:.6f}",
        f"refined_{output['name']}_after ({unit})": f"{row.after:.6f}",
        "refined_moved (Å RMSD)": f"{row.moved:.3f}",
        "refined_from": f"{row.file} record {row.record}",
    }
    return sdf_text(molecule, row.name, properties)


def write_table(path: Path, rows: Sequence[RefinedPose], output: dict[str, str]) -> None:
    """Write the rows as CSV with unit and direction in the header.

    Args:
        path: The CSV file.
        rows: Refined poses.
        output: The model's output, from its card.
    """
    said = f"({output['unit']} of {output['name']}, {output['direction']})"
    heads = {"before": f"before {said}", "after": f"after {said}", "moved": "moved (Å, heavy-atom RMSD)"}
    named = [{heads.get(k, k): v for k, v in row.as_dict().items()} for row in rows]
    columns = [heads.get(k, k) for k in RefinedPose("", 0, "", "").as_dict()]
    write_csv(path, columns, named)


def counts(rows: Sequence[RefinedPose]) -> dict[str, int]:
    """Count the rows of each status.

    Args:
        rows: Refined poses.
    """
    return {status: sum(row.status == status for row in rows) for status in STATUSES}


def exit_code(rows: Sequence[RefinedPose]) -> int:
    """Return the exit code. 0: every record gave a pose; 3: some failed; 1: all failed.

    Args:
        rows: Refined poses.
    """
    failed = counts(rows)["failed"]
    return 0 if not failed else 1 if failed == len(rows) else 3


def listed(rows: Sequence[RefinedPose], most: int) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of the printed table.

    Args:
        rows: Refined poses.
        most: Largest number of rows.
    """
    for row in [r for r in rows if r.status != "failed"][:most]:
        yield Path(row.file).name, row.record, row.name, row.status, row.before, row.after, row.moved
