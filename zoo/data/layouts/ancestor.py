"""The ancestor's folders: receptors beside crystal, docked and unlabelled ligands; or its arrays with a CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from affinity_zoo.zoo.data.layouts.csv_table import Table
from affinity_zoo.zoo.data.layouts.plan import Item, Plan
from affinity_zoo.zoo.data.layouts.recognise import Hints
from affinity_zoo.zoo.data.layouts.table_rows import read_number, read_rmsd
from affinity_zoo.zoo.data.readers.base import Failure
from affinity_zoo.zoo.data.readers.formats import FORMATS, is_structure, stem

#: the ancestor's folders: name -> (pose_label, source); near-native and relaxed crystal poses are positives that
#: ``source`` tells apart
POSE_FOLDERS: Final[dict[str, tuple[int | None, str]]] = {
    "crystal_ligands": (1, "crystal"),
    "crystal_relaxed": (1, "crystal_relaxed"),
    "near_native": (1, "near_native"),
    "docked_ligands": (0, "docked"),
    "ligands": (None, ""),
}
#: columns of an additional table of pose files
_RMSD: Final = ("rmsd", "rmsd_to_crystal_A", "rmsd_to_crystal")
_SCORE: Final = ("docking_score", "vina_score_kcal", "vina_score", "score")


def ancestor(source: Path, hints: Hints) -> Plan | None:
    """``receptors/<id>.pdb`` with ``crystal_ligands/<id>/*``, ``docked_ligands/<id>/*``, ``ligands/<id>/*`` ...

    Args:
        source: Folder or file.
        hints: Information that the source lacks.
    """
    if not source.is_dir() or not (source / "receptors").is_dir():
        return None
    folders = [name for name in POSE_FOLDERS if (source / name).is_dir()]
    if not folders:
        return None
    receptors = {
        stem(p): p for p in sorted((source / "receptors").rglob("*")) if p.is_file() and is_structure(p)
    }
    known, notes_of_tables = _tables(source)
    items: list[Item] = []
    failures: list[Failure] = []
    for name in folders:
        label, origin = POSE_FOLDERS[name]
        for path in _pose_files(source / name):
            relative = path.relative_to(source).as_posix()
            target = path.parent.name if path.parent != source / name else stem(path)
            receptor = receptors.get(target) or _longest_prefix(target, receptors)
            if not is_structure(path):
                failures.append(Failure(relative, -1, "find", unknown_format(path)))
            elif receptor is None:
                failures.append(
                    Failure(relative, -1, "find", f"there is no receptor receptors/{target}.pdb for it")
                )
            else:
                values = {"pose_label": label, "source": origin, **known.get(relative, {})}
                items.append(
                    Item(relative, receptor.relative_to(source).as_posix(), stem(receptor), values=values)
                )
    notes = [f"pose_label is {POSE_FOLDERS[n][0]} in {n}/" for n in folders if POSE_FOLDERS[n][0] is not None]
    if idle := len(receptors) - len({item.receptor for item in items}):
        notes.append(f"{idle} receptors have no ligand and are left out")
    notes += notes_of_tables
    order = {name: i for i, name in enumerate(folders)}
    items.sort(key=lambda item: (item.target, order[item.ligand.split("/")[0]], item.ligand))
    return Plan("ancestor folders", source, items, failures, notes)


def unknown_format(path: Path) -> str:
    """Return the reason why no reader accepts a file.

    Args:
        path: The file.
    """
    return f"unknown format {path.suffix or path.name!r}: {', '.join(sorted(FORMATS))} are read"


def _pose_files(folder: Path) -> list[Path]:
    found = [p for p in folder.rglob("*") if p.is_file()]
    return sorted(p for p in found if not p.name.startswith(".") and not p.name.lower().startswith("readme"))


def _longest_prefix(name: str, receptors: dict[str, Path]) -> Path | None:
    """``ligands/1abc_lig3.pdb`` belongs to ``receptors/1abc.pdb``."""
    for end in range(len(name) - 1, 0, -1):
        if name[end] in "_-." and name[:end] in receptors:
            return receptors[name[:end]]
    return None


def _tables(source: Path) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Read RMSD and docking score by pose file from every CSV with a column ``file`` beside the folders.

    Args:
        source: Folder.

    Returns:
        Values by file, and notes on cells that cannot be read.
    """
    found: dict[str, dict[str, Any]] = {}
    notes: list[str] = []
    for path in sorted(source.glob("*.csv")):
        read = Table(path)
        names = read.names
        if (column := read.named("file")) is None:
            continue
        picks = {
            "rmsd": (_column(names, _RMSD), read_rmsd),
            "docking_score": (_column(names, _SCORE), read_number),
        }
        at = names.index(column)
        wrong: list[str] = []
        for line, row in read.rows():
            if len(row) != len(names):
                wrong.append(f"line {line}: {len(row)} values under {len(names)} column names")
                continue
            values: dict[str, Any] = {}
            for name, (place, number) in picks.items():
                if place is not None and row[place].strip():
                    try:
                        values[name] = number(row[place].strip(), names[place])
                    except ValueError as error:
                        wrong.append(f"line {line}: {error}")
            found.setdefault(row[at].strip(), {}).update(values)
        if wrong:
            more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
            notes.append(f"{path.name}: values that cannot be read are left out: {wrong[0]}{more}")
    return found, notes


def _column(names: list[str], wanted: tuple[str, ...]) -> int | None:
    return next((names.index(w) for w in wanted if w in names), None)
