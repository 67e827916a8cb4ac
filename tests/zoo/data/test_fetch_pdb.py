"""Downloads through ProDy, from a server on this machine."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.data.fetch import fetch
from affinity_zoo.zoo.data.index.run import build_index


@pytest.fixture
def server(prody_files: Path) -> Iterator[tuple[str, list[str]]]:
    """The address of a small PDB, and the paths that were asked for."""
    asked: list[str] = []
    entries = {
        "/1AKE.cif.gz": gzip.compress((prody_files / "mmcif_1ake_chimerax.cif").read_bytes()),
        "/3MHT.pdb.gz": gzip.compress((prody_files / "pdb3mht.pdb").read_bytes()),
        "/2CUT.cif.gz": gzip.compress(b"ATOM" * 1000)[:40],
        "/2WEB.cif.gz": gzip.compress(b"<html>not here</html>"),
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = entries.get(self.path)
            self.send_response(200 if body else 404)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}", asked
        http.shutdown()


def test_entries_are_downloaded_once_and_can_be_indexed(
    server: tuple[str, list[str]], tmp_path: Path
) -> None:
    address, asked = server
    found = fetch(["1ake", "9zzz", "2cut", "2web", "1AKE"], tmp_path / "pdb", server=address)
    assert [f.id for f in found[:4]] == ["1ake", "9zzz", "2cut", "2web"]
    assert found[0].path == tmp_path / "pdb/1ake.cif.gz"
    assert [bool(f.path) for f in found[:4]] == [True, False, False, False]
    assert (
        "no such entry" in found[1].reason and "damaged" in found[2].reason and "no atoms" in found[3].reason
    )
    assert [p.name for p in (tmp_path / "pdb").iterdir()] == ["1ake.cif.gz"]
    asked.clear()
    assert fetch(["1ake"], tmp_path / "pdb", server=address)[0].reason == "already there"
    assert not asked
    summary = build_index(tmp_path / "pdb", tmp_path / "data", workers=0, progress=False)
    assert (summary.rows, summary.receptors) == (2, 1)


def test_pdb_files_too(server: tuple[str, list[str]], tmp_path: Path) -> None:
    (found,) = fetch(["3mht"], tmp_path, format="pdb", server=server[0])
    assert found.path is not None and b"SAH" in gzip.decompress(found.path.read_bytes())


def test_what_is_no_id_is_refused(tmp_path: Path) -> None:
    for ids in (["../etc"], ["abcd"], []):
        with pytest.raises(UsageError):
            fetch(ids, tmp_path / "x")
    with pytest.raises(UsageError, match="cif, pdb"):
        fetch(["1abc"], tmp_path / "x", format="xml")
    assert not (tmp_path / "x").exists()
