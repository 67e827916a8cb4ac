"""Published models by name, from a local server: the right file, a wrong one, none, a cut connection."""

from __future__ import annotations

import dataclasses
import hashlib
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.importers import downloads, package_index, web_address
from affinity_zoo.zoo.importers import gnina as gnina_import
from affinity_zoo.zoo.importers import source as files
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
def known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The published files are those of the local server; the conversion is told apart from the download."""
    digest = hashlib.sha256(GOOD).hexdigest()
    monkeypatch.setattr(files, "hashes_of", lambda name: {digest})
    monkeypatch.setenv("AFFINITY_ZOO_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(package_index, "_pip_download", lambda wheel, folder: "ERROR: no index here")
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    def convert(file: Path, folder: Path, name: str = "") -> Path:
        folder.mkdir(parents=True)
        (folder / "model.keras").write_bytes(file.read_bytes())
        (folder / "name.txt").write_text(name)
        return folder

    monkeypatch.setattr(gnina_import, "import_single", convert)
    asked.clear()


def test_a_model_is_downloaded_checked_and_imported(known: None, server: str, tmp_path: Path) -> None:
    folder = downloads.get_model("dense_3", tmp_path, url=f"{server}/good/")
    assert folder == tmp_path / "gnina-dense-3" and (folder / "model.keras").read_bytes() == GOOD
    # boards and `compare` know it by the name that it was asked for by
    assert (folder / "name.txt").read_text() == "gnina-dense-3"
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
    monkeypatch.setattr(web_address, "LARGEST", 4000)
    with pytest.raises(AffinityZooError, match=why):
        downloads.get_model("gnina-dense", tmp_path, url=f"{server}/{folder}")
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_no_server_no_such_name(known: None, tmp_path: Path) -> None:
    with pytest.raises(AffinityZooError, match=r"cannot be downloaded .* put them into .*downloads by hand"):
        downloads.get_model("dense", tmp_path, url="http://127.0.0.1:9/none")
    with pytest.raises(UsageError, match="http"):
        downloads.get_model("dense", tmp_path, url="file:///tmp")
    with pytest.raises(AffinityZooError, match="did you mean 'gnina-dense"):
        downloads.get_model("gnina-dens", tmp_path)


def test_each_source_says_why_it_has_nothing(
    known: None, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a url the package index is asked, then the published address; the message holds both answers."""
    addresses: list[str] = []

    def answer(address: str) -> tuple[bytes, str]:
        addresses.append(address)
        return b"", "the server is not there"

    monkeypatch.setattr(web_address, "_download", answer)
    with pytest.raises(AffinityZooError, match=r"ERROR: no index here.*the server is not there"):
        downloads.get_model("dense", tmp_path)
    with pytest.raises(AffinityZooError) as error:
        downloads.get_model("gnina-1.3-fast", tmp_path)
    assert "package index" not in str(error.value)  # gnina 1.3 is not in it
    assert [address.rpartition("/")[2] for address in addresses] == [
        "dense.pt", "all_default_to_default_1.3_1.pt",
    ]  # fmt: skip
    assert "gnina/gnina/25e64daf" in addresses[1]


def test_a_folder_or_file_at_hand_comes_first(known: None, server: str, tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    (given / "dense.pt").write_bytes(GOOD)
    for source in (given, given / "dense.pt"):
        folder = downloads.get_model("dense", tmp_path / source.name, source=source, offline=True)
        assert (folder / "model.keras").read_bytes() == GOOD
    (given / "dense.pt").write_bytes(b"another network")
    with pytest.raises(AffinityZooError, match=r"given/dense\.pt: refused"):
        downloads.get_model("dense", tmp_path, source=given)
    with pytest.raises(UsageError, match="does not exist"):
        downloads.get_model("dense", tmp_path, source=tmp_path / "nowhere")
    with pytest.raises(
        AffinityZooError, match=r"general_default2018_3\.pt, .* cannot be had without a network"
    ):
        (given / "dense.pt").write_bytes(GOOD)
        downloads.get_model("gnina-default", tmp_path, source=given, offline=True)
    assert asked == []


def _wheel(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_the_wheel_is_checked_and_only_its_weights_are_unpacked(
    known: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = {
        "gninatorch/weights/dense.pt": GOOD,
        "gninatorch/weights/dense_3.pt": GOOD,
        "gninatorch/x.py": b"",
    }
    wheel = _wheel(tmp_path / "gninatorch-0.0.2-py3-none-any.whl", members)
    with pytest.raises(AffinityZooError, match="not that of a published wheel"):
        downloads.get_model("dense", tmp_path, source=wheel)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    entry = dataclasses.replace(published.GNINA_TORCH.wheel, sha256=digest)  # type: ignore[type-var]
    collection = dataclasses.replace(published.GNINA_TORCH, wheel=entry)
    monkeypatch.setattr(published, "COLLECTIONS", (collection, published.GNINA))
    downloads.get_model("dense", tmp_path / "a", source=wheel, offline=True)
    assert [path.name for path in (tmp_path / "a" / "downloads").iterdir()] == ["dense.pt"]

    def pip(asked_for: published.Wheel, folder: Path) -> str:
        assert asked_for == entry
        (folder / wheel.name).write_bytes(wheel.read_bytes())
        return ""

    monkeypatch.setattr(package_index, "_pip_download", pip)
    downloads.get_model("dense", tmp_path / "b")
    # what came with it is kept: the next network needs no download
    assert sorted(path.name for path in (tmp_path / "b" / "downloads").iterdir()) == [
        "dense.pt",
        "dense_3.pt",
    ]


@pytest.mark.network
def test_the_package_index_has_the_networks(tmp_path: Path) -> None:
    """The real wheel, by pip with its own settings; 21 networks, each with its published hash."""
    found = package_index.PackageIndex().fetch(["dense", "default2017"], tmp_path / "kept")
    assert found.reason == "" and set(found.paths) == {"dense", "default2017"}
    kept = {path.stem: path for path in (tmp_path / "kept").iterdir()}
    assert set(kept) == set(published.STATE_DICTS)
    assert all(files.is_published(name, path) for name, path in kept.items())


def test_the_catalogue_is_that_of_the_published_files() -> None:
    assert len(published.STATE_DICTS) == 21 and len(published.HASHES) == 64 and len(published.BY_HASH) == 85
    assert all(len(digest) == 64 for digest in published.BY_HASH)
    named = [file for one in published.CATALOGUE.values() for file in one.files]
    assert set(named) == set(published.HASHES)
    ensembles = {name: one.files for name, one in published.CATALOGUE.items() if one.ensemble}
    assert ensembles["gnina-1.3-default"] == ("dense_1.3", "dense_1.3_PT_KD_3", "crossdock_default2018_KD_4")
    for spelling in ("dense_ensemble", "gnina-dense_ensemble", "Gnina-Dense-Ensemble"):
        assert published.get(spelling).files == ("dense", "dense_1", "dense_2", "dense_3", "dense_4")
    assert published.get("gnina-1.3-fast").files == ("all_default_to_default_1.3_1",)
    assert published.get("dense_1.3_PT_KD_3").name == "gnina-dense-1.3-pt-kd-3"


def test_hashes_of_the_files_at_hand() -> None:
    folder = Path(__file__).resolve().parents[4] / "shared" / "gnina"
    files = sorted(folder.glob("*.pt"))
    if not files:
        pytest.skip("the published weights (../shared/gnina) are not here")
    for path in files:
        assert published.BY_HASH[hashlib.sha256(path.read_bytes()).hexdigest()] == path.stem
