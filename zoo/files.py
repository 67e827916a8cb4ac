"""Files that appear whole or not at all, and hashes of them."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from affinity_zoo.plugins.errors import UsageError


@contextmanager
def write_whole(path: Path) -> Iterator[IO[str]]:
    """Open a text file for writing that takes its name only when the block ends without an error.

    The folder is made where it is missing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.tmp-{os.getpid()}")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            yield file
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give a new folder to write into that takes its name, and the place of an older one, when the block ends well."""
    temporary = folder.with_name(f"{folder.name}.tmp-{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_output(path: Path) -> Path:
    """Return the path of a file that is going to be written, checked before the work is done.

    Raises:
        UsageError: it is a folder, or its folder is a file.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder: give the name of a file to write")
    if path.parent.exists() and not path.parent.is_dir():
        raise UsageError(f"{path.parent} is a file, so {path.name} cannot be written in it")
    return path


def check_folder(path: Path) -> Path:
    """Return a folder that files are going to be written to, made where it is missing.

    Raises:
        UsageError: there is a file of that name.
    """
    if path.exists() and not path.is_dir():
        raise UsageError(f"{path} is a file: give the name of a folder")
    path.mkdir(parents=True, exist_ok=True)
    return path


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
