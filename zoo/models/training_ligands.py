"""``training_ligands.npz`` of a model directory: fingerprints of the training ligands.

With it ``predict`` can say that a ligand is unlike everything in the training set. Without it (imported
models, or a model made by an older version) nobody can know.
"""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.data.similarity import fingerprint
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.runtime.archives import Limits, open_archive, read_member
from affinity_zoo.zoo.runtime.files import whole

FILE: Final = "training_ligands.npz"
_BITS: Final = 2048


def write_training_ligands(
    folder: Path, dataset: Dataset, rows: NDArray[np.int64], before: Path | None = None
) -> int:
    """Write the fingerprints of the ligands of some rows, each once, into a model directory.

    Args:
        folder: the model directory; it exists.
        dataset: an index.
        rows: that were trained on.
        before: directory of the model that training started from; its ligands are taken along.

    Returns:
        How many different ligands there are.
    """
    molecules = dataset.column("molecule")
    seen: set[tuple[str, bytes]] = set()
    marks: set[bytes] = set()
    for row in rows:
        ligand = dataset.store.atoms(int(dataset.ligand_structure[row]))
        key = (str(molecules[row]), ligand.element.tobytes())
        if key not in seen:
            seen.add(key)
            marks.add(_packed(fingerprint(ligand)))
    if before is not None and (earlier := load_fingerprints(str(before))):
        marks.update(_packed(mark) for mark in earlier)
    bits = np.frombuffer(b"".join(sorted(marks)), np.uint8).reshape(-1, _BITS // 8)
    with whole(folder / FILE, "wb") as file:
        np.savez_compressed(file, bits=bits)
    return len(bits)


def load_fingerprints(folder: str) -> list[Any] | None:
    """The fingerprints of a model's training ligands; None where the model directory has none.

    Args:
        folder: The model directory.

    Raises:
        AffinityZooError: the file is damaged.
    """
    path = Path(folder) / FILE
    return _read(path, path.stat().st_mtime_ns) if path.is_file() else None


@lru_cache(maxsize=16)
def _read(path: Path, changed: int) -> list[Any]:
    from rdkit.DataStructs import ExplicitBitVect

    try:
        with open_archive(path, Limits(file=256 << 20, members=4, unpacked=1 << 30)) as archive:
            packed = np.load(io.BytesIO(read_member(archive, "bits.npy", 1 << 30)), allow_pickle=False)
        bits = np.unpackbits(packed, axis=1)
        if bits.shape[1] != _BITS:
            raise ValueError(f"fingerprints of {bits.shape[1]} bits, not {_BITS}")
    except Exception as error:  # numpy and zipfile raise many kinds
        raise AffinityZooError(
            f"{path}: not readable ({error}); get the model again, or delete it"
        ) from error
    made = []
    for row in bits:
        vector = ExplicitBitVect(_BITS)
        vector.SetBitsFromList(np.flatnonzero(row).tolist())
        made.append(vector)
    return made


def _packed(mark: Any) -> bytes:
    dense = np.zeros(_BITS, np.uint8)
    dense[list(mark.GetOnBits())] = 1
    return np.packbits(dense).tobytes()
