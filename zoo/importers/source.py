"""The contract of a source of published weight files, and the checks of a file by its SHA-256."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from affinity_zoo.zoo.models import published
from affinity_zoo.zoo.runtime.files import write_bytes

LARGEST = 16 * 1024 * 1024  #: bytes of a weight file; the published ones have at most 2.9 million


@dataclass(frozen=True)
class Found:
    """Files that a source provides.

    Attributes:
        paths: file name without ``.pt`` -> a file with the published hash.
        reason: why the other files are missing; empty: no reason.
    """

    paths: Mapping[str, Path] = field(default_factory=dict)
    reason: str = ""


class Source(ABC):
    """A source of published weight files."""

    @abstractmethod
    def fetch(self, files: Sequence[str], keep: Path) -> Found:
        """Find files.

        Args:
            files: names without ``.pt``.
            keep: folder to write downloaded files to.

        Returns:
            The available files, and why others are missing.

        Raises:
            AffinityZooError: the source gives another file than the published one.
        """


def hashes_of(name: str) -> set[str]:
    """Return the SHA-256 of each published form (state dict, TorchScript) of a file, by its name without ``.pt``.

    Args:
        name: Name of the file without ``.pt``.
    """
    return {digest for digest, known in published.BY_HASH.items() if known == name}


def has_published_hash(name: str, data: bytes) -> bool:
    """Return whether data is the content of a published file.

    Args:
        name: Name of the file without ``.pt``.
        data: Content of the file.
    """
    return hashlib.sha256(data).hexdigest() in hashes_of(name)


def is_published(name: str, path: Path) -> bool:
    """Return whether a file exists and has the published hash.

    Args:
        name: Name of the file without ``.pt``.
        path: The file.
    """
    try:
        return path.stat().st_size <= LARGEST and has_published_hash(name, path.read_bytes())
    except OSError:
        return False


def keep_file(data: bytes, path: Path) -> Path:
    """Write a checked file whole or not at all.

    Args:
        data: Content of the file.
        path: The file; missing folders are made.

    Returns:
        The file.
    """
    write_bytes(path, data)
    return path
