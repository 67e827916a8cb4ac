"""Choice of a table's columns by their names and cells."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.data.layouts.affinity import names_affinity
from affinity_zoo.zoo.data.layouts.csv_table import Table
from affinity_zoo.zoo.data.layouts.recognise import Hints
from affinity_zoo.zoo.data.readers.formats import is_structure

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


def choose_columns(read: Table, row: list[str], hints: Hints) -> dict[str, str]:
    """Choose the table's column for each column of the index; upper and lower case are equal.

    Args:
        read: The table.
        row: Cells of its first row: a column of files is recognised by their endings.
        hints: Columns that the user names; they come first.

    Returns:
        Name in the table by the name in the index; columns that the table lacks are missing.

    Raises:
        UsageError: A hint names an unknown column.
        AffinityZooError: There is no column of receptor or ligand files.
    """
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
                f"give its name with `columns`, as {ours}=NAME"
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
