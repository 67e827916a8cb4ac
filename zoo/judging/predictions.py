"""Tables of predictions: from an index, to and from CSV, and selections of rows."""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import VALID, Predictions, Truth
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.runtime import memory
from affinity_zoo.zoo.runtime.files import whole
from affinity_zoo.zoo.scorers.rescored import RELATION

if TYPE_CHECKING:
    from affinity_zoo.zoo.data.store.dataset import Dataset

Array: TypeAlias = NDArray[Any]

NUMBERS = ("score", "pose_label", "active", "affinity", "rmsd", "docking_score")
TEXTS = ("id", "group", "target", "molecule", "source")
AT_ONCE = 32_768  #: rows whose cells are held as Python objects
CENSORED = ("<", ">", "<=", ">=")
TRUTHS: tuple[Truth, ...] = ("pose_label", "active", "affinity", "rmsd")
COLUMNS = ("id", "score", "group", "target", "molecule", "pose_label", "active", "affinity", "rmsd",
           "docking_score", "source")  # fmt: skip


def make_predictions(*, extra: Mapping[str, Array] | None = None, **columns: Any) -> Predictions:
    """Make predictions from some of their columns; the others are empty text or NaN.

    Args:
        extra: further columns, N entries each.
        columns: ``id`` and any other of :data:`COLUMNS`, N entries each.
    """
    n = len(columns["id"])
    made: dict[str, Array] = {name: np.full(n, np.nan) for name in NUMBERS}
    made.update({name: np.full(n, "", np.str_) for name in TEXTS})
    for name, column in columns.items():
        made[name] = np.asarray(column, np.str_ if name in TEXTS else np.float64)
    if not made["group"].astype(bool).any():
        made["group"] = made["target"]
    extra = {name: np.asarray(column) for name, column in (extra or {}).items()}
    wrong = [name for name, column in {**made, **extra}.items() if len(column) != n]
    if wrong:
        raise AffinityZooError(f"predictions need {n} entries in each column; {', '.join(wrong)} differ")
    return Predictions(extra=extra, **made)


def from_dataset(
    dataset: Dataset, rows: Array, score: Array, extra: Mapping[str, Array] | None = None
) -> Predictions:
    """Make predictions for some rows of an index.

    Args:
        dataset: the index.
        rows: (N,) row numbers.
        score: (N,), larger is better, NaN for a missing score.
        extra: further columns, N entries each.
    """
    everything = len(rows) == len(dataset.column("id")) and bool(np.array_equal(rows, np.arange(len(rows))))
    columns = {
        name: np.asarray(dataset.column(name))
        if everything
        else dataset.column(name)[rows]  # mapped, not copied
        for name in COLUMNS
        if name != "score"
    }
    extra = dict(extra or {})
    relation = dataset.column(RELATION)[rows]
    if np.isin(relation, CENSORED).any():
        extra[RELATION] = relation
    if VALID in dataset.columns:
        extra[VALID] = _validity(dataset.path, dataset.column(VALID)[rows])
    return make_predictions(score=score, extra=extra, **columns)


def _validity(folder: Path, column: Array) -> Array:
    """The column of validity of an index, (N,) float64: 1 valid, 0 not, NaN not checked."""
    kinds = {
        "1": 1.0,
        "1.0": 1.0,
        "true": 1.0,
        "0": 0.0,
        "0.0": 0.0,
        "false": 0.0,
        "": math.nan,
        "nan": math.nan,
    }
    cells = [str(cell).strip().lower() for cell in column.tolist()]
    if strange := next((cell for cell in cells if cell not in kinds), None):
        raise AffinityZooError(f"{folder}: the column {VALID} has {strange!r}: it must be 1, 0 or empty")
    return np.array([kinds[cell] for cell in cells], np.float64)


def take(predictions: Predictions, rows: Array) -> Predictions:
    """Select rows by a mask (N,) or by row numbers, in their order.

    Args:
        predictions: Predictions of N rows.
        rows: Mask (N,) or row numbers.
    """
    parts = {f.name: getattr(predictions, f.name)[rows] for f in fields(predictions) if f.name != "extra"}
    return Predictions(extra={name: column[rows] for name, column in predictions.extra.items()}, **parts)


def known_rows(predictions: Predictions, truth: Truth) -> NDArray[np.bool_]:
    """Return which rows have a truth, (N,).

    An affinity that is only a bound (``pK > 9``) has no defined error or rank and is excluded.

    Args:
        predictions: Predictions of N rows.
        truth: Column of true values.
    """
    known = np.isfinite(getattr(predictions, truth))
    return known & ~censored(predictions) if truth == "affinity" else known


def censored(predictions: Predictions) -> NDArray[np.bool_]:
    """Return which rows have an affinity that is a bound, (N,).

    Args:
        predictions: Predictions of N rows.
    """
    if RELATION not in predictions.extra:
        return np.zeros(len(predictions), np.bool_)
    return np.isin(predictions.extra[RELATION], CENSORED)


