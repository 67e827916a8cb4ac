"""Where a pose comes from, told by gnina's names of pose files."""

from __future__ import annotations

import pytest

from affinity_zoo.zoo.data.layouts.table_rows import source_of


@pytest.mark.parametrize(
    ("ligand", "source"),
    [
        ("structs/4kqp/4kqp_min_0.gninatypes", "crystal_relaxed"),
        ("structs/4kqp/4kqp_docked_12.gninatypes", "docked"),
        ("structs/set2/297/docked_0.gninatypes", "docked"),
        ("min_ligand.sdf", ""),
        ("poses/aminophenol.sdf", ""),
        ("x/1abc_ligand.sdf", ""),
    ],
)
def test_source_by_name(ligand: str, source: str) -> None:
    assert source_of(ligand) == source
