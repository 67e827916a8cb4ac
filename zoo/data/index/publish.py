"""The folder of an index: checked before the work, replaced whole after it."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.data.store.columns import FOLDER as COLUMNS_FOLDER
from affinity_zoo.zoo.data.store.dataset import (
    INDEX_FILE,
    MANIFEST_FILE,
    SPLIT_FILES,
)

BUILDING = ".building"  #: folder inside the index's folder that the workers write to

_OURS = {
    BUILDING,
    "store",
    COLUMNS_FOLDER,
    "npy",
    INDEX_FILE,
    "failures.csv",
    "splits.json",
    *SPLIT_FILES.values(),
}


def check_out(out: Path, source: Path, overwrite: bool) -> None:
    """Check the folder of an index before the work.

    Args:
        out: Folder to write to.
        source: Folder or file with the structures.
        overwrite: Whether an index in the folder may be replaced.

    Raises:
        AffinityZooError: The folder is a file, the source, not empty, or has an index that may not be replaced.
    """
    if out.exists() and not out.is_dir():
        raise AffinityZooError(f"{out} is a file: give a folder for the index with `out`")
    if out.resolve() == source.resolve():
        raise AffinityZooError(
            f"the index cannot be written into its source {source}: give another folder with `out`"
        )
    if (out / MANIFEST_FILE).exists():
        if not overwrite:
            raise AffinityZooError(
                f"{out} already contains an index: give another folder, or replace it with `overwrite=True`"
            )
    elif out.is_dir() and any(p.name not in _OURS for p in out.iterdir()):
        raise AffinityZooError(f"{out} is not empty and contains no index: give another folder with `out`")


def parts_of(folder: Path, kind: str) -> Iterator[list[str]]:
    """Yield the rows of all parts of one kind, in the order of the parts.

    Args:
        folder: Folder that the workers write to.
        kind: Start of the parts' file names.
    """
    for path in sorted(folder.glob(f"{kind}-*.csv")):
        with open(path, encoding="utf-8", newline="") as handle:
            yield from csv.reader(handle)


def publish(building: Path, out: Path) -> None:
    """Move the finished parts to their place, the manifest last, because it marks a folder as an index.

    Args:
        building: Folder with the new index; it is removed.
        out: Folder of the index.
    """
    (out / MANIFEST_FILE).unlink(missing_ok=True)
    for part in ("store", COLUMNS_FOLDER):
        if (building / part).is_dir():
            shutil.rmtree(out / part, ignore_errors=True)
            os.replace(building / part, out / part)
    for name in ("failures.csv", INDEX_FILE, MANIFEST_FILE):
        os.replace(building / name, out / name)
    shutil.rmtree(building, ignore_errors=True)


def set_aside_failures(building: Path, out: Path) -> Path:
    """Keep the failures of an indexing that read nothing; an existing index is not changed.

    Args:
        building: Folder with the file of failures.
        out: Folder of the index.

    Returns:
        Where the file of failures is now.
    """
    there = (out / MANIFEST_FILE).exists()
    kept = out.with_name(f"{out.name}-failures.csv") if there else out / "failures.csv"
    os.replace(building / "failures.csv", kept)
    return kept
