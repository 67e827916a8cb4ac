"""Splits that keep groups together: train, validation and test, stored as ids and a hash."""

from __future__ import annotations

import csv
import hashlib
import heapq
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.runtime.files import cell, csv_rows, whole, write_json

NAMES = ("train", "validation", "test")
DEFAULT_FRACTIONS = (0.8, 0.1, 0.1)


def check_fractions(fractions: Sequence[float]) -> tuple[float, float, float]:
    """Three fractions of train, validation and test that add up to 1.

    Args:
        fractions: Fractions of train, validation and test.

    Raises:
        UsageError: they do not add up to 1, or one is out of range.
    """
    fits = len(fractions) == 3 and min(fractions) >= 0 and fractions[0] > 0
    if not fits or not abs(sum(fractions) - 1) <= 1e-6:  # a NaN is not in range
        raise UsageError(
            f"fractions are three numbers for train, validation and test that add up to 1, not {tuple(fractions)}"
        )
    return (float(fractions[0]), float(fractions[1]), float(fractions[2]))


def split_groups(
    groups: Sequence[str], fractions: Sequence[float] = DEFAULT_FRACTIONS, seed: int = 0
) -> list[str]:
    """Assign each row to a split; rows of one group stay together.

    Groups are taken in an order that follows from the seed and their names alone, and each goes where most is
    missing. Every split with a fraction gets at least one group where there are enough.

    Args:
        groups: one name a row.
        fractions: of the rows, for train, validation and test.
        seed: seed of the random order.

    Returns:
        ``train``, ``validation`` or ``test`` for each row.
    """
    share = dict(zip(NAMES, check_fractions(fractions), strict=True))
    size: dict[str, int] = {}
    for group in groups:
        size[group] = size.get(group, 0) + 1
    order = sorted(size, key=lambda group: hashlib.sha256(f"{seed}:{group}".encode()).digest())
    filled = dict.fromkeys(NAMES, 0)
    place: dict[str, str] = {}
    # train first, then test: a single group trains, two groups can be judged
    waiting = [name for name in ("train", "test", "validation") if share[name] > 0]
    for group in order:
        if waiting:
            name = waiting.pop(0)
        else:
            name = max(NAMES, key=lambda n: share[n] * len(groups) - filled[n])
        place[group] = name
        filled[name] += size[group]
    return [place[group] for group in groups]


def fold_groups(groups: Sequence[str], folds: int, seed: int = 0) -> list[int]:
    """Assign each row to a fold, 0 to ``folds`` - 1; rows of one group stay together, folds are even.

    Args:
        groups: Name of the group of each row.
        folds: Number of folds.
        seed: Seed of the random order.
    """
    size: dict[str, int] = {}
    for group in groups:
        size[group] = size.get(group, 0) + 1
    # The largest groups first: what is left evens the folds out.
    order = sorted(
        size, key=lambda group: (-size[group], hashlib.sha256(f"{seed}:{group}".encode()).digest())
    )
    filled = [0] * folds
    place: dict[str, int] = {}
    for group in order:
        place[group] = min(range(folds), key=lambda f: (filled[f], f))
        filled[place[group]] += size[group]
    return [place[group] for group in groups]


def dated_groups(groups: Sequence[str], dates: Sequence[str], fractions: Sequence[float]) -> list[str]:
    """Assign each row to a split: the oldest groups train, the newest test; rows of one group stay together.

    Args:
        groups: name of the group of each row.
        dates: year or date of each row as text that sorts; a group is as old as its first row.
        fractions: shares of the rows in train, validation and test.

    Returns:
        ``train``, ``validation`` or ``test`` for each row.
    """
    first: dict[str, str] = {}
    size: dict[str, int] = {}
    for group, date in zip(groups, dates, strict=True):
        first[group] = min(first.get(group, date), date)
        size[group] = size.get(group, 0) + 1
    place: dict[str, str] = {}
    filled = 0
    for group in sorted(first, key=lambda g: (first[g], g)):
        middle = (filled + size[group] / 2) / len(groups)
        filled += size[group]
        train, validation = fractions[0], fractions[0] + fractions[1]
        place[group] = "train" if middle < train else "validation" if middle < validation else "test"
    return [place[group] for group in groups]


