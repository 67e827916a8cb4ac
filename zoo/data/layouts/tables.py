"""Tables: a CSV with one row per pose, gnina's .types lists."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.data.layouts.affinity import names_affinity, parse_affinity, uses_decimal_comma
from affinity_zoo.zoo.data.layouts.csv_table import ENDINGS, Table
from affinity_zoo.zoo.data.layouts.plan import Item, Plan
from affinity_zoo.zoo.data.layouts.recognise import Hints
from affinity_zoo.zoo.data.readers.base import Failure
from affinity_zoo.zoo.data.readers.formats import is_structure, stem
from affinity_zoo.zoo.data.store.dataset import COLUMNS

#: our column -> names that are recognised; the first one present is used
ALIASES: Final[dict[str, tuple[str, ...]]] = {
    "id": ("id",),
    "receptor": (
        "receptor",
        "receptor_file",
        "protein_file",
        "receptor_path",
        "protein_path",
        "protein",
        "pocket",
    ),
    "ligand": ("ligand", "ligand_file", "pose", "pose_file", "ligand_path", "file"),
    "record": ("record",),
    "target": ("target", "protein", "complex", "system", "pdb", "pdb_id", "pdbid"),
    "molecule": ("molecule", "compound", "name", "ligand_name", "molecule_name"),
    "pose_label": ("pose_label", "label"),
    "active": ("active", "activity_label"),
    "affinity": (
        "affinity",
        "pK",
        "pk",
        "pKd",
        "pKi",
        "pIC50",
        "Kd",
        "Ki",
        "IC50",
        "Kd_nM",
        "Ki_nM",
        "IC50_nM",
    ),
    "affinity_kind": ("affinity_kind",),
    "affinity_relation": ("affinity_relation",),
    "rmsd": ("rmsd", "rmsd_to_crystal", "rmsd_to_crystal_A"),
    "docking_score": ("docking_score", "vina_score", "vina_score_kcal", "minimizedAffinity"),
    "group": ("group", "cluster"),
    "source": ("source",),
}
SOURCES: Final = frozenset(
    ("", "crystal", "crystal_relaxed", "near_native", "docked", "displaced", "sampled")
)
_FILES: Final = ("receptor", "ligand")
#: columns that the index computes
_MADE: Final = frozenset(("receptor_structure", "ligand_structure", "notes", "hydrogens"))
MASKED: Final = "affinity_masked"
UNREAD: Final = "_notes"  #: what had to be decided or left out of a row's truths


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
        raise AffinityZooError(f"{path} has no rows")
    chosen = _choose(read, first[1], hints)
    extra = tuple(
        n for n in names if n not in chosen.values() and n and (n not in COLUMNS and n not in _MADE)
    )
    commas = _decimal_comma(read, chosen.get("affinity"))
    items: list[Item] = []
    failures: list[Failure] = []
    lost: dict[str, list[str]] = {}
    masked = 0
    for record, (number, row) in enumerate(read.rows()):
        try:
            if len(row) != len(names):
                raise ValueError(f"{len(row)} values under {len(names)} column names")
            item, wrong = _item(dict(zip(names, row, strict=True)), chosen, extra, commas)
        except ValueError as error:
            failures.append(Failure(path.name, record, "label", f"line {number} of {path.name}: {error}"))
            continue
        for truth, reason in wrong.items():
            lost.setdefault(truth, []).append(f"line {number}: {reason}")
        masked += MASKED in item.values
        items.append(item)
    notes = _notes(chosen, masked) + [_lost(truth, reasons) for truth, reasons in lost.items()]
    if any(MASKED in item.values for item in items):
        extra += (MASKED,)
    return Plan(f"table {path.name}", path.parent, _in_file_order(items), failures, notes, extra)


def _table_of(source: Path) -> Path | None:
    """The table that a source is or holds."""
    if source.is_dir():
        inside = [source / f"index{ending}" for ending in ENDINGS]
        return next((path for path in inside if path.is_file()), None)
    return source if source.is_file() and source.suffix.lower() in ENDINGS else None


def _decimal_comma(read: Table, column: str | None) -> bool | None:
    """Whether affinities are written with a decimal comma; None: no cell tells."""
    if column is None:
        return None
    at = read.names.index(column)
    told = uses_decimal_comma([row[at] for _, row in read.rows() if len(row) > at])
    if told is None and read.delimiter == ",":
        return False  # a comma in a cell was quoted for the thousands
    return told


def _lost(truth: str, reasons: list[str]) -> str:
    more = f" and {len(reasons) - 1} more" if len(reasons) > 1 else ""
    return f"{truth} left out where its cell cannot be read: {reasons[0]}{more}"


def _choose(read: Table, row: list[str], hints: Hints) -> dict[str, str]:
    """Our column -> the file's, whatever the case of its name."""
    path, names = read.path, read.names
    asked: dict[str, str] = {}
    for ours, theirs in hints.columns.items():
        if ours not in ALIASES:
            raise UsageError(f"`columns` {ours}={theirs}: there is no column {ours!r}: {', '.join(ALIASES)}")
        found = read.named(theirs) if theirs else ""
        if found is None:
            raise UsageError(
                f"`columns` {ours}={theirs}: {path} has no column {theirs!r}: {', '.join(names)}"
            )
        asked[ours] = found
    chosen = {ours: theirs for ours, theirs in asked.items() if theirs}
    taken = set(asked.values())
    first = dict(zip(names, row, strict=False))
    for ours, aliases in ALIASES.items():
        if ours in asked:
            continue
        for name in _candidates(read, ours, aliases):
            if name in taken:
                continue
            if (ours in _FILES) != is_structure(Path(first.get(name, "").strip())) and ours in (
                *_FILES,
                "target",
            ):
                continue  # a column "protein" holds names in some tables and files in others
            if ours == "source" and not _are_sources(read, name):
                continue
            chosen[ours] = name
            taken.add(name)
            break
    for ours in _FILES:
        if ours not in chosen:
            raise AffinityZooError(
                f"{path} has no column {ours} with file names (it has {', '.join(names)}): "
                f"name it with `columns`, as {ours}=NAME"
            )
    return chosen


