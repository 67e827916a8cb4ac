"""Weight files on this machine: a folder or file that the user gives, and the folder of downloads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.importers.source import Found, Source, is_published
from affinity_zoo.zoo.importers.wheels import unpack_wheel


@dataclass(frozen=True)
class Given(Source):
    """A given folder with ``.pt`` files or the wheel, a ``.pt`` file, or the wheel itself."""

    path: Path

    def fetch(self, files: Sequence[str], keep: Path) -> Found:
        """Find files in the folder or file; see :meth:`Source.fetch`."""
        if not self.path.exists():
            raise UsageError(f"{self.path} does not exist: give a folder with weight files, or a file")
        candidates = sorted(self.path.iterdir()) if self.path.is_dir() else [self.path]
        found = {path.stem: path for path in candidates if path.suffix == ".pt" and path.stem in files}
        for name, path in found.items():
            if not is_published(name, path):
                raise AffinityZooError(
                    f"{path}: refused, its SHA-256 is not that of the published {name}.pt; get the file again, or "
                    "convert it as your own with `affinity-zoo import gnina`"
                )
        for path in candidates:
            if path.suffix == ".whl" and len(found) < len(files):
                found = {**unpack_wheel(path, [name for name in files if name not in found], keep), **found}
        return Found(found)


@dataclass(frozen=True)
class Downloaded(Source):
    """The download folder."""

    folder: Path

    def fetch(self, files: Sequence[str], keep: Path) -> Found:
        """Find files in the download folder; damaged ones count as missing; see :meth:`Source.fetch`."""
        paths = {name: self.folder / f"{name}.pt" for name in files}
        return Found({name: path for name, path in paths.items() if is_published(name, path)})
