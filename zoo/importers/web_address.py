"""Weight files from a web server."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.importers.source import LARGEST, Found, Source, has_published_hash, keep_file
from affinity_zoo.zoo.models import published

TIMEOUT = 30.0  #: seconds without a byte


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
            if not has_published_hash(name, data):
                digest = hashlib.sha256(data).hexdigest()
                raise AffinityZooError(
                    f"{address}: refused, its SHA-256 is {digest[:16]}..., the published file's is "
                    f"{published.HASHES[name][:16]}...; nothing was kept: try again, or another url"
                )
            found[name] = keep_file(data, keep / f"{name}.pt")
        return Found(found)


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
