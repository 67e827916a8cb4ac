"""docs/judging.md names every built-in scorer and baseline, and no option that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from affinity_zoo.zoo.catalog.registry import BUILTINS, catalog

PAGE = Path(__file__).parents[3] / "docs" / "judging.md"


@pytest.mark.parametrize("name", BUILTINS["scorer"])
def test_the_page_says_truth_unit_and_direction(name: str) -> None:
    lines = [
        line
        for line in PAGE.read_text().splitlines()
        if line.startswith("|") and f"`{name}`" in line.split("|")[1]
    ]
    assert len(lines) == 1, f"docs/judging.md has no row for {name}"
    _, _, truths, unit, *_ = (cell.strip() for cell in lines[0].split("|"))
    scorer = catalog().get("scorer", name)
    assert truths == ", ".join(scorer.truths)
    assert scorer.unit in unit
    assert {"higher": "↑", "lower": "↓"}[scorer.direction] in unit


@pytest.mark.parametrize("name", BUILTINS["baseline"])
def test_the_page_names_every_baseline(name: str) -> None:
    assert f"`{name}`" in PAGE.read_text()


def test_the_page_names_no_scorer_that_is_not_there() -> None:
    section = PAGE.read_text().split("\n## Scorers\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    assert rows
    named = {name for row in rows for name in re.findall(r"`([a-z0-9-]+)`", row)}
    aliases = {alias for name in BUILTINS["scorer"] for alias in catalog().get("scorer", name).aliases}
    assert named <= set(BUILTINS["scorer"]) | aliases
