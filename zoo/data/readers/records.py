"""Names and ids of records, and search of files: the same rules for every command that reads structures.

- **Files**: a folder is searched through with its subfolders, endings count in any case, ``.gz`` may follow.
- **Id**: the file below the folder that all files share, without its ending; ``#record`` behind it where the file holds
  several records or one is named. Ids of a table are not changed. All ids are unique.
- **Molecule**: the table's, else the record's name, else (if the name is generic, such as ``LIG``) the file's.
- **Absent records**: a record that a table names and the file does not have is a failure, not a gap.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath
from typing import Final

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.data.readers.base import Failure, PoseRecord
from affinity_zoo.zoo.data.readers.formats import TABLE, format_of, is_structure, without_ending

#: generic names: programs write them if they know no other
NO_NAMES: Final = frozenset(
    (
        "",
        "LIG",
        "UNL",
        "UNK",
        "UNL1",
        "MOL",
        "INH",
        "DRG",
        "***",
        "*****",
        "LIGAND",
        "UNNAMED",
        "UNTITLED",
        "NONE",
    )
)


def pose_files(given: Iterable[str | Path], but: Iterable[str | Path] = ()) -> list[Path]:
    """The pose files among files and folders.

    Args:
        given: files and folders; folders are searched with their subfolders.
        but: files that a folder may hold and that are no poses, such as the receptor.

    Returns:
        Files in the order given, those of a folder by their path.

    Raises:
        AffinityZooError: a path does not exist, a folder holds no poses, or nothing is given.
    """
    left_out = {Path(path).resolve() for path in but}
    files: list[Path] = []
    for entry in map(Path, given):
        if entry.is_dir():
            inside = sorted(
                path
                for path in entry.rglob("*")
                if is_structure(path)
                and path.is_file()
                and path.resolve() not in left_out
                and holds_poses(path)
            )
            if not inside:
                endings = ", ".join(e for f in TABLE for e in f.endings)
                raise AffinityZooError(
                    f"{entry}: no pose files in it or its subfolders ({endings}, also .gz); give "
                    "files or folders with poses"
                )
            files += inside
        elif entry.is_file():
            files.append(entry)
        else:
            raise AffinityZooError(
                f"{entry}: no such file or folder; give `poses` files or folders that exist"
            )
    if not files:
        raise AffinityZooError("no poses given: give pose files or folders")
    return files


def holds_poses(path: Path) -> bool:
    """Whether files of this format may hold poses.

    Args:
        path: of the file.
    """
    return format_of(path).poses is not None


def receptor_file(given: str | Path) -> Path:
    """The path of a receptor.

    Args:
        given: by the user.

    Raises:
        AffinityZooError: there is no such file.
    """
    path = Path(given)
    if not path.is_file():
        raise AffinityZooError(f"{path}: no such file; give `receptor` the structure of the receptor")
    return path


def nth_record(files: Sequence[Path], record: int) -> tuple[Path, int]:
    """The file and the record in it where the records of several files are counted through.

    Args:
        files: one or more.
        record: number from 0 over all of them.

    Raises:
        UsageError: the number is negative.
        AffinityZooError: there are fewer records.
    """
    from affinity_zoo.zoo.data.readers import read_poses

    if record < 0:
        raise UsageError(f"`record` counts from 0, not {record}")
    if len(files) == 1:
        return files[0], record
    seen = 0
    for file in files:
        count = sum(1 for _ in read_poses(file))
        if record < seen + count:
            return file, record - seen
        seen += count
    raise AffinityZooError(
        f"there is no record {record}: the {len(files)} files have {seen} records, counted from 0"
    )


def id_bases(files: Iterable[str]) -> dict[str, str]:
    """Start of the ids of each file's records; it is unique for each file.

    Args:
        files: as the user named them; each may come several times.
    """
    names = list(dict.fromkeys(files))
    parents = [os.path.dirname(os.path.normpath(name)) for name in names]
    try:
        root = os.path.commonpath(parents) if parents else ""
    except ValueError:  # absolute and relative paths together
        root = ""
    below = {
        name: PurePath(os.path.relpath(os.path.normpath(name), root or ".")).as_posix() for name in names
    }
    if any(path.startswith("..") for path in below.values()):
        below = {name: PurePath(os.path.normpath(name)).as_posix() for name in names}
    plain = {name: without_ending(path) for name, path in below.items()}
    count: dict[str, int] = {}
    for base in plain.values():
        count[base] = count.get(base, 0) + 1
    return {name: below[name] if count[plain[name]] > 1 else plain[name] for name in names}


def row_id(base: str, record: int, several: bool) -> str:
    """The id of a record that no table names.

    Args:
        base: of its file.
        record: its number.
        several: the file holds several records, or this one was named.
    """
    return f"{base}#{record}" if several else base


def unique(ids: Iterable[str]) -> list[str]:
    """Ids of which none comes twice: the second of a name gets ``~2`` behind it.

    Args:
        ids: in the order of the rows.
    """
    seen: set[str] = set()
    found = []
    for name in ids:
        now, n = name, 2
        while now in seen:
            now, n = f"{name}~{n}", n + 1
        seen.add(now)
        found.append(now)
    return found


def molecule_of(name: str, other: str) -> str:
    """The molecule of a pose without a table.

    Args:
        name: of the record.
        other: used if that is generic: the file's name without ending, or the complex it belongs to.
    """
    name = name.strip()
    return other if name.upper() in NO_NAMES else name


def absent(file: str, record: int, found: Sequence[PoseRecord], several_read: bool = True) -> PoseRecord:
    """The record that a table names and the file does not have.

    Args:
        file: as the user named it.
        record: the number asked for.
        found: what was read of the file; where the file itself failed, that is the reason.
        several_read: the file was read as a whole, so that a failure may be the file's.
    """
    whole = next((pose.failure for pose in found if pose.failure is not None), None) if several_read else None
    stage, reason = (whole.stage, whole.reason) if whole else ("find", f"the file has no record {record}")
    return PoseRecord(record, "", failure=Failure(file, record, stage, reason))