def _candidates(read: Table, ours: str, aliases: tuple[str, ...]) -> list[str]:
    """Columns that may be ours, by their names."""
    found = [name for alias in aliases if (name := read.named(alias)) is not None]
    if ours == "affinity":  # IC50 (nM), Ki [µM] and their like
        found += [name for name in read.names if names_affinity(name) and name not in found]
    return found


def _are_sources(read: Table, name: str) -> bool:
    at = read.names.index(name)
    return all(row[at].strip() in SOURCES for _, row in read.rows() if len(row) == len(read.names))


def _item(
    row: Mapping[str, str], chosen: Mapping[str, str], extra: tuple[str, ...], commas: bool | None
) -> tuple[Item, dict[str, str]]:
    """A row, and which of its truths could not be read, and why: that costs the truth, not the pose."""

    def text(ours: str) -> str:
        return row[chosen[ours]].strip() if ours in chosen else ""

    receptor, ligand = _file(text("receptor")), _file(text("ligand"))
    if not receptor or not ligand:
        raise ValueError(f"no {'receptor' if not receptor else 'ligand'} is named")
    record = text("record")
    if record and not record.isdigit():
        raise ValueError(f"the record {record!r} is no number from 0")
    values: dict[str, Any] = {}
    wrong: dict[str, str] = {}

    def take(ours: str, read: Callable[[], dict[str, Any]]) -> None:
        try:
            values.update(read())
        except ValueError as error:
            wrong[ours] = str(error)

    for name in ("pose_label", "active"):
        if text(name):
            take(name, lambda name=name: {name: _binary(text(name), chosen[name])})  # type: ignore[misc]
    for name in ("rmsd", "docking_score"):
        if text(name):
            take(name, lambda name=name: {name: _number(text(name), chosen[name])})  # type: ignore[misc]
    take("affinity", lambda: _affinity(text("affinity"), chosen, values.get("pose_label"), commas))
    for name in ("id", "molecule", "group", "source", "affinity_kind", "affinity_relation"):
        if text(name):
            values[name] = text(name)
    if "source" not in values and (source := _source(ligand)):
        values["source"] = source
    values |= {name: row[name] for name in extra}
    if wrong:
        values[UNREAD] = "; ".join(f"{name} left out: {reason}" for name, reason in wrong.items())
    target = sys.intern(text("target") or _target(receptor))
    return Item(
        sys.intern(ligand), sys.intern(receptor), target, int(record) if record else -1, values
    ), wrong


def _file(text: str) -> str:
    """A path as it is written on any system."""
    return text.replace("\\", "/") if "\\" in text and "/" not in text else text


def _source(ligand: str) -> str:
    """Return the origin of a pose by gnina's file names: ``1abc_min_0`` is a minimised crystal pose.

    ``1abc_docked_3`` and ``docked_3`` are docked. A minimised crystal pose must not compete as a docked one.
    """
    parts = stem(Path(ligand)).lower().split("_")
    if "docked" in parts:
        return "docked"
    return "crystal_relaxed" if "min" in parts[1:] else ""


def _target(receptor: str) -> str:
    """Name a receptor without a name in the table: by its file, or by its folder if the file name is generic."""
    path = Path(receptor)
    common = stem(path).lower() in ("receptor", "protein", "pocket", "rec")
    return path.parent.as_posix() if common and path.parent.name else stem(path)


