"""The board on a terminal of 100 columns: whole names, the best two baselines and chance."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from affinity_zoo.zoo.board.results import write_result
from affinity_zoo.zoo.board.terminal_board import fitting
from affinity_zoo.zoo.judging.predictions import make_predictions

NAMES = ("atom-types+resnet3d(filters=16)", "gnina crossdock_default2018", "Glide SP")
BASELINES = {"burial": 0.8, "contacts": 0.6, "ligand-size": 0.1, "random": 0.0, "best-possible": 50.0}
BENCHMARK = {"name": "toy", "hash": "feed" * 16, "path": "toy"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tmp_path = tmp_path_factory.mktemp("board")
    label = np.tile([1.0, 0, 0, 0, 0, 0], 20)
    target = np.repeat([f"t{i}" for i in range(20)], 6)
    for k, (name, skill) in enumerate([*zip(NAMES, (2.0, 1.5, 1.0), strict=True), *BASELINES.items()]):
        score = np.random.default_rng(k).normal(size=120) + skill * label
        rows = make_predictions(
            id=[f"p{i}" for i in range(120)], score=score, pose_label=label, target=target
        )
        model: dict[str, Any] = {
            "name": name,
            "kind": "baseline" if name in BASELINES else "model",
            "weights": name,
        }
        if name not in BASELINES:
            model |= {"featurizer": "atom-types", "architecture": "resnet3d"}
        write_result(tmp_path / "runs" / str(k), model=model, predictions=rows, benchmark=BENCHMARK, replicates=50,
                     overlap={"verdict": "cannot know"})  # fmt: skip
    return tmp_path / "runs"


def test_at_100_columns_no_name_is_broken(
    runs: Path, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("affinity_zoo.zoo.runtime.terminal.WIDTH_OF_A_FILE", 100)
    done = cli("leaderboard", runs)
    assert done.code == 0
    table = [line for line in done.out.splitlines() if line and line[0] in "│┃┏┡└"]
    assert all(len(line) <= 100 for line in table)
    for name in [*NAMES, "roc-auc-per-complex", "top-1", "(burial)", "(contacts)", "(random)"]:
        assert any(f" {name} " in line for line in table), name
    assert "(ligand-size)" not in done.out and "(best-possible)" not in done.out
    assert "2 more baselines with --baselines" in done.out and "all 20 complexes" in done.out
    everything = cli("leaderboard", runs, "--baselines", "--all").out
    assert (
        "(ligand-size)" in everything
        and "(best-possible)" in everything
        and "average-precision" in everything
    )


@pytest.mark.parametrize("width", [60, 80, 100, 140, 220])
def test_what_fits_is_shown_and_the_first_metric_always(runs: Path, width: int) -> None:
    from affinity_zoo.zoo.board.leaderboard import build_boards

    (board,) = build_boards([runs])
    shown = fitting(board, width)
    assert shown.headings[0] == "model" and any("roc-auc-per-complex" in head for head in shown.headings)
    widths = [
        max(len(line) for text in column for line in text.split("\n")) + 3
        for column in zip(shown.headings, *shown.rows, strict=True)
    ]
    assert sum(widths) + 1 <= width or shown.metrics == 1
    assert len({len(row) for row in [shown.headings, *shown.rows]}) == 1
    assert fitting(board, 220).metrics >= shown.metrics
