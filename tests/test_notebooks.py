"""The notebooks in docs/notebooks run, and every cell that ends with a value shows it."""

from __future__ import annotations

import ast
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from affinity_zoo.zoo.catalog import registry

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.py"))
#: notebook -> what its outputs must hold
OUTPUTS = {
    "score": ["pose_probability", "zoo-small"],
    "train_and_compare": ["element-tag + resnet3d", "atom-types + resnet3d", "roc-auc", "(burial)"],
    "featurizer": ["receptor-polar", "polar-and-apolar + resnet3d"],
    "fine_tune": ["keeps its output pose", "held-out rows", "ligand size"],
    "why": ["<iframe sandbox='allow-scripts'"],
}


@pytest.fixture(scope="module")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The notebooks' folder of temporary files: the structures of one serve the others."""
    return tmp_path_factory.mktemp("notebooks")


@pytest.fixture
def apart(shared_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A notebook runs as in a process of its own."""
    monkeypatch.setattr(tempfile, "tempdir", str(shared_folder))
    monkeypatch.chdir(tmp_path)
    before = dict(os.environ)
    registry.reset()
    yield
    os.environ.clear()
    os.environ.update(before)
    registry.reset()


def cells(path: Path) -> list[str]:
    """The cells of code of a notebook in the percent format."""
    parts = re.split(r"^# %%(.*)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    kinds, texts = parts[1::2], parts[2::2]
    return [text for kind, text in zip(kinds, texts, strict=True) if "[markdown]" not in kind]


def run(cell: str, names: dict[str, Any]) -> Any:
    """Run a cell; the value of its last line, where that is an expression."""
    tree = ast.parse(cell)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    if last is None:
        return None
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names)


def shown(value: Any) -> str:
    return value._repr_html_() if hasattr(value, "_repr_html_") else repr(value)


def test_the_table_knows_every_notebook() -> None:
    assert {path.stem for path in NOTEBOOKS} == set(OUTPUTS)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_a_notebook_runs(path: Path, apart: None, capsys: pytest.CaptureFixture[str]) -> None:
    # dataclasses look up the module of their class
    module = sys.modules["notebook_cells"] = ModuleType("notebook_cells")
    try:
        outputs = [shown(value) for cell in cells(path) if (value := run(cell, vars(module))) is not None]
    finally:
        del sys.modules["notebook_cells"]
    text = "\n".join([*outputs, capsys.readouterr().out])
    assert [wanted for wanted in OUTPUTS[path.stem] if wanted not in text] == []
