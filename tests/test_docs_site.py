"""The documentation site: every page stands in its menu, and its reference knows every command."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def test_every_page_stands_in_the_menu() -> None:
    menu = set(re.findall(r"([\w.-]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE))
    assert {page.name for page in (ROOT / "docs").glob("*.md")} <= menu


def test_the_reference_holds_every_command() -> None:
    pytest.importorskip("mkdocs", reason="mkdocs is not installed (extra [docs])")
    spec = importlib.util.spec_from_file_location("site_pages", ROOT / "docs" / "site_pages.py")
    assert spec is not None and spec.loader is not None
    pages = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pages)
    text = pages.command_reference()
    for command in (
        "predict",
        "train",
        "models get",
        "plugins new",
        "benchmarks add",
        "doctor",
        "speed index",
    ):
        assert f"## affinity-zoo {command}\n" in text
    assert "| `--views` N |" in text and "$ affinity-zoo predict " in text
