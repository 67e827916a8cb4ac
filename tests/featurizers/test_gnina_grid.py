"""``atom-types`` at 48 points of 0.5 Å is gnina's grid: its sum over all voxels, as molgrid gave it, for 56 poses."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from affinity_zoo.featurizers import kernels, views
from affinity_zoo.featurizers.atom_types import AtomTypes
from affinity_zoo.plugins.contracts import Atoms, Box


def gninatypes(path: Path, role: str) -> Atoms:
    """A .gninatypes file: records of three float32 coordinates and one int32 type."""
    records = np.fromfile(path, np.dtype([("xyz", "<f4", 3), ("type", "<i4")]))
    n = len(records)
    return Atoms(
        role=role,  # type: ignore[arg-type]
        xyz=np.ascontiguousarray(records["xyz"]),
        element=np.full(n, 6, np.uint8),
        atom_type=records["type"].astype(np.uint8),
        flags=np.zeros(n, np.uint16),
        charge=np.zeros(n, np.int8),
        name=np.full(n, b"X"),
        residue_name=np.full(n, b"X"),
        residue_number=np.ones(n, np.int32),
        chain=np.full(n, b"A"),
    )


@pytest.mark.shared
def test_grid_sums_of_molgrid(shared_data: Path, unpacked: Callable[[str], Path]) -> None:
    table = shared_data.parent / "gnina" / "reference_scores.csv"
    if not table.is_file():
        pytest.skip("the reference scores of gnina are not here")
    folder = unpacked("redock")
    featurizer, box = AtomTypes(), Box(48, 0.5, "points")
    with table.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 56
    for row in rows:
        files = [next(folder.rglob(Path(row[role]).name)) for role in ("receptor", "ligand")]
        both = [gninatypes(path, role) for path, role in zip(files, ("receptor", "ligand"), strict=True)]
        parts = [(one.xyz, featurizer.encode(one)) for one in both]
        typed = [int((encoding.channel >= 0).sum()) for _, encoding in parts]
        assert typed == [int(row["n_rec_typed"]), int(row["n_lig_typed"])]
        centre = views.centre(*parts[1])
        np.testing.assert_allclose(centre, [float(row[f"center_{axis}"]) for axis in "xyz"], atol=2e-5)
        image = kernels.voxelize("gaussian", box, 28, parts, centre, np.eye(3), np.zeros(3))
        assert image.sum(dtype=np.float64) == pytest.approx(float(row["grid_sum_28ch"]), rel=2e-6)
