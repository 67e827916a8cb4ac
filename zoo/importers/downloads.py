"""Downloading published models by name: known files only, each checked by its SHA-256 before anything reads it."""

from __future__ import annotations

import hashlib
import os
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.models import published

LARGEST = 16 * 1024 * 1024  #: bytes; the published files have at most 2.8 million
TIMEOUT = 30.0  #: seconds without a byte
FOLDER = "downloads"  #: below the output folder: the checked files, so that nothing is downloaded twice


def get_model(name: str, out: str | Path = "models", *, url: str | None = None) -> Path:
    """Download a published model or ensemble and make a model directory of it.

    Files that lie in ``out/downloads`` already, with the right hash, are taken from there: after a cut
    connection the command goes on where it was, and files can be brought by hand.

    Args:
        name: of the catalogue, such as ``gnina-default``.
        out: folder to write to; the model becomes ``out/<name>``.
        url: another folder to take the files from, for mirrors.

    Returns:
        The model or ensemble directory.

    Raises:
        AffinityZooError: no such model; a file cannot be had or is not the published one; PyTorch is missing.
    """
    wanted = published.get(name)
    base = _base(url or published.BASE_URL)
    from affinity_zoo.zoo.importers.gnina import import_ensemble, import_single, need_torch

    need_torch()
    files = [fetch_file(file, Path(out) / FOLDER, base) for file in wanted.files]
    if wanted.ensemble:
        return import_ensemble(files, Path(out) / wanted.name, wanted.name, wanted.about)
    return import_single(files[0], Path(out) / wanted.name)


def fetch_file(file: str, folder: Path, base: str) -> Path:
    """Return ``folder/<file>.pt`` with the published hash, downloaded where it is not there already.

    Raises:
        AffinityZooError: it cannot be had, or is another file; nothing is left behind.
    """
    path = folder / f"{file}.pt"
    if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == published.HASHES[file]:
        return path
    address = f"{base}/{file}.pt"
    data = _download(address, path)
    digest = hashlib.sha256(data).hexdigest()
    if digest != published.HASHES[file]:
        raise AffinityZooError(
            f"{address}: refused, its SHA-256 is {digest[:16]}..., the published file's is "
            f"{published.HASHES[file][:16]}...; nothing was kept: try again, or another --url"
        )
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.tmp-{os.getpid()}")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _download(address: str, path: Path) -> bytes:
    by_hand = f"try again, give a mirror with --url, or put the file at {path} by hand"
    try:
        with urlopen(Request(address, headers={"User-Agent": "affinity-zoo"}), timeout=TIMEOUT) as answer:
            data: bytes = answer.read(LARGEST + 1)
            told = answer.headers.get("Content-Length")
    except HTTPError as error:
        raise AffinityZooError(
            f"{address}: the server answers {error.code} {error.reason}; {by_hand}"
        ) from error
    except (URLError, HTTPException, OSError) as error:
        reason = getattr(error, "reason", None) or error
        raise AffinityZooError(f"{address}: cannot be downloaded ({reason}); {by_hand}") from error
    if len(data) > LARGEST:
        raise AffinityZooError(
            f"{address}: refused, it is larger than {LARGEST // 2**20} MB, no published file is; {by_hand}"
        )
    if told is not None and told.isdigit() and len(data) < int(told):
        raise AffinityZooError(
            f"{address}: the connection was cut after {len(data):,} of {int(told):,} bytes; {by_hand}"
        )
    return data


def _base(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise UsageError(f"--url is the http(s) address of a folder, not {url!r}")
    return url.rstrip("/")
