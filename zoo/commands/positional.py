"""Interpretation of the positional arguments of ``predict MODEL RECEPTOR POSES...``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path

from affinity_zoo.plugins.errors import AffinityZooError, UsageError

STANDARD_INPUT = "-"
_TABLE = re.compile(r"\.(csv|tsv|types)$", re.IGNORECASE)
_RUN = re.compile(r"^\d+_(logs|netstate|train|test)$")
_GLOB = re.compile(r"[*?\[]")


@dataclass
class Words:
    """The words of a command line, sorted by what they are."""

    models: list[str] = field(default_factory=list)
    receptor: Path | None = None
    poses: list[str] = field(default_factory=list)
    table: str | None = None  #: instead of receptor and poses


def sort_words(
    words: Sequence[str],
    *,
    models: Sequence[str] = (),
    receptor: Path | None = None,
    poses: Sequence[str] = (),
    table: str | None = None,
    command: str,
    model: bool = True,
) -> Words:
    """Sort the words without an option: models first, then the receptor, then its poses, or a table.

    A word is a structure where it is a file, ends as one (``.sdf``, ``.pdb.gz``), is a pattern such as ``poses/*.sdf``,
    or is a folder that holds no model; all other words are models.

    Args:
        words: the positional arguments.
        models, receptor, poses, table: what was given with options; with a receptor all structures are poses.
        command: how the command is written, for the error.
        model: whether the first word is a model even where it is a folder that holds none.

    Returns:
        The sorted words; patterns are expanded, standard input stays ``-``.

    Raises:
        UsageError: no receptor or no poses are given, or both a table and structures.
        AffinityZooError: a pattern matches no file.
    """
    found = Words([*models], receptor, [part for word in poses for part in _expanded(word)], table)
    structures: list[str] = []
    for word in words:
        if _is_structure(word, bool(found.models) or not model):
            structures += _expanded(word)
        else:
            found.models.append(word)
    if found.table is None and receptor is None and len(structures) == 1 and _TABLE.search(structures[0]):
        found.table = structures.pop()
    if found.table is not None:
        if receptor is not None or structures or poses:
            raise UsageError(
                "a table already names receptors and poses: give either a table or receptor and poses"
            )
        return found
    if receptor is None and structures:
        found.receptor = Path(structures.pop(0))
    found.poses += structures
    if found.receptor is None or not found.poses:
        missing = "receptor" if found.receptor is None else "pose"
        raise UsageError(
            f"no {missing} given: affinity-zoo {command}; see `affinity-zoo {command.split(maxsplit=1)[0]} --help`"
        )
    return found


def one_model(words: Words, what: str) -> str:
    """Return the only model.

    Args:
        words: from :func:`sort_words`.
        what: the command, for the error.

    Raises:
        UsageError: there is none, or there are several.
    """
    if len(words.models) != 1:
        told = f"these look like models: {', '.join(words.models)}" if words.models else "none was given"
        raise UsageError(f"{what} needs exactly one model, but {told}; see `affinity-zoo {what} --help`")
    return words.models[0]


def one_pose(words: Words, what: str, record: int = 0) -> tuple[Path, int]:
    """Return the file of the pose that is meant, and its record there.

    Args:
        words: from :func:`sort_words`; the records of several files and folders are counted through.
        what: the command, for the error.
        record: number from 0 over all files.

    Raises:
        UsageError: it is standard input.
        AffinityZooError: there is no such file or record.
    """
    from affinity_zoo.zoo.data.readers.records import nth_record, pose_files

    if STANDARD_INPUT in words.poses:
        raise UsageError(f"{what} cannot read a pose from standard input: give a file")
    return nth_record(pose_files(words.poses, but=[words.receptor] if words.receptor else ()), record)


def _is_structure(word: str, model_given: bool) -> bool:
    from affinity_zoo.zoo.data.readers.formats import is_structure

    path = Path(word)
    if path.is_dir():
        return model_given and not _holds_model(path)
    named = is_structure(path) or bool(_TABLE.search(word) or _GLOB.search(word))
    return word == STANDARD_INPUT or path.is_file() or named


def _holds_model(folder: Path) -> bool:
    names = ("model.keras", "ensemble.toml", "recipe.toml", "model")
    return any((folder / name).exists() for name in names) or bool(
        re.search(r"^\d+_(logs|netstate|train|test)$", folder.name)
    )


def _expanded(word: str) -> list[str]:
    if word == STANDARD_INPUT or not _GLOB.search(word) or Path(word).exists():
        return [word]
    found = sorted(glob(word, recursive=True))
    if not found:
        raise AffinityZooError(
            f"{word}: no file matches this pattern; check the folder and the file extension"
        )
    return found
