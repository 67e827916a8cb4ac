"""An index opened for use: its table, its structures, its splits."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.data.store.columns import ExtraColumns
from affinity_zoo.zoo.data.store.shards import Store
from affinity_zoo.zoo.runtime.files import csv_header, csv_rows, file_hash, read_csv

FORMAT: Final = 1
INDEX_FILE: Final = "database_index.csv"
MANIFEST_FILE: Final = "manifest.json"
SPLIT_FILES: Final = {"train": "train_set.csv", "validation": "validation_set.csv", "test": "test_set.csv"}
COLUMNS: Final[tuple[str, ...]] = (
    "id", "receptor", "ligand", "record", "target", "molecule", "pose_label", "active", "affinity",
    "affinity_kind", "affinity_relation", "rmsd", "docking_score", "group", "source",
    "receptor_structure", "ligand_structure", "notes", "hydrogens",
)  # fmt: skip
INTEGERS: Final = frozenset(("record", "receptor_structure", "ligand_structure", "hydrogens"))
NUMBERS: Final = frozenset(("pose_label", "active", "affinity", "rmsd", "docking_score"))


class Dataset:
    """A folder that ``affinity-zoo index`` made.

    Open one with :meth:`open`. Rows are numbered in the order of ``database_index.csv``; what is
    stored elsewhere (splits, results) names rows by ``id``, never by number.
    """

    def __init__(self, path: Path, manifest: dict[str, Any]) -> None:
        self.path = path  #: the folder
        self.manifest = manifest
        self.store = Store(path / "store", manifest["store"])
        self._cache: dict[str, NDArray[Any]] = {}

    @classmethod
    def open(cls, path: str | Path) -> Dataset:
        """Open an index.

        Args:
            path: Folder of the index.

        Raises:
            AffinityZooError: the folder is not an index, is incomplete, or was made by a newer version.
        """
        folder = Path(path)
        try:
            manifest = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
            number = manifest["format"]
        except FileNotFoundError:
            raise AffinityZooError(_not_an_index(folder)) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise AffinityZooError(
                f"{folder / MANIFEST_FILE} cannot be read ({error}); index again"
            ) from error
        if number != FORMAT:
            raise AffinityZooError(
                f"{folder} has index format {number}, this version reads {FORMAT}: index again or update affinity-zoo"
            )
        if not (folder / INDEX_FILE).is_file():
            raise AffinityZooError(f"{folder} has no {INDEX_FILE}: index again")
        return cls(folder, manifest)

    def __len__(self) -> int:
        return int(self.manifest["rows"])

    def column(self, name: str) -> NDArray[Any]:
        """A column of the index, one entry a row.

        Truths, RMSD (Å) and docking scores are float64 with NaN where missing, ``record`` and the
        structure numbers int64, all others text. Further columns of the source's CSV are text.

        Args:
            name: Name of the column.

        Raises:
            UsageError: there is no such column.
            AffinityZooError: a value is not of its column's kind.
        """
        if name not in self._cache:
            names, path = self.columns, self.path / INDEX_FILE
            if name not in names:
                raise UsageError(f"{path} has no column {name!r}: it has {', '.join(names)}")
            if (kept := self.kept.get(name, len(self))) is not None:
                self._cache[name] = kept
                return kept
            try:
                cells = [row[0] for row in csv_rows(path, [name])]
            except ValueError as error:
                raise AffinityZooError(f"{path} is damaged: {error}; index again") from None
            if len(cells) != len(self):
                raise AffinityZooError(
                    f"{path} does not belong to its store ({len(cells)} rows, the store has {len(self)}): "
                    "values may be edited, but rows must not be removed or added; index again"
                )
            self._cache[name] = _typed(path, name, cells)
        return self._cache[name]

    @cached_property
    def kept(self) -> ExtraColumns:
        """The columns as arrays; an index of an older version has none, and its table is read."""
        return ExtraColumns(self.path, INDEX_FILE)

    @cached_property
    def columns(self) -> list[str]:
        """Names of all columns.

        Raises:
            AffinityZooError: one of ours is missing.
        """
        path = self.path / INDEX_FILE
        names = csv_header(path)
        if missing := [c for c in COLUMNS if c not in names and c != "hydrogens"]:
            raise AffinityZooError(
                f"{path} has no column {missing[0]}: columns may be added but not removed; index again"
            )
        return names

    @property
    def receptor_structure(self) -> NDArray[np.int64]:
        """(rows,) number of each row's receptor in the store."""
        return self.column("receptor_structure")

    @property
    def ligand_structure(self) -> NDArray[np.int64]:
        """(rows,) number of each row's ligand in the store."""
        return self.column("ligand_structure")

    def rows(self, split: str = "all") -> NDArray[np.int64]:
        """Row numbers of a split, ascending: ``all``, ``train``, ``validation`` or ``test``.

        Args:
            split: ``train``, ``validation``, ``test`` or ``all``.

        Raises:
            UsageError: another name.
            AffinityZooError: the split's file is missing, or names an id that the index does not have, that it names
            twice, or that another set names too.
        """
        if split == "all":
            return np.arange(len(self), dtype=np.int64)
        if split not in SPLIT_FILES:
            raise UsageError(f"unknown split {split!r}: all, {', '.join(SPLIT_FILES)}")
        path = self.path / SPLIT_FILES[split]
        if not path.is_file():
            raise AffinityZooError(f"{path} is missing: run `affinity-zoo split {self.path}`")
        if (kept := self.kept.split(split, path.name)) is not None:
            return kept
        ids = _ids_of(path)
        if ids is None:
            raise AffinityZooError(f"{path} has no column id: run `affinity-zoo split {self.path}`")
        self._check_apart(split, ids)
        number = self._row_of_id
        try:
            return np.array(sorted(number[name] for name in ids), np.int64)
        except KeyError as error:
            raise AffinityZooError(
                f"{path} contains the id {error.args[0]!r}, which is not in the index: run `affinity-zoo "
                f"split {self.path}`"
            ) from None

    def _check_apart(self, split: str, ids: list[str]) -> None:
        """Refuse an edited set that names a row twice, or one that another set names too."""
        path, seen = self.path / SPLIT_FILES[split], set(ids)
        if len(seen) < len(ids):
            twice = next(name for name, count in Counter(ids).items() if count > 1)
            raise AffinityZooError(f"{path} names {twice!r} twice: leave one out")
        for other, file in SPLIT_FILES.items():
            theirs = _ids_of(self.path / file) if other != split and (self.path / file).is_file() else None
            if shared := seen.intersection(theirs or ()):
                raise AffinityZooError(
                    f"{path.name} and {file} of {self.path} share {len(shared)} rows, such as {min(shared)!r}: what is "
                    "tested must not be trained on; leave them out of one set"
                )

    @cached_property
    def _row_of_id(self) -> dict[str, int]:
        return {str(name): i for i, name in enumerate(self.column("id"))}

    @property
    def read_options(self) -> dict[str, Any]:
        """Read options of the indexing: :meth:`ReadOptions.as_dict`."""
        return dict(self.manifest["read_options"])

    @property
    def layout(self) -> str:
        """Name of the recognised layout of the source."""
        return str(self.manifest["layout"])

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over the table and all structures; it identifies the data of a benchmark."""
        total = hashlib.sha256(file_hash(self.path / INDEX_FILE).encode())
        for kind in ("receptors", "ligands"):
            for part in self.manifest["store"][kind]:
                total.update(part["sha256"].encode())
        return total.hexdigest()


def _not_an_index(folder: Path) -> str:
    if not folder.exists():
        return f"{folder} does not exist: make an index with `affinity-zoo index SOURCE -o {folder}`"
    if (folder / ".building").is_dir():
        return (
            f"{folder} is an unfinished index: run the same `affinity-zoo index` command again, it continues"
        )
    return (
        f"{folder} is not an index (no {MANIFEST_FILE}): make one with `affinity-zoo index {folder} -o DATA`"
    )


def _ids_of(path: Path) -> list[str] | None:
    """The ids that a set names; None: it has no such column."""
    names, rows = read_csv(path)
    at = names.index("id") if "id" in names else -1
    return [row[at] for row in rows if len(row) > at] if at >= 0 else None


def _typed(path: Path, name: str, cells: list[str]) -> NDArray[Any]:
    try:
        if name in INTEGERS:
            return np.array([int(c) if c else -1 for c in cells], np.int64)
        if name in NUMBERS:
            numbers = np.array([float(c) if c else np.nan for c in cells], np.float64)
            _check_range(path, name, numbers)
            return numbers
    except ValueError as error:
        raise AffinityZooError(f"{path} has a value in column {name} that is not a number: {error}") from None
    return np.array(cells, np.str_) if cells else np.zeros(0, "U1")


def _check_range(path: Path, name: str, numbers: NDArray[np.float64]) -> None:
    """Refuse values that an edited table may have and no reader of structures gives."""
    wrong = np.isinf(numbers)
    what = "a finite number"
    if name in ("pose_label", "active"):
        wrong, what = ~(np.isnan(numbers) | (numbers == 0) | (numbers == 1)), "0, 1 or empty"
    elif name == "rmsd":
        wrong, what = wrong | (numbers < 0), "0 Å or more"
    if wrong.any():
        row = int(np.argmax(wrong))
        raise AffinityZooError(
            f"{path} has {numbers[row]:g} in column {name} of row {row + 1}: it must be {what}; "
            "mend the table or index again"
        )
