"""Folder layouts of PDBbind, DUD-E and docking runs, and files of whole complexes."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.data.layouts.affinity import parse_affinity
from affinity_zoo.zoo.data.layouts.ancestor import unknown_format
from affinity_zoo.zoo.data.layouts.plan import Item, Plan
from affinity_zoo.zoo.data.layouts.recognise import Hints
from affinity_zoo.zoo.data.readers.base import Failure
from affinity_zoo.zoo.data.readers.formats import format_of, is_structure, stem, suffix_of
from affinity_zoo.zoo.data.readers.records import holds_poses

_RECEPTOR_NAME: Final = re.compile(r"(^|[_-])(receptor|protein|rec|prot)([_-]|$)", re.IGNORECASE)


def one_receptor_given(source: Path, hints: Hints) -> Plan | None:
    """Pose files (one, or a folder of them) for a given receptor.

    Args:
        source: Folder or file.
        hints: Information that the source lacks.
    """
    if hints.receptor is None:
        return None
    if not hints.receptor.is_file():
        raise AffinityZooError(f"the receptor {hints.receptor} does not exist")
    root = source if source.is_dir() else source.parent
    receptor = os.path.relpath(hints.receptor, root)
    files = _structures(source) if source.is_dir() else [source]
    poses = [f for f in files if f.resolve() != hints.receptor.resolve() and (f == source or holds_poses(f))]
    items = [
        Item(f.relative_to(root).as_posix(), Path(receptor).as_posix(), stem(hints.receptor)) for f in poses
    ]
    return Plan(
        "one receptor with pose files", root, items, _others(source, files), ["no labels"], by_file=True
    )


def one_receptor(source: Path, hints: Hints) -> Plan | None:
    """A folder with one file called receptor or protein, and pose files.

    Args:
        source: Folder or file.
        hints: Information that the source lacks.
    """
    if not source.is_dir():
        return None
    files = [f for f in sorted(source.iterdir()) if f.is_file() and is_structure(f)]
    receptors = [f for f in files if _RECEPTOR_NAME.search(stem(f))]
    poses = [f for f in files if f not in receptors and holds_poses(f)]
    if len(receptors) != 1 or not poses:
        return None
    target = source.resolve().name
    items = [Item(f.name, receptors[0].name, target) for f in poses]
    notes = [f"receptor {receptors[0].name}; no labels"]
    return Plan("one receptor with pose files", source, items, _others(source, files), notes, by_file=True)


def dude(source: Path, hints: Hints) -> Plan | None:
    """``receptor.*`` with ``actives*`` and ``decoys*`` (or ``inactives*``), in one folder or one folder per target.

    Args:
        source: Folder or file.
        hints: Information that the source lacks.
    """
    if not source.is_dir():
        return None
    targets = [source, *sorted(p for p in source.iterdir() if p.is_dir())]
    items: list[Item] = []
    failures: list[Failure] = []
    for folder in targets:
        files = sorted(f for f in folder.iterdir() if f.is_file())
        kinds = [(f, _activity(f)) for f in files]
        if not any(active is not None for _, active in kinds):
            continue
        receptors = [f for f in files if is_structure(f) and _RECEPTOR_NAME.search(stem(f))]
        for file, active in kinds:
            if active is None:
                continue
            relative = file.relative_to(source).as_posix()
            if not is_structure(file):
                if suffix_of(file) not in (".csv", ".txt", ".ism", ".smi", ".log", ".picked"):
                    failures.append(Failure(relative, -1, "find", unknown_format(file)))
            elif not receptors:
                failures.append(Failure(relative, -1, "find", f"there is no receptor.* in {folder.name}/"))
            else:
                receptor = receptors[0].relative_to(source).as_posix()
                items.append(Item(relative, receptor, folder.resolve().name, values={"active": active}))
    if not items and not failures:
        return None
    return Plan(
        "DUD-E folders",
        source,
        items,
        failures,
        ["active is 1 in actives*, 0 in decoys* and inactives*"],
        by_file=True,
    )


def _activity(file: Path) -> int | None:
    name = file.name.lower()
    if name.startswith("active"):
        return 1
    return 0 if name.startswith(("decoy", "inactive")) else None


def pdbbind(source: Path, hints: Hints) -> Plan | None:
    """``1abc/1abc_protein.pdb``, ``_pocket.pdb`` and ``_ligand.sdf`` or ``.mol2``, with or without an INDEX file.

    Args:
        source: Folder or file.
        hints: Information that the source lacks.
    """
    if not source.is_dir():
        return None
    found: list[tuple[str, dict[str, Path]]] = []
    failures: list[Failure] = []
    for folder in sorted(p for p in source.iterdir() if p.is_dir()):
        parts = {kind: _first(folder, kind) for kind in ("protein", "pocket", "ligand")}
        if parts["ligand"] is None and parts["protein"] is None:
            continue
        if parts["ligand"] is None:
            failures.append(Failure(folder.name, -1, "find", "the folder has no *_ligand.sdf or .mol2"))
        elif parts["protein"] is None and parts["pocket"] is None:
            failures.append(
                Failure(folder.name, -1, "find", "the folder has no *_protein.pdb and no *_pocket.pdb")
            )
        else:
            found.append((folder.name, {k: v for k, v in parts.items() if v is not None}))
    if not found:
        return None
    kind = _receptor_kind([parts for _, parts in found])
    known = _index_files(source)
    items = []
    for name, files in found:
        if kind not in files:
            reason = f"it has no *_{kind}.pdb, and pockets are never mixed with whole proteins"
            failures.append(Failure(name, -1, "find", reason))
            continue
        values = known.get(name.lower(), {}) | {"source": "crystal", "pose_label": 1}
        ligand, receptor = (files[k].relative_to(source).as_posix() for k in ("ligand", kind))
        items.append(Item(ligand, receptor, name, values=values))
    notes = [f"receptors are the {kind} files", "every ligand is taken as a crystal pose: pose_label is 1"]
    notes.append(f"affinities of {sum('affinity' in i.values for i in items)} complexes from INDEX files")
    return Plan(
        "PDBbind folders", source, items, failures, notes, extra=("year", "resolution") if known else ()
    )


def _first(folder: Path, kind: str) -> Path | None:
    formats = (".sdf", ".mol2", ".pdb") if kind == "ligand" else (".pdb", ".ent", ".cif")
    for suffix in formats:
        for name in (f"{folder.name}_{kind}{suffix}", f"{kind}{suffix}"):
            for file in (folder / name, folder / f"{name}.gz"):
                if file.is_file():
                    return file
    return None


def _receptor_kind(parts: Sequence[dict[str, Path]]) -> str:
    """Choose whole proteins if at least half of the complexes have one, else pockets; the same kind for all."""
    return "protein" if 2 * sum("protein" in p for p in parts) >= len(parts) else "pocket"


_INDEX_LINE: Final = re.compile(
    r"^([0-9a-z]{4})\s+(\S+)\s+(\d{4})\s+(-?\d+(?:\.\d*)?)\s+(\S+)", re.IGNORECASE
)


def _index_files(source: Path) -> dict[str, dict[str, Any]]:
    """PDBbind's INDEX files: code, resolution, year, pK, measurement."""
    found: dict[str, dict[str, Any]] = {}
    for folder in (source, source / "index", source.parent / "index"):
        for path in sorted(folder.glob("INDEX*")) if folder.is_dir() else []:
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                match = _INDEX_LINE.match(line)
                if match is None:
                    continue
                values: dict[str, Any] = {
                    "year": match[3],
                    "resolution": match[2],
                    "affinity": float(match[4]),
                }
                try:
                    measured = parse_affinity(match[5])
                except ValueError:
                    measured = None
                if measured is not None:
                    values |= {"affinity_kind": measured.kind, "affinity_relation": measured.relation}
                found.setdefault(match[1].lower(), values)
    return found


