"""``doctor`` tells what a bug report needs, and fails where something is wrong."""

from __future__ import annotations

import json

import pytest

from affinity_zoo.zoo.commands import doctor
from affinity_zoo.zoo.runtime import installation


@pytest.fixture
def reference(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """The rows of the reference complex, instead of scoring it."""
    rows: list[dict[str, object]] = [
        {"model": "made", "output": "pose", "from": "image", "expected": 1.0, "found": 1.0, "ok": True}
    ]
    monkeypatch.setattr(doctor, "_keras", lambda: {"backend": "tensorflow", "device": "CPU"})
    monkeypatch.setattr(doctor, "_reference", lambda: rows)
    return rows


def test_it_tells_versions_folders_extras_and_plugins(reference: list, cli) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = cli("doctor", "--json")
    report = json.loads(out)
    assert code == 0
    assert report["versions"].keys() >= {"affinity-zoo", "python", "system", "keras", "numpy"}
    assert report["folders"].keys() == {"downloaded models", "models beside the work"}
    assert report["reference"] == reference
    assert {"see", "onnx"} <= report["extras"].keys()
    assert "atom-types" in {plugin["name"] for plugin in report["plugins"]}


def test_a_pose_that_is_scored_otherwise_is_an_error(reference: list, cli) -> None:  # type: ignore[no-untyped-def]
    reference[0]["ok"] = False
    code, out, _ = cli("doctor")
    assert code == 1 and "DIFFERS" in out and "a problem was found" in out


def test_a_backend_that_does_not_start_is_told(reference: list, cli, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(doctor, "_keras", lambda: {"error": "ImportError: no tensorflow"})
    code, out, _ = cli("doctor")
    assert code == 1 and "no tensorflow" in out


def test_settings_are_those_that_change_what_the_package_does() -> None:
    found = installation.settings({"HOME": "/h", "KERAS_BACKEND": "jax", "AFFINITY_ZOO_HOME": "/m"})
    assert found == {"AFFINITY_ZOO_HOME": "/m", "KERAS_BACKEND": "jax"}
