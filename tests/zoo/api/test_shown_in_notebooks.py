"""What a notebook shows of an index, a run, a result, a leaderboard and an explanation."""

from __future__ import annotations

import csv
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import affinity_zoo
from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.models.run_folder import RunFolder
from affinity_zoo.zoo.runtime.notebook import DRAWINGS

VOID = {"br", "meta", "input", "img", "circle", "line", "polyline", "hr"}


class Fragment(HTMLParser):
    """Texts and tags of a fragment; every element must be closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, Any]]] = []
        self.texts: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def shown(thing: Any) -> Fragment:
    html = thing._repr_html_()
    assert not re.search(r"(src|href)\s*=\s*['\"]?https?:", html), "it needs a network"
    return Fragment(html)


@pytest.fixture(scope="module")
def run(small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run of two epochs."""
    return affinity_zoo.train(
        small_data, "element-tag", "cnn4", runs=tmp_path_factory.mktemp("notebook") / "summaries", box=(8, 2.0),
        epochs=2, workers=1, say=lambda line: None,
    )  # fmt: skip


@pytest.fixture(scope="module")
def result(run: RunFolder, small_data: Path) -> Any:
    """Its result."""
    return affinity_zoo.evaluate(run, split="all", views=1)


def test_an_index_shows_its_counts(small_set: Path, tmp_path: Path) -> None:
    summary = affinity_zoo.index(small_set, tmp_path / "a & <b>", workers=0, progress=False)
    texts = shown(summary).texts
    assert any("a & <b>" in text for text in texts)
    assert f"{summary.rows:,}" in texts and f"{summary.receptors:,}" in texts
    for split, number in summary.splits.items():
        assert texts[texts.index(split) + 1] == f"{number:,}"


def test_a_run_shows_its_curves(run: RunFolder) -> None:
    found = shown(run)
    assert "run 1: element-tag + cnn4" in found.texts and str(run.model) in found.texts
    lines = [attributes["points"] for tag, attributes in found.tags if tag == "polyline"]
    assert len(lines) >= 2 and all(len(line.split()) == 2 for line in lines)  # a point for each epoch


def test_a_run_without_files_shows_itself_too(tmp_path: Path) -> None:
    assert "run 7: its recipe cannot be read" in shown(RunFolder(tmp_path, 7)).texts


def test_a_result_shows_every_metric_with_its_interval(result: Any) -> None:
    found = shown(result)
    metric = result.metrics["roc-auc"]
    assert found.texts[found.texts.index("roc-auc") + 1].startswith(
        f"{metric.value:.3f} [{metric.low:.3f}, {metric.high:.3f}]"
    )
    assert any("ROC" in text for text in found.texts) and any(tag == "svg" for tag, _ in found.tags)


def test_a_leaderboard_compares_and_is_written(result: Any, run: RunFolder, tmp_path: Path) -> None:
    board = affinity_zoo.leaderboard(run.root)
    assert len(board) == 1 and board[0] is board[board[0].benchmark]
    texts = shown(board).texts
    for row in board[0].rows:
        assert (f"({row.name})" if row.baseline else row.name) in texts
    frame = board.to_pandas()
    mine = frame[(frame.model == result.model["name"]) & (frame.metric == "roc-auc")]
    assert mine.value.tolist() == [result.metrics["roc-auc"].value]
    with board.write(tmp_path / "board.csv").open() as file:
        assert len(list(csv.DictReader(file))) == len(frame)
    assert "<table" in board.write(tmp_path / "board.html").read_text()
    assert "# Leaderboard" in board.write(tmp_path / "board.md").read_text()
    with pytest.raises(UsageError, match=r"board\.docx.*\.html, \.md or \.csv"):
        board.write(tmp_path / "board.docx")
    with pytest.raises(UsageError, match="there is no board of the benchmark 'nothing'; the boards are: "):
        board["nothing"]


def test_an_explanation_is_its_page_in_a_frame(small_model: Path, real_complex: Any, tmp_path: Path) -> None:
    found = affinity_zoo.explain(
        small_model, real_complex.receptor, real_complex.ligand, method="gradient", views=1, steps=8,
        out=tmp_path / "why",
    )  # fmt: skip
    frame = next(attributes for tag, attributes in shown(found).tags if tag == "iframe")
    assert frame["sandbox"] == "allow-scripts"
    page = (tmp_path / "why" / "explain.html").read_text()
    assert unescape(frame["srcdoc"]) == unescape(page)


def test_every_drawing_is_there() -> None:
    from importlib import import_module

    for place in DRAWINGS.values():
        module, _, name = place.partition(":")
        assert callable(getattr(import_module(module), name))
