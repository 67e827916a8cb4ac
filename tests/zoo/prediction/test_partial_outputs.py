"""An ensemble whose members have different outputs says which model gives what."""

from __future__ import annotations

from pathlib import Path

from affinity_zoo.zoo.prediction.checks import partial_outputs


def test_outputs_of_some_members_are_named() -> None:
    a, b = Path("m/a"), Path("m/b")
    assert (
        partial_outputs({a: ["pose"]})
        == partial_outputs({a: ["pose", "affinity"], b: ["affinity", "pose"]})
        == ""
    )
    told = partial_outputs({a: ["pose", "affinity"], b: ["pose", "rmsd"]})
    assert told.endswith("affinity by 1 of 2 models (a); rmsd by 1 of 2 models (b)")
