"""Validity of labelled poses, for ``affinity-zoo label``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from affinity_zoo.zoo.data.labels import Label
from affinity_zoo.zoo.data.readers import read_receptor
from affinity_zoo.zoo.validity.check import check_file
from affinity_zoo.zoo.validity.columns import columns_of


def with_validity(labels: Iterable[Label], receptor: Path, method: str) -> list[dict[str, Any]]:
    """The columns of validity of each labelled pose.

    Args:
        labels: of :func:`affinity_zoo.zoo.data.labels.label_poses`.
        receptor: structure file of the receptor of all poses.
        method: of :func:`affinity_zoo.zoo.validity.check.method_of`.

    Returns:
        Column -> 1, 0, a text, or None: not checked.

    Raises:
        AffinityZooError: the receptor cannot be read.
    """
    atoms = read_receptor(receptor).atoms
    columns = columns_of(method)
    found = []
    for label in labels:
        values = check_file(label.file, label.record, atoms, method).as_dict()
        found.append({name: values[name] for name in columns})
    return found