def write_splits(
    folder: Path, columns: dict[str, Sequence[Any]], places: Sequence[str], how: dict[str, Any]
) -> dict[str, int]:
    """Write ``train_set.csv``, ``validation_set.csv``, ``test_set.csv`` and ``splits.json``.

    Args:
        folder: of the index.
        columns: ``id`` first; the others are for human readers only.
        places: the split of each row.
        how: rule of the split; it is stored in ``splits.json`` with a hash of each set's ids.

    Returns:
        Rows of each split.
    """
    return _write(folder, list(columns), zip(*columns.values(), strict=True), places, how)


def write_index_splits(folder: Path, places: Sequence[str], how: dict[str, Any]) -> dict[str, int]:
    """Write the same files from the index's table, row by row; ``places`` is in its order.

    Args:
        folder: Folder that ``affinity-zoo index`` made.
        places: Split of each row.
        how: Description of the split.
    """
    from affinity_zoo.zoo.data.store.columns import ExtraColumns
    from affinity_zoo.zoo.data.store.dataset import INDEX_FILE, SPLIT_FILES

    columns = ["id", "pose_label", "ligand", "receptor"]
    count = _write(folder, columns, csv_rows(folder / INDEX_FILE, columns), places, how)
    ExtraColumns(folder, INDEX_FILE).keep_splits(SPLIT_FILES, places)
    return count


def _write(
    folder: Path,
    columns: list[str],
    rows: Iterable[Sequence[Any]],
    places: Sequence[str],
    how: dict[str, Any],
) -> dict[str, int]:
    from affinity_zoo.zoo.data.store.dataset import SPLIT_FILES

    count = dict.fromkeys(NAMES, 0)
    with ExitStack() as stack:
        ids = {name: stack.enter_context(_SortedHash()) for name in NAMES}
        files = {name: stack.enter_context(whole(folder / SPLIT_FILES[name])) for name in NAMES}
        writers = {name: csv.writer(file, lineterminator="\n") for name, file in files.items()}
        for writer in writers.values():
            writer.writerow(columns)
        for row, place in zip(rows, places, strict=True):
            writers[place].writerow([cell(value) for value in row])
            ids[place].add(str(row[0]).encode())
            count[place] += 1
        sets = {name: {"rows": count[name], "ids_sha256": ids[name].hexdigest()} for name in NAMES}
    write_json(folder / "splits.json", dict(how) | {"sets": sets})
    return count


class _SortedHash:
    """SHA-256 of texts in their order, joined by line feeds; holds a part of them at a time.

    UTF-8 sorts as text does.
    """

    def __init__(self, at_once: int = 65536) -> None:
        self._at_once = at_once
        self._part: list[bytes] = []
        self._runs: list[IO[bytes]] = []

    def __enter__(self) -> _SortedHash:
        return self

    def __exit__(self, *error: object) -> None:
        for run in self._runs:
            run.close()

    def add(self, text: bytes) -> None:
        """Add a text."""
        self._part.append(text)
        if len(self._part) == self._at_once:
            run = tempfile.TemporaryFile()  # noqa: SIM115 - closed with this object
            for each in sorted(self._part):
                run.write(len(each).to_bytes(4, "little") + each)
            run.seek(0)
            self._runs.append(run)
            self._part = []

    def hexdigest(self) -> str:
        """Return the hash; no text can be added afterwards."""
        total, first = hashlib.sha256(), True
        for text in heapq.merge(*map(_texts, self._runs), sorted(self._part)):
            total.update(text if first else b"\n" + text)
            first = False
        return total.hexdigest()


def _texts(run: IO[bytes]) -> Iterator[bytes]:
    while size := run.read(4):
        yield run.read(int.from_bytes(size, "little"))