def _binary(text: str, column: str) -> int:
    value = {"1": 1, "0": 0, "1.0": 1, "0.0": 0, "true": 1, "false": 0}.get(text.lower())
    if value is None:
        raise ValueError(f"column {column} has {text!r}, a label is 0 or 1")
    return value


def _number(text: str, column: str) -> float:
    if text.lower() in ("nan", "na", "none"):
        return float("nan")
    plain = text.replace("\u2212", "-")
    try:
        return float(plain.replace(",", ".") if plain.count(",") == 1 and "." not in plain else plain)
    except ValueError:
        raise ValueError(f"column {column} has {text!r}, which is no number") from None


def _affinity(
    text: str, chosen: Mapping[str, str], pose_label: int | None, commas: bool | None
) -> dict[str, Any]:
    """A negative pK of a wrong pose is gnina's way to say so: the affinity is kept beside, not used."""
    column = chosen.get("affinity", "")
    if (
        commas is None
        and re.fullmatch(r"\D*[1-9]\d{0,2}[.,]\d{3}\D*", text)
        and (parse_affinity(text, column, True) != parse_affinity(text, column, False))
    ):
        raise ValueError(f"column {column} has {text!r}: is the comma one of thousands or of decimals?")
    if text.startswith(("-", "\u2212")) and pose_label == 0:
        masked = parse_affinity(text[1:], column, bool(commas))
        return {MASKED: masked.pk} if masked else {}
    found = parse_affinity(text, column, bool(commas))
    if found is None:
        return {}
    values: dict[str, Any] = {
        "affinity": found.pk,
        "affinity_kind": found.kind,
        "affinity_relation": found.relation,
    }
    return values | ({UNREAD: found.note} if found.note else {})


def _notes(chosen: Mapping[str, str], masked: int) -> list[str]:
    renamed = [f"{ours} is column {theirs}" for ours, theirs in chosen.items() if ours != theirs]
    notes = [", ".join(renamed)] if renamed else []
    if chosen.get("pose_label") == "label":
        notes.append(
            "a plain label is taken as pose_label (near-native or not); "
            "if it says who binds, use `columns`, as active=label"
        )
    if chosen.get("receptor") == "pocket":
        notes.append("receptors are pockets: shifts are limited by them, and decoys are refused")
    if masked:
        notes.append(f"{masked} negative affinities belong to bad poses: kept as {MASKED}, not as truth")
    return notes


def _in_file_order(items: list[Item]) -> list[Item]:
    """Group rows by pose file, so that each file is read once; files are in the order of their first row."""
    first: dict[str, int] = {}
    for i, item in enumerate(items):
        first.setdefault(item.ligand, i)
    return sorted(items, key=lambda item: first[item.ligand])


def types(source: Path, hints: Hints) -> Plan | None:
    """gnina's ``.types`` list: label, affinity and RMSD where given, receptor, ligand, then a comment.

    Args:
        source: Folder or file.
        hints: Information that the source lacks.
    """
    if not source.is_file() or source.suffix.lower() != ".types":
        return None
    items: list[Item] = []
    failures: list[Failure] = []
    for number, line in enumerate(source.read_text(encoding="utf-8", errors="replace").splitlines()):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            items.append(_types_line(line))
        except ValueError as error:
            failures.append(
                Failure(source.name, number, "label", f"line {number + 1} of {source.name}: {error}")
            )
    masked = sum(MASKED in item.values for item in items)
    notes = ["pose_label is the first number of a line; the comment's last number is the docking score"]
    notes += _notes({}, masked)
    extra = (MASKED,) if masked else ()
    return Plan(f"types list {source.name}", source.parent, _in_file_order(items), failures, notes, extra)


def _types_line(line: str) -> Item:
    body, _, comment = line.partition("#")
    words = body.split()
    numbers: list[float] = []
    while words:
        try:
            numbers.append(float(words[0]))
        except ValueError:
            break
        words.pop(0)
    if len(words) < 2 or not numbers:
        raise ValueError("it has no label, receptor and ligand")
    values: dict[str, Any] = {"pose_label": _binary(f"{numbers[0]:g}", "1")}
    if len(numbers) > 1 and numbers[1]:
        values |= {"affinity": numbers[1]} if numbers[1] > 0 else {MASKED: -numbers[1]}
    if len(numbers) > 2:
        values["rmsd"] = numbers[2]
    said = [float(w) for w in comment.split() if _is_number(w)]
    if said:
        values["docking_score"] = said[-1]
    if len(said) > 1:
        values.setdefault("rmsd", said[0])
    return Item(words[1], words[0], _target(words[0]), values=values)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
