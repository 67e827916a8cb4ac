"""Tables: a CSV with one row per pose, gnina's .types lists."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.data.layouts.affinity import parse_affinity
from affinity_zoo.zoo.data.layouts.plan import Item, Plan
from affinity_zoo.zoo.data.layouts.recognise import Hints
from affinity_zoo.zoo.data.readers.base import Failure
from affinity_zoo.zoo.data.readers.formats import is_structure, stem
from affinity_zoo.zoo.data.store.dataset import COLUMNS
from affinity_zoo.zoo.runtime.files import all_rows, csv_header

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


def table(source: Path, hints: Hints) -> Plan | None:
    """A CSV file, or a folder with an ``index.csv``, with one row per pose.

    Args:
        source: Folder or file.
        hints: Information that the source lacks.
    """
    path = source / "index.csv" if source.is_dir() else source
    if not path.is_file() or path.suffix.lower() != ".csv":
        return None
    names = csv_header(path)
    first = next(all_rows(path), None)
    if first is None:
        raise AffinityZooError(f"{path} has no rows")
    chosen = _choose(path, names, first, hints)
    extra = tuple(
        n for n in names if n not in chosen.values() and n and (n not in COLUMNS and n not in _MADE)
    )
    items: list[Item] = []
    failures: list[Failure] = []
    masked = 0
    for number, row in enumerate(all_rows(path), 2):
        try:
            if len(row) != len(names):
                raise ValueError(f"{len(row)} values under {len(names)} column names")
            item = _item(dict(zip(names, row, strict=True)), chosen, extra)
        except ValueError as error:
            failures.append(Failure(path.name, number - 2, "label", f"line {number} of {path.name}: {error}"))
            continue
        masked += MASKED in item.values
        items.append(item)
    notes = _notes(chosen, masked)
    if any(MASKED in item.values for item in items):
        extra += (MASKED,)
    return Plan(f"table {path.name}", path.parent, _in_file_order(items), failures, notes, extra)


def _choose(path: Path, names: list[str], row: list[str], hints: Hints) -> dict[str, str]:
    """Our column -> the file's."""
    for ours, theirs in hints.columns.items():
        if ours not in ALIASES:
            raise UsageError(f"`columns` {ours}={theirs}: there is no column {ours!r}: {', '.join(ALIASES)}")
        if theirs and theirs not in names:
            raise UsageError(
                f"`columns` {ours}={theirs}: {path} has no column {theirs!r}: {', '.join(names)}"
            )
    chosen = {ours: theirs for ours, theirs in hints.columns.items() if theirs}
    taken = set(hints.columns.values())
    first = dict(zip(names, row, strict=False))
    for ours, aliases in ALIASES.items():
        if ours in hints.columns:
            continue
        for name in aliases:
            if name not in names or name in taken:
                continue
            if (ours in _FILES) != is_structure(Path(first.get(name, ""))) and ours in (*_FILES, "target"):
                continue  # a column "protein" holds names in some tables and files in others
            if (
                ours == "source"
                and not {r[names.index(name)] for r in all_rows(path) if len(r) == len(names)} <= SOURCES
            ):
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


def _item(row: Mapping[str, str], chosen: Mapping[str, str], extra: tuple[str, ...]) -> Item:
    def text(ours: str) -> str:
        return row[chosen[ours]].strip() if ours in chosen else ""

    receptor, ligand = text("receptor"), text("ligand")
    if not receptor or not ligand:
        raise ValueError(f"no {'receptor' if not receptor else 'ligand'} is named")
    values: dict[str, Any] = {}
    for name in ("pose_label", "active"):
        if text(name):
            values[name] = _binary(text(name), chosen[name])
    for name in ("rmsd", "docking_score"):
        if text(name):
            values[name] = _number(text(name), chosen[name])
    values |= _affinity(text("affinity"), chosen.get("affinity", ""), values.get("pose_label"))
    for name in ("id", "molecule", "group", "source", "affinity_kind", "affinity_relation"):
        if text(name):
            values[name] = text(name)
    if "source" not in values and (source := _source(ligand)):
        values["source"] = source
    values |= {name: row[name] for name in extra}
    record = text("record")
    if record and not record.isdigit():
        raise ValueError(f"the record {record!r} is no number from 0")
    target = sys.intern(text("target") or _target(receptor))
    return Item(sys.intern(ligand), sys.intern(receptor), target, int(record) if record else -1, values)


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
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"column {column} has {text!r}, which is no number") from None


def _affinity(text: str, column: str, pose_label: int | None) -> dict[str, Any]:
    """A negative pK is gnina's mark of a wrong pose: the affinity is kept but not used."""
    if text.startswith("-") and pose_label == 0:
        masked = parse_affinity(text[1:], column)
        return {MASKED: masked.pk} if masked else {}
    found = parse_affinity(text, column)
    if found is None:
        return {}
    return {"affinity": found.pk, "affinity_kind": found.kind, "affinity_relation": found.relation}


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
