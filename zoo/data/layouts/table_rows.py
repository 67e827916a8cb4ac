"""Rows of a table: files, record, truths and other values of one pose."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from affinity_zoo.zoo.data.layouts.affinity import NotPkError, parse_affinity, with_relation
from affinity_zoo.zoo.data.layouts.plan import Item
from affinity_zoo.zoo.data.readers.formats import stem

MASKED: Final = "affinity_masked"
UNREAD: Final = "_notes"  #: what had to be decided or left out of a row's truths


def read_row(
    row: Mapping[str, str],
    chosen: Mapping[str, str],
    extra: tuple[str, ...],
    commas: bool | None,
    no_pk: str = "",
) -> tuple[Item, dict[str, str]]:
    """Read one row. A truth that cannot be read is left out; the pose is kept.

    Args:
        row: Cells by the table's column names.
        chosen: The table's column for each column of the index.
        extra: Further columns of the table to keep as they are.
        commas: Whether affinities have decimal commas; None: no cell is decisive.
        no_pk: Reason why numbers without a unit are no pK in this table; empty: they are.

    Returns:
        The pose, and the reason for each truth that was left out.

    Raises:
        ValueError: The row names no receptor or no ligand, or its record is not a number.
    """

    def text(ours: str) -> str:
        return row[chosen[ours]].strip() if ours in chosen else ""

    receptor, ligand = _file(text("receptor")), _file(text("ligand"))
    if not receptor or not ligand:
        raise ValueError(f"the row has no {'receptor' if not receptor else 'ligand'}")
    record = text("record")
    if record and not record.isdigit():
        raise ValueError(f"the record {record!r} is not a number from 0")
    values: dict[str, Any] = {}
    wrong: dict[str, str] = {}

    def take(ours: str, read: Callable[[], dict[str, Any]]) -> None:
        try:
            values.update(read())
        except ValueError as error:
            wrong[ours] = str(error)

    for name in ("pose_label", "active"):
        if text(name):
            take(name, lambda name=name: {name: read_label(text(name), chosen[name])})  # type: ignore[misc]
    for name, read in (("rmsd", read_rmsd), ("docking_score", read_number)):
        if text(name):
            take(name, lambda name=name, read=read: {name: read(text(name), chosen[name])})  # type: ignore[misc]
    relation = text("affinity_relation")
    take(
        "affinity",
        lambda: _affinity(text("affinity"), chosen, values.get("pose_label"), commas, no_pk, relation),
    )
    for name in ("id", "molecule", "group", "source", "affinity_kind"):
        if text(name):
            values[name] = text(name)
    if "source" not in values and (source := source_of(ligand)):
        values["source"] = source
    values |= {name: row[name] for name in extra}
    if wrong:
        values[UNREAD] = "; ".join(f"{name} left out: {reason}" for name, reason in wrong.items())
    target = sys.intern(text("target") or target_of(receptor))
    return Item(
        sys.intern(ligand), sys.intern(receptor), target, int(record) if record else -1, values
    ), wrong


def _file(text: str) -> str:
    """A path with forward slashes."""
    return text.replace("\\", "/") if "\\" in text and "/" not in text else text


def source_of(ligand: str) -> str:
    """Return the origin of a pose by gnina's file names: ``1abc_min_0`` is a minimised crystal pose.

    ``1abc_docked_3`` and ``docked_3`` are docked. A minimised crystal pose must not compete as a docked one.

    Args:
        ligand: Name of the pose file.

    Returns:
        ``docked``, ``crystal_relaxed``, or empty where the name does not tell.
    """
    parts = stem(Path(ligand)).lower().split("_")
    if "docked" in parts:
        return "docked"
    return "crystal_relaxed" if "min" in parts[1:] else ""


def target_of(receptor: str) -> str:
    """Name a receptor without a name in the table: by its file, or by its folder if the file name is generic.

    Args:
        receptor: Path of the receptor's file.
    """
    path = Path(receptor)
    common = stem(path).lower() in ("receptor", "protein", "pocket", "rec")
    return path.parent.as_posix() if common and path.parent.name else stem(path)


def read_label(text: str, column: str) -> int:
    """Read a label, 0 or 1.

    Args:
        text: The cell.
        column: Name of its column, for the message.

    Raises:
        ValueError: It is neither 0 nor 1.
    """
    value = {"1": 1, "0": 0, "1.0": 1, "0.0": 0, "true": 1, "false": 0}.get(text.lower())
    if value is None:
        raise ValueError(f"column {column} has {text!r}, but a label is 0 or 1")
    return value


def read_rmsd(text: str, column: str) -> float:
    """Read an RMSD, Å; NaN where the cell says that there is none.

    Args:
        text: The cell.
        column: Name of its column, for the message.

    Raises:
        ValueError: It is no number of 0 or more.
    """
    value = read_number(text, column)
    if value < 0:
        raise ValueError(f"column {column} has {text!r}, an RMSD is 0 Å or more")
    return value


def read_number(text: str, column: str) -> float:
    """Read a number; NaN where the cell says that there is none.

    Args:
        text: The cell.
        column: Name of its column, for the message.

    Raises:
        ValueError: It is no finite number.
    """
    if text.lower() in ("nan", "na", "none"):
        return float("nan")
    plain = text.replace("\u2212", "-")
    try:
        value = float(plain.replace(",", ".") if plain.count(",") == 1 and "." not in plain else plain)
    except ValueError:
        value = float("nan")
    if not math.isfinite(value) or "_" in plain:  # Python reads 1_000 as a number
        raise ValueError(f"column {column} has {text!r}, which is not a number")
    return value


def is_masked(affinity: str, pose_label: str) -> bool:
    """Return whether a cell is the affinity of a wrong pose, which gnina's tables mark by a minus sign.

    Args:
        affinity: The cell.
        pose_label: Cell of the row's label.
    """
    return affinity.strip().startswith(("-", "\u2212")) and pose_label.strip().lower() in (
        "0",
        "0.0",
        "false",
    )


def _affinity(
    text: str,
    chosen: Mapping[str, str],
    pose_label: int | None,
    commas: bool | None,
    no_pk: str,
    relation: str,
) -> dict[str, Any]:
    """Read an affinity. gnina's tables mark the pK of a wrong pose by a minus sign: it is kept under `MASKED`."""
    column = chosen.get("affinity", "")
    if (
        commas is None
        and re.fullmatch(r"\D*[1-9]\d{0,2}[.,]\d{3}\D*", text)
        and (parse_affinity(text, column, True) != parse_affinity(text, column, False))
    ):
        raise ValueError(
            f"column {column} has {text!r}: it is unclear whether the comma separates thousands or decimals"
        )
    if pose_label == 0 and is_masked(text, "0"):
        masked = parse_affinity(text[1:], column, bool(commas))
        return {MASKED: masked.pk} if masked else {}
    try:
        found = parse_affinity(text, column, bool(commas))
    except NotPkError as error:
        raise ValueError(no_pk or str(error)) from None
    if found is None:
        return {}
    if found.bare and no_pk:
        raise ValueError(no_pk)
    found = with_relation(found, relation)
    values: dict[str, Any] = {
        "affinity": found.pk,
        "affinity_kind": found.kind,
        "affinity_relation": found.relation,
    }
    return values | ({UNREAD: found.note} if found.note else {})
