"""`benchmarks/record_session.py` puts what commands print into docs/demo.md, and the installation above it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
STAND_IN = '#!/bin/sh\necho "did $@ in $PWD/here"\n'


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script; instead of an installation, a program is written that repeats its words."""
    spec = importlib.util.spec_from_file_location("record_session", ROOT / "benchmarks" / "record_session.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    real = subprocess.run

    def run(words: list[str], **options: Any) -> Any:
        if words[1:3] == ["-m", "venv"]:
            program = Path(options["cwd"], "env", "bin", "affinity-zoo")
            program.parent.mkdir(parents=True)
            program.write_text(STAND_IN)
            program.chmod(0o755)
            return None
        return None if "pip" in words else real(words, **options)

    monkeypatch.setattr(module.subprocess, "run", run)
    return module


def test_the_page_is_recorded_again(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "demo.md"
    page.write_text((ROOT / "docs" / "demo.md").read_text(encoding="utf-8"), encoding="utf-8")
    folder = tmp_path / "session"
    monkeypatch.setattr(sys, "argv", ["record_session", str(folder), "--page", str(page), "--install"])
    script.main()
    first = page.read_text(encoding="utf-8")
    assert "pip install --quiet '.[see]'" in first and "The environment then takes 0.0 GB" in first
    assert "did demo in here\n" in first  # the folder's own path is left out
    assert "$ affinity-zoo compare 1 3" in first and "did compare 1 3" in first
    assert "```text\n$ affinity-zoo predict zoo-small" in first and str(tmp_path) not in first
    # a second recording replaces the first one
    monkeypatch.setattr(
        sys, "argv", ["record_session", str(tmp_path / "again"), "--page", str(page), "--install"]
    )
    script.main()
    assert page.read_text(encoding="utf-8") == first