def write_predictions(path: Path, predictions: Predictions) -> Path:
    """Write predictions as CSV, one row per pair; floats are exact, missing values are empty.

    Args:
        path: The CSV file.
        predictions: Predictions of N rows.
    """
    columns = [*(getattr(predictions, name) for name in COLUMNS), *predictions.extra.values()]
    with whole(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*COLUMNS, *predictions.extra])
        for first in range(0, len(predictions), AT_ONCE):
            part = [_texts(column[first : first + AT_ONCE]) for column in columns]
            writer.writerows(zip(*part, strict=True))
    return path


def read_predictions(path: Path, like: Predictions | None = None) -> Predictions:
    """Read predictions from :func:`write_predictions`, or any CSV with ``id``, ``score`` and some truths.

    Args:
        path: The CSV file.
        like: Rows that the file may hold. Text columns that equal theirs are not kept in memory again.

    Raises:
        AffinityZooError: The file cannot be read, or is not such a table.
    """
    parts: dict[str, list[Array]] = {}
    shared = set(TEXTS) if like is not None else set()  # text columns that equal those of ``like`` so far
    for names, first, rows in _csv_parts(path):
        if not {"id", "score"} <= set(names):
            raise AffinityZooError(f"{path} is not a table of predictions: it needs the columns id and score")
        short = next((i for i, row in enumerate(rows) if len(row) != len(names)), None)
        if short is not None:
            raise AffinityZooError(
                f"{path}: row {first + short + 1} has {len(rows[short])} cells, not {len(names)}"
            )
        cells = zip(*rows, strict=True) if rows else ((),) * len(names)
        for name, column in zip(names, cells, strict=True):
            read = np.array(column, np.str_) if name in TEXTS else _cells(path, name, column)
            kept = parts.setdefault(name, [])
            if name in shared:
                known = getattr(like, name)
                if np.array_equal(known[first : first + len(rows)], read):
                    kept[:] = [known[: first + len(rows)]]  # a view
                    continue
                shared.discard(name)
            kept.append(read)
    table = {name: _joined(parts.pop(name)) for name in list(parts)}
    memory.give_back()
    extra = {name: column for name, column in table.items() if name not in (*TEXTS, *NUMBERS)}
    return make_predictions(extra=extra, **{name: c for name, c in table.items() if name not in extra})


def _csv_parts(path: Path) -> Iterator[tuple[list[str], int, list[list[str]]]]:
    """Names, number of the first row, and rows of a CSV file, some thousand at once; one part at least."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.reader(file)
            names = next(reader, [])
            first = 0
            while (rows := list(islice(reader, AT_ONCE))) or not first:
                yield names, first, rows
                first += len(rows) or 1
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise AffinityZooError(f"{path} cannot be read as predictions: {error}") from error


def _joined(parts: list[Array]) -> Array:
    """Join the parts of a column; if a part is not numeric, the whole column is text."""
    if len(parts) == 1:
        return parts[0]
    if {part.dtype.kind for part in parts} == {"f", "U"}:
        parts = [np.array(_texts(part), np.str_) if part.dtype.kind == "f" else part for part in parts]
    return np.concatenate(parts)


def _cells(path: Path, name: str, cells: Sequence[str]) -> Array:
    return _floats(path, name, cells) if name in NUMBERS else _guess(cells)


def labels_hash(predictions: Predictions) -> str:
    """Return a hash of ids and truths in the order of ids; it identifies a benchmark independently of models.

    Args:
        predictions: Predictions of N rows.
    """
    order = np.argsort(predictions.id, kind="stable")
    digest = hashlib.sha256()
    hash_texts(digest, predictions.id, order)
    for truth in TRUTHS:
        column = np.where(np.isnan(getattr(predictions, truth)), np.nan, getattr(predictions, truth))
        digest.update(np.ascontiguousarray(column[order], "<f8").tobytes())
    if VALID in predictions.extra:
        valid = np.asarray(predictions.extra[VALID], np.float64)
        valid = np.where(np.isnan(valid), np.nan, valid)
        digest.update(b"valid" + np.ascontiguousarray(valid[order], "<f8").tobytes())
    return digest.hexdigest()


def hash_texts(digest: Any, column: Array, order: Array) -> None:
    """Add the texts of a column, in an order and with line feeds between them, to a hash.

    Args:
        digest: Hash object; it is updated.
        column: (N,) texts.
        order: (N,) order of the rows.
    """
    for first in range(0, len(order), AT_ONCE):
        words = "\n".join(column[order[first : first + AT_ONCE]].tolist())
        digest.update(f"{chr(10) if first else ''}{words}".encode())


def _texts(column: Array) -> list[str]:
    if column.dtype.kind == "f":
        return ["" if math.isnan(value) else repr(value) for value in column.tolist()]
    return [str(value) for value in column.tolist()]


def _floats(path: Path, name: str, cells: Sequence[str]) -> Array:
    try:
        return np.array([float(cell) if cell else np.nan for cell in cells], np.float64)
    except ValueError as error:
        raise AffinityZooError(
            f"{path}: column {name} contains a value that is not a number: {error}"
        ) from error


def _guess(cells: Sequence[str]) -> Array:
    try:
        return np.array([float(cell) if cell else np.nan for cell in cells], np.float64)
    except ValueError:
        return np.array(cells, np.str_)
