"""The ancestor's arrays: one .npy file per structure, four columns x, y, z (Å) and the element's tag."""

from __future__ import annotations

from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.featurizers.element_tag import ElementTag
from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.runtime.files import whole


def four_columns(atoms: Atoms) -> NDArray[np.float32]:
    """Return (N, 4) float32: position in Å and the atom's tag of ``element-tag``.

    Args:
        atoms: N heavy atoms, positions in Å.
    """
    tag = ElementTag().encode(atoms).value
    assert tag is not None
    return np.column_stack([atoms.xyz, tag]).astype(np.float32)


def write_npy(data: Dataset) -> int:
    """Write every structure of an index under ``npy/``, named as in its source; return their number.

    Args:
        data: The index.
    """
    written: set[str] = set()
    files = {"receptor": data.column("receptor"), "ligand": data.column("ligand")}
    records = data.column("record")
    numbers = {"receptor": data.receptor_structure, "ligand": data.ligand_structure}
    several = {str(f) for f, r in zip(files["ligand"], records, strict=True) if r > 0}
    for role in ("receptor", "ligand"):
        for file, record, number in zip(files[role], records, numbers[role], strict=True):
            name = str(file)
            target = f"{name.removesuffix('.gz')}"
            target = target[: len(target) - len(PurePosixPath(target).suffix)]
            if role == "ligand" and name in several:
                target += f"_{record}"
            target = target.replace("..", "_").lstrip("/")
            if target in written:
                continue
            written.add(target)
            with whole(data.path / "npy" / f"{target}.npy", "wb") as handle:
                np.save(handle, four_columns(data.store.atoms(int(number))), allow_pickle=False)
    return len(written)
