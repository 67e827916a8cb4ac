"""Fake distributions: a module and its dist-info in a folder on the import path."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HEADER = """
from dataclasses import dataclass
from typing import Literal
from affinity_zoo.plugins import hookimpl
from affinity_zoo.plugins.contracts import Featurizer, Architecture, Scorer, Baseline, Score
"""

SCORER = '''
@dataclass(frozen=True)
class S{i}(Scorer):
    """A scorer.

    Args:
        fraction: share of the list that is looked at.
    """
    name = "{name}"
    summary = "Scores."
    api_version = 1
    truths = ("active",)
    unit = "fraction"
    direction = "higher"
    fraction: float = 0.1

    def score(self, predictions, truth, weights=None):
        return Score(1.0)
'''

HOOK = """
@hookimpl
def register_scorers():
    return [{classes}]
"""


def _scorer_source(*names: str) -> str:
    classes = "".join(SCORER.format(i=i, name=name) for i, name in enumerate(names))
    return HEADER + classes + HOOK.format(classes=", ".join(f"S{i}" for i in range(len(names))))


@pytest.fixture
def scorer_source() -> Callable[..., str]:
    """A function from names to the source of a good plugin that registers scorers with these names."""
    return _scorer_source


Distribute = Callable[..., Path]


@pytest.fixture
def distribute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Distribute]:
    """A function that installs a fake distribution; what it imported is forgotten afterwards."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    before = set(sys.modules)

    def make(name: str, source: str, version: str = "1.0", entry: str = "", module: str = "") -> Path:
        module = module or name.replace("-", "_")
        (site / f"{module}.py").write_text(textwrap.dedent(source))
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[affinity_zoo]\n{entry or name} = {module}\n")
        return site

    yield make
    for added in set(sys.modules) - before:
        if (getattr(sys.modules[added], "__file__", None) or "").startswith(str(site)):
            del sys.modules[added]
