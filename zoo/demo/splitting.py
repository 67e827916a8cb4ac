"""The split of the demonstration: whole structures in train, validation or test."""

from __future__ import annotations

from pathlib import Path

from affinity_zoo.zoo.data.splits.groups import write_splits
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.demo.complexes import DemoSet


def split_by_structure(data: str | Path, made: DemoSet) -> dict[str, int]:
    """Write the suggested split: whole structures in train, validation or test.

    Args:
        data: Folder of the index.
        made: The demonstration set.
    """
    folder = Path(data)
    dataset = Dataset.open(folder)
    split_of = {structure: split for split, structures in made.splits.items() for structure in structures}
    # a target is named after its structure: 4v8r_ADP_A_601
    places = [split_of[str(target).split("_")[0]] for target in dataset.column("target")]
    columns = {name: dataset.column(name).tolist() for name in ("id", "pose_label", "ligand", "receptor")}
    return write_splits(folder, columns, places, {"by": "structure", "structures": made.splits})
