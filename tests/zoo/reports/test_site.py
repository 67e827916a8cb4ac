"""The site: whole pages, links that lead somewhere, and a real browser at the width of a desk and of a phone."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from affinity_zoo.zoo.board.comparison import compare
from affinity_zoo.zoo.board.leaderboard import Board, build_boards
from affinity_zoo.zoo.board.pairs import all_pairs
from affinity_zoo.zoo.board.results import write_result
from affinity_zoo.zoo.judging.predictions import make_predictions
from affinity_zoo.zoo.reports.site import write_site

EVIL = "run <script>alert(1)</script> & 'co'"
NAMES = {EVIL: 1.0, "strong": 2.0, "burial": 0.8, "random": 0.0}


@pytest.fixture(scope="module")
def boards(tmp_path_factory: pytest.TempPathFactory) -> list[Board]:
    root = tmp_path_factory.mktemp("boards")
    label = np.tile([1.0, 0, 0, 0, 0, 0], 20)
    target = np.repeat([f"t{i}" for i in range(20)], 6)
    for b, benchmark in enumerate(("toy poses", "toy <others>")):
        for k, (name, skill) in enumerate(NAMES.items()):
            score = np.random.default_rng([b, k]).normal(size=120) + skill * label
            rows = make_predictions(
                id=[f"p{i}" for i in range(120)], score=score, pose_label=label, target=target
            )
            kind = "baseline" if name in ("burial", "random") else "model"
            model = {"name": name, "kind": kind, "weights": name}
            if kind == "model":
                model |= {"featurizer": "atom-types", "architecture": "cnn4"}
            entry = {"name": benchmark, "hash": str(b) * 64, "path": "toy"}
            place = root / f"{k}_logs/results/{b}"
            write_result(place, model=model, predictions=rows, benchmark=entry, replicates=50,
                         command=f"affinity-zoo evaluate {k}")  # fmt: skip
            card = {"headline": f"{name} loses", "limits": ["few", "small"], "licence": "MIT"}
            (place / "card.json").write_text(json.dumps(card))
    return build_boards([root])


@pytest.fixture(scope="module")
def site(boards: list[Board], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(tmp_path_factory.mktemp("site") / "site", boards).parent


class Links(HTMLParser):
    """Collects links, everything that would be fetched, and tags that are left open."""

    VOID = frozenset(("meta", "input", "br", "line", "circle", "polyline"))

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        for key, value in attrs:
            if key == "href" and tag == "a":
                self.links.append(str(value))
            elif key in ("src", "srcset", "data", "href"):
                self.fetched.append(str(value))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        return

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_every_page_is_whole_and_every_link_leads_to_a_page(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) == 1 + 1 + 2 + len(NAMES)
    reached = {(site / "index.html").resolve()}
    for page in pages:
        text = page.read_text()
        found = Links()
        found.feed(text)
        assert found.open == [] and found.fetched == [] and "<script>alert" not in text, page
        assert "http" not in "".join(found.links)
        targets = {(page.parent / link).resolve() for link in found.links}
        assert all(target.is_file() for target in targets), page
        reached |= targets
    assert reached == {page.resolve() for page in pages}


def test_a_model_has_its_card_figures_failures_and_commands(site: Path) -> None:
    page = next(p for p in (site / "models").iterdir() if p.name.startswith("strong")).read_text()
    for words in ("strong loses", "<li>small</li>", "toy poses", "toy &lt;others&gt;", "roc-auc-per-complex",
                  "Hardest misses", "worst first", "affinity-zoo evaluate 1", "affinity-zoo predict strong",
                  "all 20 complexes", "<figcaption>ROC"):  # fmt: skip
        assert words in page, words


def test_the_pairs_are_those_of_compare(boards: list[Board]) -> None:
    board = next(b for b in boards if b.benchmark == "toy poses")
    rows = {row.name: row for row in board.rows}
    for pair in all_pairs(board, replicates=200):
        found = compare(rows[pair.a].results, rows[pair.b].results, replicates=200)
        by_metric = {d.metric: d for d in found.differences}
        one = by_metric[pair.metric]
        assert (pair.value_a, pair.value_b) == pytest.approx((one.a, one.b))
        assert (pair.low, pair.high) == pytest.approx((one.low, one.high))


def browser() -> str:
    found = next((b for b in ("chromium", "chromium-browser", "google-chrome") if shutil.which(b)), None)
    if found is None:
        pytest.skip("no Chromium or Chrome is installed")
    return found


def seen(page: Path, script: str, width: int, tmp_path: Path) -> str:
    """The document after the page's script and another one have run in a window of this width."""
    tried = page.with_name("tried.html")
    tried.write_text(page.read_text().replace("</body>", f"<script>{script}</script></body>"))
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
             f"--window-size={width},900", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]  # fmt: skip
    try:
        done = subprocess.run(
            [browser(), *flags, tried.as_uri()], capture_output=True, text=True, timeout=120, check=True
        )
    finally:
        tried.unlink()
    return done.stdout


FITS = """
var wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
document.body.setAttribute('data-wide', wide > 1 ? 'too wide by ' + wide : 'fits');
document.body.setAttribute('data-width', document.documentElement.clientWidth);
"""


@pytest.mark.parametrize("width", [1300, 500])
@pytest.mark.parametrize("name", ["index.html", "compare.html", "models", "benchmarks"])
def test_pages_fit_a_desk_and_a_phone(site: Path, width: int, name: str, tmp_path: Path) -> None:
    page = (
        site / name if name.endswith("html") else max((site / name).iterdir(), key=lambda p: p.stat().st_size)
    )
    document = seen(page, FITS, width, tmp_path)
    assert 'data-wide="fits"' in document, re.findall(r'data-wide="[^"]*"', document)
    assert int(re.findall(r'data-width="(\d+)"', document)[0]) <= width


def test_two_rows_are_compared_in_the_browser(site: Path, tmp_path: Path) -> None:
    choose = """
    var b = document.getElementById('b'); b.value = 'burial'; b.dispatchEvent(new Event('change'));
    var a = document.getElementById('a'); a.value = 'strong'; a.dispatchEvent(new Event('change'));
    """
    document = seen(site / "compare.html", choose, 1300, tmp_path)
    found = re.search(r'<div id="found".*?</div></div>', document, re.DOTALL)
    assert found is not None and "strong is better" in found[0] and "roc-auc-per-complex" in found[0]
    same = "var b = document.getElementById('b'); b.value = document.getElementById('a').value;"
    same += "b.dispatchEvent(new Event('change'));"
    assert "Choose two different rows." in seen(site / "compare.html", same, 1300, tmp_path)
