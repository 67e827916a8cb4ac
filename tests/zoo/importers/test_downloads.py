"""Published models by name, from a local server: the right file, a wrong one, none, a cut connection."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.importers import downloads
from affinity_zoo.zoo.importers import gnina as gnina_import
from affinity_zoo.zoo.models import published

GOOD = b"weights of the dense network" * 100
asked: list[str] = []


class Handler(BaseHTTPRequestHandler):
    """Answers by the folder in the path."""

    def do_GET(self) -> None:
        asked.append(self.path)
        folder, _, file = self.path.strip("/").partition("/")
        if folder == "missing" or not file.endswith(".pt"):
            self.send_error(404)
            return
        body = {"wrong": b"another file", "large": b"x" * 5000}.get(folder, GOOD)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) * (2 if folder == "cut" else 1)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    httpd.server_close()


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The published files are those of the local server; the conversion is told apart from the download."""
    digest = hashlib.sha256(GOOD).hexdigest()
    monkeypatch.setattr(published, "HASHES", dict.fromkeys(published.HASHES, digest))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(gnina_import, "need_torch", lambda: None)

    def convert(file: Path, folder: Path) -> Path:
        folder.mkdir(parents=True)
        (folder / "model.keras").write_bytes(file.read_bytes())
        return folder

    monkeypatch.setattr(gnina_import, "import_single", convert)
    asked.clear()


def test_a_model_is_downloaded_checked_and_imported(known: None, server: str, tmp_path: Path) -> None:
    folder = downloads.get_model("dense_3", tmp_path, url=f"{server}/good/")
    assert folder == tmp_path / "gnina-dense-3" and (folder / "model.keras").read_bytes() == GOOD
    assert (tmp_path / "downloads" / "dense_3.pt").read_bytes() == GOOD
    assert asked == ["/good/dense_3.pt"]


def test_an_ensemble_takes_what_is_there_already(known: None, server: str, tmp_path: Path) -> None:
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "dense.pt").write_bytes(GOOD)  # by hand
    (tmp_path / "downloads" / "dense_3.pt").write_bytes(b"half of a fi")  # damaged: downloaded again
    folder = downloads.get_model("gnina-default", tmp_path, url=f"{server}/good")
    names = [member.name for member in downloads_members(folder)]
    assert names == [
        "dense", "general_default2018_3", "dense_3", "crossdock_default2018", "redock_default2018_2",
    ]  # fmt: skip
    assert sorted(asked) == sorted(f"/good/{name}.pt" for name in names if name != "dense")


def downloads_members(folder: Path) -> tuple[Path, ...]:
    """Members of the ensemble in a folder."""
    from affinity_zoo.zoo.models.ensembles import read_ensemble

    return read_ensemble(folder).members


@pytest.mark.parametrize(
    ("folder", "why"),
    [
        ("wrong", "refused, its SHA-256"),
        ("missing", "answers 404"),
        ("cut", "cut after 2,800 of 5,600 bytes"),
        ("large", "larger than"),
    ],
)
def test_what_is_not_the_published_file_is_refused(
    known: None, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, why: str
) -> None:
    monkeypatch.setattr(downloads, "LARGEST", 4000)
    with pytest.raises(AffinityZooError, match=why):
        downloads.get_model("gnina-dense", tmp_path, url=f"{server}/{folder}")
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_no_server_no_torch_no_such_name(
    known: None, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(
        AffinityZooError, match=r"cannot be downloaded .* put the file at .*dense\.pt by hand"
    ):
        downloads.get_model("dense", tmp_path, url="http://127.0.0.1:9/none")
    with pytest.raises(UsageError, match="http"):
        downloads.get_model("dense", tmp_path, url="file:///tmp")
    with pytest.raises(AffinityZooError, match="did you mean 'gnina-dense"):
        downloads.get_model("gnina-dens", tmp_path)
    monkeypatch.undo()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(AffinityZooError, match=r"affinity-zoo\[gnina\]"):
        downloads.get_model("dense", tmp_path, url=server)


def test_the_catalogue_is_that_of_the_published_files() -> None:
    assert len(published.HASHES) == len(published.BY_HASH) == 21
    assert all(len(digest) == 64 for digest in published.BY_HASH)
    assert all(set(one.files) <= set(published.HASHES) for one in published.CATALOGUE.values())
    assert [one.name for one in published.CATALOGUE.values() if one.ensemble] == [
        "gnina-crossdock-default2018-ensemble", "gnina-default", "gnina-dense-ensemble",
        "gnina-general-default2018-ensemble", "gnina-redock-default2018-ensemble",
    ]  # fmt: skip
    for spelling in ("dense_ensemble", "gnina-dense_ensemble", "Gnina-Dense-Ensemble"):
        assert published.get(spelling).files == ("dense", "dense_1", "dense_2", "dense_3", "dense_4")


def test_hashes_of_the_files_at_hand() -> None:
    folder = Path(__file__).resolve().parents[4] / "shared" / "gnina"
    files = sorted(folder.glob("*.pt"))
    if not files:
        pytest.skip("the published weights (../shared/gnina) are not here")
    for path in files:
        assert published.BY_HASH[hashlib.sha256(path.read_bytes()).hexdigest()] == path.stem
