"""The rows of several results on one benchmark, in one order; a pair that one of them lacks has no score there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import VALID, Predictions
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.judging.predictions import labels_hash, take
from affinity_zoo.zoo.scorers.rescored import OF_BENCHMARK, RELATION

Array: TypeAlias = NDArray[Any]


def common_rows(tables: Sequence[Predictions], names: Sequence[str]) -> list[Predictions]:
    """Bring tables of one benchmark into one order of ids.

    Args:
        tables: predictions of each result.
        names: how a message calls them.

    Returns:
        Tables of the same rows: all pairs that any of them has.

    Raises:
        AffinityZooError: two have no pair in common, or have different true values of a pair.
    """
    union = _sorted(tables[0])
    for table, name in zip(tables[1:], names[1:], strict=True):
        shared = np.isin(table.id, union.id)
        if not shared.any():
            raise AffinityZooError(f"{names[0]} and {name} have no pair in common")
        mine, theirs = (
            labels_hash(take(rows, np.flatnonzero(np.isin(rows.id, table.id[shared]))))
            for rows in (union, table)
        )
        if mine != theirs:
            raise AffinityZooError(
                f"{names[0]} and {name} have different true values: they are not from one benchmark"
            )
        if not shared.all():
            union = _sorted(_joined(union, take(table, np.flatnonzero(~shared))))
    return [_aligned(table, union) for table in tables]


def _sorted(table: Predictions) -> Predictions:
    return take(table, np.argsort(table.id, kind="stable"))


def _joined(one: Predictions, other: Predictions) -> Predictions:
    """The rows of two tables; of the further columns only those of the benchmark are kept."""
    columns = {
        f.name: np.concatenate([getattr(one, f.name), getattr(other, f.name)])
        for f in fields(one)
        if f.name != "extra"
    }
    extra: dict[str, Array] = {}
    if RELATION in one.extra or RELATION in other.extra:
        parts = [table.extra.get(RELATION, np.full(len(table), "")) for table in (one, other)]
        extra[RELATION] = np.concatenate(parts)
    if VALID in one.extra or VALID in other.extra:
        parts = [table.extra.get(VALID, np.full(len(table), np.nan)) for table in (one, other)]
        extra[VALID] = np.concatenate(parts)
    return Predictions(extra=extra, **columns)


def _aligned(table: Predictions, union: Predictions) -> Predictions:
    """A table with the rows of the union, in its order; rows that it lacks have no score."""
    order = np.argsort(table.id, kind="stable")
    place = np.searchsorted(table.id, union.id, sorter=order)
    place = order[np.minimum(place, len(order) - 1)]
    found = table.id[place] == union.id
    moved = take(table, place)
    if found.all():
        return moved
    extra = {name: _where_found(found, column) for name, column in moved.extra.items()}
    extra |= {name: union.extra[name] for name in OF_BENCHMARK if name in union.extra}
    return replace(union, score=np.where(found, moved.score, np.nan), extra=extra)


def _where_found(found: NDArray[np.bool_], column: Array) -> Array:
    if column.dtype.kind in "US":
        return np.where(found, column, "")
    return np.where(found, column.astype(np.float64), np.nan)
