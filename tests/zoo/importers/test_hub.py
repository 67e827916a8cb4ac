"""Hub handles against a local stand-in for the hub: what goes up comes down, and what is no model is refused."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.importers import hubs
from affinity_zoo.zoo.importers import huggingface as hub
from affinity_zoo.zoo.models.ensembles import write_ensemble
from affinity_zoo.zoo.models.readme import readme_text

SHA = "0123456789abcdef0123456789abcdef01234567"


class StandIn(BaseHTTPRequestHandler):
    """The few answers of a hub that uploading and downloading a model need."""

    protocol_version = "HTTP/1.1"
    store: ClassVar[dict[str, dict[str, bytes]]] = {}

    def _send(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _json(self, value: object, status: int = 200) -> None:
        self._send(json.dumps(value).encode(), status, Content_Type="application/json")

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        parts = path.strip("/").split("/")
        if path.startswith("/api/models/"):
            files = self.store.get("/".join(parts[2:4]))
            if files is None:
                self._json({"error": "Repository not found"}, 404)
            elif "tree" in parts:
                self._json(
                    [{"type": "file", "path": n, "size": len(d), "oid": "0"} for n, d in files.items()]
                )
            else:
                siblings = [{"rfilename": n, "size": len(d)} for n, d in files.items()]
                self._json({"id": "/".join(parts[2:4]), "sha": SHA, "siblings": siblings, "private": False})
            return
        files = self.store.get("/".join(parts[:2]), {})
        data = files.get("/".join(parts[4:]))
        if data is None:
            self._send(b"", 404, X_Error_Code="EntryNotFound")
        else:
            self._send(data, ETag=f'"{hashlib.sha1(data).hexdigest()}"', X_Repo_Commit=SHA)

    do_HEAD = do_GET

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = self.path.partition("?")[0].strip("/").split("/")
        if self.path.startswith("/api/repos/create"):
            asked = json.loads(body)
            name = f"{asked.get('organization') or 'me'}/{asked['name']}"
            self.store.setdefault(name, {})
            self._json({"url": f"https://huggingface.co/{name}", "id": name})
        elif "preupload" in parts:
            files = [
                {"path": one["path"], "uploadMode": "regular", "shouldIgnore": False}
                for one in json.loads(body)["files"]
            ]
            self._json({"files": files})
        elif "commit" in parts:
            files = self.store["/".join(parts[2:4])]
            for line in body.splitlines():
                entry = json.loads(line)
                if entry["key"] == "file":
                    files[entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
            self._json(
                {
                    "commitUrl": f"https://huggingface.co/me/toy-model/commit/{SHA}",
                    "commitOid": SHA,
                    "success": True,
                }
            )
        else:
            self._json({})

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def model(toy_model: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "toy"
    shutil.copytree(toy_model, folder)
    (folder / "README.md").unlink(missing_ok=True)
    (folder / "secret.txt").write_text("not part of a model")
    return folder


def _run(address: str, home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """The library reads its address when it is imported: a process of its own."""
    environment = {
        **os.environ, "HF_ENDPOINT": address, "HF_TOKEN": "hf_test", "HF_HOME": str(home / "hf"),
        "no_proxy": "127.0.0.1", "HF_HUB_DISABLE_XET": "1", "AFFINITY_ZOO_HOME": str(home), "AFFINITY_ZOO_OFFLINE": "",
    }  # fmt: skip
    command = [sys.executable, "-m", "affinity_zoo.cli", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, cwd=home, check=False)


def test_what_goes_up_comes_down(address: str, model: Path, tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub", reason="pip install '.[hub]'")
    done = _run(address, tmp_path, "models", "push", model, "hf://me/toy-model")
    assert done.returncode == 0, done.stderr
    assert f"/commit/{SHA}" in done.stdout
    up = StandIn.store["me/toy-model"]
    assert set(up) == {"model.keras", "recipe.toml", "card.json", "README.md"}
    assert up["README.md"].startswith(b"---\nlibrary_name: keras\nlicense: ")
    done = _run(address, tmp_path, "models", "get", "hf://me/toy-model")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "models" / "toy-model"
    assert f"toy-model is in {folder}" in " ".join(done.stdout.split())
    assert "predict toy-model receptor.pdb" in " ".join(done.stdout.split())
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == up


def test_what_is_no_model_is_refused(address: str, model: Path, tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub", reason="pip install '.[hub]'")
    StandIn.store["them/poem"] = {"README.md": b"a poem"}
    files = {path.name: path.read_bytes() for path in model.iterdir()}
    StandIn.store["them/bad"] = {**files, "card.json": b"[]"}
    for handle, said in (
        ("hf://them/poem", "contains no model of affinity-zoo"),
        ("hf://them/bad", "not a model's card"),
        ("hf://them/nothing", "cannot be downloaded"),
    ):
        done = _run(address, tmp_path, "models", "get", handle)
        assert done.returncode == 1 and said in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert not (tmp_path / "models").exists() or not any((tmp_path / "models").iterdir())


def test_handles() -> None:
    assert hub.parse("hf://me/x.y_z-1") == hub.Handle("me/x.y_z-1", None)
    assert hub.parse("hf://me/x@v1").revision == "v1"
    for bad in ("hf://me", "hf://", "hf://me/../x", "hf:///x", "me/x", "hf://me/x/y", "hf://-me/x"):
        with pytest.raises(UsageError, match="hf://USER/REPO"):
            hub.parse(bad)


def test_a_handle_goes_to_the_hub_of_its_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    assert hubs.is_handle("hf://me/x") and not hubs.is_handle("gnina-default")
    assert hubs.hub_of("hf://me/x") is hub
    with pytest.raises(UsageError, match="hf://USER/REPO"):
        hubs.hub_of("s3://me/x")
    monkeypatch.setitem(hubs.HUBS, "s3://", "web_address")
    assert hubs.is_handle("s3://me/x") and hubs.hub_of("s3://me/x") is not hub


def test_offline_forbids_hubs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AFFINITY_ZOO_OFFLINE", "1")
    with pytest.raises(AffinityZooError, match="OFFLINE"):
        hub.get_from_hub("hf://me/x", tmp_path)


def test_an_ensemble_is_checked_member_by_member(model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pair"
    for name in ("a", "b"):
        shutil.copytree(model, folder / name)
    write_ensemble(folder, "pair", ["a", "b"])
    hub._check(folder, "pair")
    (folder / "b" / "card.json").write_text("[]")
    with pytest.raises(AffinityZooError, match="not a model's card"):
        hub._check(folder, "pair")


def test_the_head_cannot_be_broken_by_a_card() -> None:
    text = readme_text(
        {
            "name": "x\n---\nlicense: mit",
            "licence": "my own\n---",
            "outputs": [],
            "cite": ["a", "b"],
            "limits": "one",
        }
    )
    head, rest = text.split("\n---\n", 1)
    assert 'license: other\nlicense_name: "my own ---"' in head and "\n---\n" not in rest
    assert "## Cite\n\n- a\n- b" in text and "## Limits\n\none" in text
