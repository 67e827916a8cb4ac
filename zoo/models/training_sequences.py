"""``training_sequences.txt`` of a model directory: the protein chains that the model was trained on.

With it and ``training_ligands.npz`` an overlap check needs no training structures: a model that is passed on states
itself which proteins and ligands of a benchmark it has seen. One sequence a line, each once, sorted.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.data.similarity import sequences_by_receptor
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.runtime.files import whole

FILE: Final = "training_sequences.txt"
_LARGEST: Final = 256 << 20  #: bytes
_LETTERS: Final = re.compile(r"[A-Z]+\Z")


def write_training_sequences(
    folder: Path, dataset: Dataset, rows: NDArray[np.int64], before: Path | None = None
) -> int:
    """Write the chains near the ligands of some rows into a model directory.

    Args:
        folder: the model directory; it exists.
        dataset: an index.
        rows: that were trained on.
        before: directory of the model that training started from; its chains are taken along, and where it does not
            say what they were nothing is written.

    Returns:
        How many different chains there are; none are written where the structures carry no residue names.
    """
    earlier = set() if before is None else load_training_sequences(before)
    if earlier is None:
        return 0
    found = sorted({s for chains in sequences_by_receptor(dataset, rows).values() for s in chains} | earlier)
    if found:
        with whole(folder / FILE) as file:
            file.write("\n".join(found) + "\n")
    return len(found)


def load_training_sequences(folder: Path) -> set[str] | None:
    """The chains that a model was trained on; None: the directory does not state them.

    Args:
        folder: The model directory.

    Raises:
        AffinityZooError: the file is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError(f"{path.stat().st_size:,} bytes")
        found = set(path.read_text(encoding="ascii").split())
        if strange := next((s for s in found if not _LETTERS.match(s)), None):
            raise ValueError(f"{strange[:20]!r} is not a sequence")
    except (OSError, ValueError) as error:
        raise AffinityZooError(
            f"{path}: not readable ({error}); get the model again, or delete it"
        ) from error
    return found