def complexes(source: Path, hints: Hints) -> Plan | None:
    """PDB or mmCIF files (one, or a folder of them) with receptor and ligand.

    Args:
        source: Folder or file.
        hints: Information that the source lacks.
    """
    files = (
        [source]
        if source.is_file()
        else sorted(f for f in source.iterdir() if f.is_file() and is_structure(f))
    )
    root = source.parent if source.is_file() else source
    if not files or any(not is_structure(f) or format_of(f).models is None for f in files):
        return None
    items = [Item(f.name, f.name, stem(f), values={"source": "crystal", "pose_label": 1}) for f in files]
    said = (
        f"residue {hints.ligand}"
        if hints.ligand
        else "the largest residue that is no polymer, water, ion or buffer"
    )
    notes = [f"the ligand of each file is {said}; every copy is a row: pose_label is 1"]
    return Plan(
        "complexes in one file", root, items, _others(source, files), notes, split=hints.ligand or "largest"
    )


def _structures(folder: Path) -> list[Path]:
    return sorted(f for f in folder.rglob("*") if f.is_file() and is_structure(f))


def _others(source: Path, taken: Sequence[Path]) -> list[Failure]:
    """Report files in a folder of poses that no reader accepts as failures."""
    if not source.is_dir():
        return []
    skip = (".csv", ".txt", ".md", ".log", ".json", ".tsv", ".xml", ".toml", ".conf")
    rest = [
        f for f in sorted(source.iterdir()) if f.is_file() and f not in taken and not f.name.startswith(".")
    ]
    return [
        Failure(f.name, -1, "find", unknown_format(f))
        for f in rest
        if f.suffix.lower() not in skip and f.suffix
    ]
