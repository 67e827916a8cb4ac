"""Sources of published weight files: a local folder or file, the download folder, the package index, a URL.

A source is one class. Each file is checked by its SHA-256 before anything reads it, whatever the source.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.models import published
from affinity_zoo.zoo.runtime.archives import Limits, open_archive, read_member

LARGEST = 16 * 1024 * 1024  #: bytes of a weight file; the published ones have at most 2.9 million
TIMEOUT = 30.0  #: seconds without a byte
_INDEX_TIMEOUT = 900.0  #: seconds for a download of 37 MB by pip


@dataclass(frozen=True)
class Found:
    """Files that a source provides.

    Attributes:
        paths: file name without ``.pt`` -> a file with the published hash.
        reason: why the other files are not there; empty: nothing to say.
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
            Those that are there, and why others are not.

        Raises:
            AffinityZooError: the source gives another file than the published one.
        """


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
                found = {**_from_wheel(path, [name for name in files if name not in found], keep), **found}
        return Found(found)


@dataclass(frozen=True)
class Downloaded(Source):
    """The download folder."""

    folder: Path

    def fetch(self, files: Sequence[str], keep: Path) -> Found:
        """Find files in the download folder; damaged ones count as missing; see :meth:`Source.fetch`."""
        paths = {name: self.folder / f"{name}.pt" for name in files}
        return Found({name: path for name, path in paths.items() if is_published(name, path)})


@dataclass(frozen=True)
class PackageIndex(Source):
    """The wheel of the Python package index, downloaded by pip with the user's own settings, never installed."""

    def fetch(self, files: Sequence[str], keep: Path) -> Found:
        """Download the wheel where it holds one of the files, and unpack all its weights; see :meth:`Source.fetch`."""
        wheels = {published.collection_of(name).wheel for name in files} - {None}
        if not wheels:
            return Found()
        if find_spec("pip") is None:
            return Found(reason="package index: pip is not installed here")
        found: dict[str, Path] = {}
        for wheel in wheels:
            assert wheel is not None
            with tempfile.TemporaryDirectory(prefix="affinity-zoo-") as folder:
                reason = _pip_download(wheel, Path(folder))
                path = next(Path(folder).glob("*.whl"), None)
                if reason or path is None:
                    return Found(found, f"package index: {reason or 'pip wrote no wheel'}")
                found.update(_from_wheel(path, list(published.HASHES), keep))
        return Found({name: path for name, path in found.items() if name in files})


@dataclass(frozen=True)
class Address(Source):
    """A folder on a web server: the published one, or a mirror.

    Attributes:
        url: of the folder; None: that of each file's collection.
    """

    url: str | None = None

    def __post_init__(self) -> None:
        """Check the address."""
        parts = urlsplit(self.url or "https://published")
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise UsageError(f"the url is the http(s) address of a folder, not {self.url!r}")

    def fetch(self, files: Sequence[str], keep: Path) -> Found:
        """Download the files one by one; see :meth:`Source.fetch`."""
        found: dict[str, Path] = {}
        for name in files:
            base = (self.url or published.collection_of(name).base_url).rstrip("/")
            address = f"{base}/{name}.pt"
            data, reason = _download(address)
            if reason:
                return Found(found, f"{address}: {reason}")
            digest = hashlib.sha256(data).hexdigest()
            if digest not in hashes_of(name):
                raise AffinityZooError(
                    f"{address}: refused, its SHA-256 is {digest[:16]}..., the published file's is "
                    f"{published.HASHES[name][:16]}...; nothing was kept: try again, or another url"
                )
            found[name] = _keep(data, keep / f"{name}.pt")
        return Found(found)


def hashes_of(name: str) -> set[str]:
    """Return the SHA-256 of each published form (state dict, TorchScript) of a file, by its name without ``.pt``.

    Args:
        name: Name of the file without ``.pt``.
    """
    return {digest for digest, known in published.BY_HASH.items() if known == name}


def is_published(name: str, path: Path) -> bool:
    """Return whether a file exists and has the published hash.

    Args:
        name: Name of the file without ``.pt``.
        path: The file.
    """
    try:
        return path.stat().st_size <= LARGEST and hashlib.sha256(path.read_bytes()).hexdigest() in hashes_of(
            name
        )
    except OSError:
        return False


def _from_wheel(path: Path, files: Sequence[str], keep: Path) -> dict[str, Path]:
    """Unpack weight files of a published wheel, each checked; the wheel is refused where its hash is not known."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    known = [one for one in published.COLLECTIONS if one.wheel is not None and one.wheel.sha256 == digest]
    if not known:
        raise AffinityZooError(
            f"{path}: refused, its SHA-256 is {digest[:16]}..., not that of a published wheel"
        )
    wheel = known[0].wheel
    assert wheel is not None
    found = {}
    with open_archive(path, Limits(file=256 << 20, members=2_000, unpacked=512 << 20)) as archive:
        for name in archive.namelist():
            member = PurePosixPath(name)
            if str(member.parent) != wheel.folder or member.suffix != ".pt" or member.stem not in files:
                continue
            data = read_member(archive, name, LARGEST)
            if hashlib.sha256(data).hexdigest() not in hashes_of(member.stem):
                raise AffinityZooError(f"{path}: refused, its {name} is not the published file")
            found[member.stem] = _keep(data, keep / member.name)
    return found


def _pip_download(wheel: published.Wheel, folder: Path) -> str:
    """Download a wheel with pip; returns what went wrong, or an empty text."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
    command += ["--only-binary=:all:", "--ignore-requires-python", f"--dest={folder}"]
    command.append(f"{wheel.project}=={wheel.version}")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_INDEX_TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"pip did not finish ({type(error).__name__})"
    if done.returncode == 0:
        return ""
    said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
    return said[-1] if said else f"pip ended with exit code {done.returncode}"


def _download(address: str) -> tuple[bytes, str]:
    """Download a file; returns its bytes, and what went wrong or an empty text."""
    try:
        with urlopen(Request(address, headers={"User-Agent": "affinity-zoo"}), timeout=TIMEOUT) as answer:
            data: bytes = answer.read(LARGEST + 1)
            told = answer.headers.get("Content-Length")
    except HTTPError as error:
        return b"", f"the server answers {error.code} {error.reason}"
    except (URLError, HTTPException, OSError) as error:
        return b"", f"cannot be downloaded ({getattr(error, 'reason', None) or error})"
    if len(data) > LARGEST:
        return b"", f"refused, it is larger than {LARGEST // 2**20} MB, no published file is"
    if told is not None and told.isdigit() and len(data) < int(told):
        return b"", f"the connection was cut after {len(data):,} of {int(told):,} bytes"
    return data, ""


def _keep(data: bytes, path: Path) -> Path:
    """Write a checked file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.tmp-{os.getpid()}")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path
