"""Download of structures from the PDB by id, through ProDy, on request only."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from affinity_zoo.plugins.errors import UsageError

FORMATS: Final = ("cif", "pdb")
_ID: Final = re.compile(r"^[0-9][A-Za-z0-9]{3}$")


@dataclass(frozen=True)
class Fetched:
    """Result of the download of one id."""

    id: str
    path: Path | None  #: None: the download failed
    reason: str = ""


def fetch(
    ids: Sequence[str], out: str | Path, *, format: str = "cif", server: str | None = None
) -> list[Fetched]:
    """Download entries into a folder that ``index`` reads as complexes; existing files are kept.

    Args:
        ids: four-character PDB ids.
        out: the folder, made where missing; files are called ``1abc.cif.gz``.
        format: ``cif`` (every entry has one) or ``pdb``.
        server: another server: files are taken from ``SERVER/1ABC.cif.gz``.

    Returns:
        One for each id, in order; a failed download leaves no file.

    Raises:
        UsageError: no id, an invalid PDB id, or an unknown format.
    """
    if format not in FORMATS:
        raise UsageError(f"`format` is one of {', '.join(FORMATS)}, not {format!r}")
    if not ids:
        raise UsageError("give at least one PDB id, such as 1abc")
    if bad := [i for i in ids if not _ID.match(i)]:
        raise UsageError(f"{bad[0]!r} is not a PDB id (a digit and three letters or digits, such as 1abc)")
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    return [_one(i.lower(), folder, format, server) for i in dict.fromkeys(ids)]


def _one(name: str, folder: Path, format: str, server: str | None) -> Fetched:
    import prody

    target = folder / f"{name}.{format}.gz"
    if target.is_file():
        return Fetched(name, target, "already there")
    prody.confProDy(verbosity="none")
    with TemporaryDirectory(prefix=".fetch-", dir=folder) as part, _server(server):
        found = prody.fetchPDBviaHTTP(name, folder=part, compressed=True, format=format)
        if found is None:
            return Fetched(
                name, None, "not downloaded: there is no such entry in this format, or no connection"
            )
        path = next(iter(Path(part).glob("*.gz")), Path(found))
        reason = _damage(path)
        if reason:
            return Fetched(name, None, reason)
        shutil.copyfile(path, Path(part) / "whole")
        os.replace(Path(part) / "whole", target)
    return Fetched(name, target)


def _damage(path: Path) -> str:
    """Return why a download is not a structure; empty if it is one."""
    try:
        with gzip.open(path) as handle:
            data = handle.read()
    except (OSError, EOFError, zlib.error) as error:
        return f"the download is damaged ({error}): try again"
    if b"ATOM" not in data and b"_atom_site" not in data:
        return "the download holds no atoms"
    return ""


@contextmanager
def _server(address: str | None) -> Iterator[None]:
    """Let ProDy use another server within the block."""
    if address is None:
        yield
        return
    from prody.proteins import wwpdb

    servers: dict[str, Any] = wwpdb.WWPDB_HTTP_URL
    before = dict(servers)
    base = address.rstrip("/")
    servers.update({key: lambda pdb: f"{base}/{pdb.upper()}.pdb.gz" for key in servers})
    try:
        yield
    finally:
        servers.update(before)
