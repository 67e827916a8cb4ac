"""The page: self-contained, escaped, right in a real browser: sorted, filtered, drawn."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from affinity_zoo.plugins.contracts import Predictions
from affinity_zoo.zoo.board.conclusion import in_words
from affinity_zoo.zoo.board.leaderboard import build_boards
from affinity_zoo.zoo.board.results import write_result
from affinity_zoo.zoo.judging.predictions import make_predictions
from affinity_zoo.zoo.reports import plots
from affinity_zoo.zoo.reports.curves import (
    hardest_misses,
    per_target,
    ranking_curves,
    risk_coverage,
    success_curve,
)
from affinity_zoo.zoo.reports.drawn import DrawnBoard
from affinity_zoo.zoo.reports.page import report_run, write_report
from affinity_zoo.zoo.reports.svg import Axis
from affinity_zoo.zoo.scorers.rescored import with_score

BENCHMARK = {"name": "toy <poses>", "hash": "beef" * 16, "path": "toy"}


def toy(skill: float, seed: int = 0) -> Predictions:
    rng = np.random.default_rng(seed)
    group = np.repeat([f"{i}abc" for i in range(25)], 8)
    label = np.tile([1.0, 1, 0, 0, 0, 0, 0, 0], 25)
    return make_predictions(
        id=[f"p{i}" for i in range(200)], score=rng.normal(size=200) + skill * label, pose_label=label, target=group,
        rmsd=np.where(label > 0, 1.0, 7.0), extra={"probability": rng.random(200)},
    )  # fmt: skip


@pytest.fixture
def summaries(tmp_path: Path) -> Path:
    root = tmp_path / "summaries"
    for x, skill in ((1, 2.0), (2, 0.5)):
        logs = root / f"{x}_logs"
        name = f"run {x} <script>alert(1)</script>"
        model = {"name": name, "featurizer": "atom-types", "architecture": "cnn4", "weights": str(x)}
        command = f"affinity-zoo evaluate {x}"
        write_result(
            logs / "results/toy", model=model, predictions=toy(skill, x), benchmark=BENCHMARK, replicates=100,
            command=command,
        )  # fmt: skip
        epochs = ", ".join(f'{{"epoch": {e}, "train": {{"loss": {1 / e}}}}}' for e in (1, 2, 3))
        (logs / "history.json").write_text(f'{{"epochs": [{epochs}]}}')
    for name, score in (("random", np.random.default_rng(9).random(200)), ("burial", toy(0.9, 5).score)):
        model = {"name": name, "kind": "baseline"}
        rows = with_score(toy(0), score)
        write_result(
            root / "baselines" / name, model=model, predictions=rows, benchmark=BENCHMARK, replicates=100
        )
    return root


class Checker(HTMLParser):
    """Collects tags that are left open and everything that would be fetched."""

    VOID = frozenset(("meta", "input", "br", "line", "circle", "polyline"))

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        self.fetched += [str(value) for key, value in attrs if key in ("src", "href", "srcset", "data")]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_escaped_and_fetches_nothing(summaries: Path, tmp_path: Path) -> None:
    page = write_report(tmp_path / "board.html", build_boards([summaries])).read_text()
    checker = Checker()
    checker.feed(page)
    assert checker.open == []
    assert checker.fetched == []
    assert checker.tags.count("script") == 1
    assert "@import" not in page and "url(" not in page and "<script>alert" not in page
    assert (
        checker.tags.count("figure") == 6 + 2
    )  # ROC, PR, enrichment, success, risk, calibration; two trainings
    assert "affinity-zoo evaluate 1" in page


def test_a_plot_of_the_table_is_drawn_on_the_page(
    summaries: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drawn_rows(drawn: DrawnBoard) -> list[str]:
        return [f"<figure>rows: {[line.row.name for line in drawn.rows]}</figure>"]

    boards = build_boards([summaries / "baselines"])
    monkeypatch.setattr(plots, "PLOTS", (*plots.PLOTS, plots.Plot(drawn_rows, about="training")))
    page = write_report(tmp_path / "board.html", boards).read_text()
    assert "<h3>Training</h3><div class='plots'><figure>rows: ['burial']</figure>" in page


def test_the_report_of_a_run_holds_it_and_its_baselines_only(summaries: Path, tmp_path: Path) -> None:
    page = report_run(summaries / "1_logs", summaries / "baselines", tmp_path / "r.html").read_text()
    assert "run 1" in page and "burial" in page and "run 2" not in page


def browser() -> str:
    found = next((b for b in ("chromium", "chromium-browser", "google-chrome") if shutil.which(b)), None)
    if found is None:
        pytest.skip("no Chromium or Chrome is installed")
    return found


def in_browser(page: Path, script: str, profile: Path) -> str:
    """The page's document after its own script and another one have run in a real browser."""
    tried = page.with_name("tried.html")
    tried.write_text(page.read_text().replace("</body>", f"<script>{script}</script></body>"))
    flags = [
        "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", f"--user-data-dir={profile}",
    ]  # fmt: skip
    command = [browser(), *flags, "--dump-dom", tried.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def names(document: str) -> list[str]:
    return re.findall(r'<tr class="(?:model|baseline)"[^>]*><td>([^<&]*)', document)


def test_a_browser_sorts_and_filters(summaries: Path, tmp_path: Path) -> None:
    page = write_report(tmp_path / "board.html", build_boards([summaries]))
    plain = in_browser(page, "", tmp_path / "profile")
    assert "4 of 4 rows" in plain
    before = names(plain)
    assert before[0].startswith("run 1")
    click = "document.querySelector('th[aria-sort] button').click();"
    after = names(in_browser(page, click, tmp_path / "profile"))
    assert after == before[::-1]
    untick = "var b = document.querySelector('input[name=baselines]'); b.click();"
    assert "2 of 4 rows" in in_browser(page, untick, tmp_path / "profile")
    typed = "var t = document.querySelector('input[type=search]'); t.value = 'run 2'; "
    typed += "t.dispatchEvent(new Event('input'));"
    filtered = in_browser(page, typed, tmp_path / "profile")
    assert "1 of 4 rows" in filtered
    assert filtered.count('hidden=""') == 3


def test_positional_are_as_modest_as_the_figures(summaries: Path) -> None:
    [board] = build_boards([summaries])
    assert "is better than the best baseline, burial" in in_words(board)
    assert "overlap with training" not in in_words(board)  # not looked for, not claimed
    [weak] = build_boards([summaries / "2_logs", summaries / "baselines"])
    assert in_words(weak).startswith("The baseline burial beats the best model, run 2")
    model = {"name": "nearly as good", "kind": "baseline"}
    rows = with_score(toy(0), toy(2.0, 1).score - 0.2 * np.random.default_rng(3).random(200))
    write_result(
        summaries / "baselines/close", model=model, predictions=rows, benchmark=BENCHMARK, replicates=100
    )
    [level] = build_boards([summaries])
    assert "is not shown to differ from the best baseline, nearly as good" in in_words(level)
    assert "paired difference" in in_words(level)
    shutil.rmtree(summaries / "baselines/close")
    [none] = build_boards([summaries / "baselines"])
    assert "No trained model" in in_words(none)


def test_curves_end_where_they_must_and_ties_are_one_step() -> None:
    rows = toy(1.0)
    curves = ranking_curves(rows, "pose_label")
    for x, y in (curves.roc, curves.found):
        assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
        assert (np.diff(x) >= 0).all() and (np.diff(y) >= 0).all()
    assert curves.prevalence == pytest.approx(0.25)
    flat = ranking_curves(with_score(rows, np.zeros(200)), "pose_label")
    np.testing.assert_allclose(flat.roc, ([0, 1], [0, 1]))
    np.testing.assert_allclose(flat.precision_recall[1], 0.25)


def test_success_of_a_constant_score_is_that_of_chance() -> None:
    top, percent = success_curve(with_score(toy(0), np.zeros(200)))
    assert top[0] == 1
    assert percent[0] == pytest.approx(25.0)
    assert percent[6] == pytest.approx(100.0)


def test_risk_grows_with_coverage_by_hand() -> None:
    """Three complexes, the surest right, the next wrong, the last right."""
    rows = make_predictions(
        id=list("abcdef"),
        target=["x", "x", "y", "y", "z", "z"],
        score=[5.0, 0, 1, 4, 3, 0],
        pose_label=[1, 0, 1, 0, 1, 0],
    )
    coverage, risk = risk_coverage(rows)
    np.testing.assert_allclose(coverage, [1 / 3, 2 / 3, 1])
    np.testing.assert_allclose(risk, [0, 1 / 2, 1 / 3])
    sure = make_predictions(
        id=list("abcdef"), target=["x", "x", "y", "y", "z", "z"], score=[5.0, 0, 1, 4, 3, 0],
        pose_label=[1, 0, 1, 0, 1, 0], extra={"probability": np.array([0.1, 0, 0, 0.9, 0.5, 0])},
    )  # fmt: skip
    np.testing.assert_allclose(risk_coverage(sure)[1], [1, 1 / 2, 1 / 3])


def test_misses_and_targets_are_worst_first() -> None:
    rows = toy(1.0)
    high, low = hardest_misses(rows, "pose_label", 3)
    assert [m.label for m in high + low] == [0, 0, 0, 1, 1, 1]
    assert high[0].score == rows.score[rows.pose_label == 0].max()
    assert low[0].score == rows.score[rows.pose_label == 1].min()
    areas = [figure.auc for figure in per_target(rows, "pose_label")]
    assert areas == sorted(areas) and len(areas) == 25


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.13, 0.17), (-5.0, 120.0)])
def test_ticks_are_round_and_inside(low: float, high: float) -> None:
    ticks = Axis("", low, high).ticks()
    assert 2 <= len(ticks) <= 11
    assert all(low - 1e-9 <= t <= high + 1e-9 for t in ticks)


def test_logarithmic_ticks_are_powers_of_ten() -> None:
    assert Axis("", 0.001, 1.0, log=True).ticks() == pytest.approx([0.001, 0.01, 0.1, 1.0])
