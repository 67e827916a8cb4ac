"""What README and docs promise: commands and options that exist, links that lead somewhere, an API that is there."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import affinity_zoo
from affinity_zoo.zoo import shipped

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
COMMAND = re.compile(r"^\s*(?:\$ )?affinity-zoo ([a-z][^#\n`]*)", re.MULTILINE)


@cache
def _help(*command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "affinity_zoo.cli", *command, "--help-all"],
        capture_output=True,
        text=True,
        env={"COLUMNS": "250", "PATH": ""},
    )
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout


def _commands(page: Path) -> list[list[str]]:
    blocks = re.findall(
        r"^```(?:console|sh|bash|shell)\n(.*?)^```",
        page.read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    return [line.split() for block in blocks for line in COMMAND.findall(block)]


@pytest.mark.parametrize("page", PAGES, ids=[p.name for p in PAGES])
def test_every_command_and_option_exists(page: Path) -> None:
    for words in _commands(page):
        command = [words[0]]
        if words[0] in ("plugins", "benchmarks", "import", "models"):
            command.append(words[1])
        text = _help(*command)
        for option in re.findall(r"(?<=\s)--?[a-zA-Z][a-z-]*", " " + " ".join(words)):
            assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", text), (
                f"{' '.join(words)}: no option {option}"
            )


@pytest.mark.parametrize("page", PAGES, ids=[p.name for p in PAGES])
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_api_of_the_readme_is_there() -> None:
    for name in re.findall(r"affinity_zoo\.(\w+)\(", (ROOT / "README.md").read_text(encoding="utf-8")):
        assert callable(getattr(affinity_zoo, name))


def test_the_docs_show_the_output_of_the_demo() -> None:
    from affinity_zoo.zoo.demo.run import best_shipped

    text = (ROOT / "docs" / "demo.md").read_text(encoding="utf-8")
    shown = text.split("<!-- demo output: begin -->")[1].split("<!-- demo output: end -->")[0]
    for part in ("element-tag", "cnn4", "atom-types", "resnet3d", "(burial)", "(random)"):
        assert part in shown
    # recorded with the models that are shipped now, by `benchmarks/record_session.py`
    assert f"evaluate {best_shipped()}, the best pose model" in shown
    assert not [name for name in shipped.REPLACED if name in text]


def test_the_readme_is_one_screen_until_ones_own_data() -> None:
    before = (ROOT / "README.md").read_text(encoding="utf-8").split("## With your own data")[0]
    assert len(before.splitlines()) <= 50
