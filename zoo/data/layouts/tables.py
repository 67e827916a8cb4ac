"""Tables with one row per pose: CSV and other delimited text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.data.layouts.affinity import no_pk, uses_decimal_comma
from affinity_zoo.zoo.data.layouts.contradictions import without_contradictions
from affinity_zoo.zoo.data.layouts.csv_table import ENDINGS, Table
from affinity_zoo.zoo.data.layouts.plan import Item, Plan
from affinity_zoo.zoo.data.layouts.recognise import Hints
from affinity_zoo.zoo.data.layouts.table_columns import choose_columns
from affinity_zoo.zoo.data.layouts.table_rows import MASKED, is_masked, read_row
from affinity_zoo.zoo.data.readers.base import Failure
from affinity_zoo.zoo.data.store.dataset import COLUMNS

#: columns that the index computes
_MADE: Final = frozenset(("receptor_structure", "ligand_structure", "notes", "hydrogens"))


def table(source: Path, hints: Hints) -> Plan | None:
    """A CSV file, or a folder with an ``index.csv``, with a row a pose.

    Args:
        source: Folder or file.
        hints: Information that the source lacks.
    """
    path = _table_of(source)
    if path is None:
        return None
    read = Table(path)
    names = read.names
    first = next(read.rows(), None)
    if first is None:
        raise AffinityZooError(f"{path} has no rows: give a table with a row for each pose")
    chosen = choose_columns(read, first[1], hints)
    extra = tuple(
        n for n in names if n not in chosen.values() and n and (n not in COLUMNS and n not in _MADE)
    )
    commas = _decimal_comma(read, chosen.get("affinity"))
    not_pk = _no_pk(read, chosen, commas)
    items: list[Item] = []
    failures: list[Failure] = []
    lost: dict[str, list[str]] = {}
    masked = 0
    for record, (number, row) in enumerate(read.rows()):
        try:
            if len(row) != len(names):
                raise ValueError(f"{len(row)} values under {len(names)} column names")
            item, wrong = read_row(dict(zip(names, row, strict=True)), chosen, extra, commas, not_pk)
        except ValueError as error:
            failures.append(Failure(path.name, record, "label", f"line {number} of {path.name}: {error}"))
            continue
        for truth, reason in wrong.items():
            lost.setdefault(truth, []).append(f"line {number}: {reason}")
        masked += MASKED in item.values
        items.append(item)
    notes = notes_of(chosen, masked) + [_lost(truth, reasons) for truth, reasons in lost.items()]
    if any(MASKED in item.values for item in items):
        extra += (MASKED,)
    items, contradictions = without_contradictions(in_file_order(items))
    return Plan(f"table {path.name}", path.parent, items, failures, [*notes, *contradictions], extra)


def _table_of(source: Path) -> Path | None:
    """The table that a source is or holds."""
    if source.is_dir():
        inside = [source / f"index{ending}" for ending in ENDINGS]
        return next((path for path in inside if path.is_file()), None)
    return source if source.is_file() and source.suffix.lower() in ENDINGS else None


def _decimal_comma(read: Table, column: str | None) -> bool | None:
    """Whether affinities are written with a decimal comma; None: no cell is decisive."""
    if column is None:
        return None
    at = read.names.index(column)
    told = uses_decimal_comma([row[at] for _, row in read.rows() if len(row) > at])
    if told is None and read.delimiter == ",":
        return False  # a comma in a cell was quoted for the thousands
    return told


def _no_pk(read: Table, chosen: Mapping[str, str], commas: bool | None) -> str:
    """Why numbers without a unit in the column of affinities are no pK; empty: they are, or there is no column."""
    if "affinity" not in chosen:
        return ""
    at = read.names.index(chosen["affinity"])
    label = read.names.index(chosen["pose_label"]) if "pose_label" in chosen else -1
    cells = (
        row[at]
        for _, row in read.rows()
        if len(row) == len(read.names) and not (label >= 0 and is_masked(row[at], row[label]))
    )
    return no_pk(cells, chosen["affinity"], bool(commas))


def _lost(truth: str, reasons: list[str]) -> str:
    more = f" and {len(reasons) - 1} more" if len(reasons) > 1 else ""
    return f"{truth} left out where its cell cannot be read: {reasons[0]}{more}"


def notes_of(chosen: Mapping[str, str], masked: int) -> list[str]:
    """Notes for the user on how a table was understood.

    Args:
        chosen: The table's column for each column of the index.
        masked: Number of affinities that belong to wrong poses.
    """
    renamed = [f"{ours} is column {theirs}" for ours, theirs in chosen.items() if ours != theirs]
    notes = [", ".join(renamed)] if renamed else []
    if chosen.get("pose_label") == "label":
        notes.append(
            "a plain label is taken as pose_label (near-native or not); "
            "if it marks binders, use `columns`, as active=label"
        )
    if chosen.get("receptor") == "pocket":
        notes.append("receptors are pockets: shifts are limited by them, and decoys are refused")
    if masked:
        notes.append(f"{masked} negative affinities belong to wrong poses: kept as {MASKED} and not used")
    return notes


def in_file_order(items: list[Item]) -> list[Item]:
    """Group rows by pose file, so that each file is read once; files are in the order of their first row.

    Args:
        items: Poses in the order of the table.
    """
    first: dict[str, int] = {}
    for i, item in enumerate(items):
        first.setdefault(item.ligand, i)
    return sorted(items, key=lambda item: first[item.ligand])
