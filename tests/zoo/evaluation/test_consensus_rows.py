"""Consensus rows on a board, made by the command and from Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from affinity_zoo import evaluate_consensus, evaluate_scores
from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.board import benchmarks
from affinity_zoo.zoo.board.leaderboard import build_boards
from affinity_zoo.zoo.data.store.dataset import Dataset

Made = SimpleNamespace


@pytest.fixture
def made(
    tmp_path: Path,
    at_hand: Callable[[Dataset], Dataset],
    made_index: Callable[..., Dataset],
    few_baselines: Callable[..., None],
) -> Made:
    """Two benchmarks of other proteins, each with two sets of scores and the docking score."""
    few_baselines("docking-score", "random")
    runs = tmp_path / "summaries"
    parts = {}
    for name, prefix in (("poses", "p"), ("others", "q")):
        target = np.repeat([f"{prefix}{i:02}" for i in range(20)], 6)
        dataset = at_hand(made_index(tmp_path / name, prefix, target=target, group=target, molecule=target))
        benchmarks.add(runs, benchmarks.describe(name, dataset))
        label = dataset.column("pose_label")
        for k, member in enumerate(("one", "two")):
            score = np.random.default_rng([k, ord(prefix)]).normal(size=120) + 1.2 * label
            given = dict(zip(dataset.column("id").tolist(), score, strict=True))
            evaluate_scores(given, name, name=member, direction="higher", runs=runs)
            parts[name, member] = score
        parts[name, "label"] = label
        parts[name, "docking-score"] = -dataset.column("docking_score")
    return Made(runs=runs, parts=parts)


def test_three_consensus_rows_stand_on_the_board(made: Made) -> None:
    members = ["one", "two", "docking-score"]
    results = evaluate_consensus(members, "poses", runs=made.runs)
    assert [result.model["name"] for result in results] == [
        f"{how} of one, two, docking-score" for how in ("mean rank", "mean z-score", "stacked")
    ]
    (board,) = [b for b in build_boards([made.runs], recompute=True) if b.benchmark == "poses"]
    assert not board.refused
    rows = {row.name: row for row in board.rows}
    label = made.parts["poses", "label"]
    single = [roc_auc_score(label, made.parts["poses", member]) for member in members]
    for result in results:
        row = rows[result.model["name"]]
        assert (row.kind, row.featurizer, row.coverage) == ("consensus", "consensus", 1.0)
        assert row.overlap.startswith("one: cannot know; two: cannot know")
        assert row.metrics["roc-auc"].value > max(single)  # independent noise: three know more than one
    assert results[2].model["fitted_on"] == "other groups of the benchmark"


def test_a_stacked_model_is_fitted_on_another_benchmark(made: Made) -> None:
    (result,) = evaluate_consensus(
        ["one", "two"], "poses", methods=["stack"], learn_from="others", runs=made.runs
    )
    assert result.model["fitted_on"] == "others"
    assert result.metrics["roc-auc"].value > 0.8


def test_a_stacked_model_on_the_judged_rows_is_refused(made: Made) -> None:
    with pytest.raises(UsageError, match="would have seen 120 pairs of poses"):
        evaluate_consensus(["one", "two"], "poses", methods=["stack"], learn_from="poses", runs=made.runs)


def test_the_same_proteins_elsewhere_are_refused(
    made: Made, tmp_path: Path, at_hand: Callable[[Dataset], Dataset], made_index: Callable[..., Dataset]
) -> None:
    target = np.repeat([f"p{i:02}" for i in range(20)], 6)  # those of the benchmark "poses"
    dataset = at_hand(made_index(tmp_path / "again", "r", target=target, group=target))
    benchmarks.add(made.runs, benchmarks.describe("again", dataset))
    for member in ("one", "two"):
        given = dict(zip(dataset.column("id").tolist(), range(120), strict=True))
        evaluate_scores(given, "again", name=member, direction="higher", runs=made.runs)
    with pytest.raises(UsageError, match="would have seen 20 groups of poses"):
        evaluate_consensus(["one", "two"], "poses", methods=["stack"], learn_from="again", runs=made.runs)


def test_a_score_that_one_member_lacks_counts_as_last(made: Made) -> None:
    ids = [f"p{i}" for i in range(120)]
    score = made.parts["poses", "one"]
    kept = {
        name: value
        for name, value, near in zip(ids, score, made.parts["poses", "label"], strict=True)
        if not near
    }
    evaluate_scores(kept, "poses", name="evading", direction="higher", runs=made.runs)
    (result,) = evaluate_consensus(["evading", "two"], "poses", methods=["rank"], runs=made.runs)
    whole = evaluate_consensus(["one", "two"], "poses", methods=["rank"], runs=made.runs)[0]
    assert result.metrics["roc-auc-per-complex"].value < whole.metrics["roc-auc-per-complex"].value
    assert result.metrics["roc-auc"].missing == 0  # the other member has them


def test_what_is_wrong_is_said(made: Made) -> None:
    with pytest.raises(UsageError, match="two rows"):
        evaluate_consensus(["one", "one"], "poses", runs=made.runs)
    with pytest.raises(UsageError, match="unknown method 'vote'"):
        evaluate_consensus(["one", "two"], "poses", methods=["vote"], runs=made.runs)  # type: ignore[list-item]
    with pytest.raises(AffinityZooError, match="no result of 'three'"):
        evaluate_consensus(["one", "three"], "poses", runs=made.runs)
    with pytest.raises(AffinityZooError, match="no result on 'nothing'"):
        evaluate_consensus(["one", "two"], "nothing", runs=made.runs)


def test_the_command_line(made: Made, cli: Callable[..., Any]) -> None:
    done = cli(
        "evaluate", "poses", "--consensus", "one,docking-score", "--method", "rank,z", "--runs", made.runs
    )
    assert done.code == 0 and "mean rank of one, docking-score on poses" in done.out, done.err
    assert "mean z-score of one, docking-score on poses" in done.out and "stacked" not in done.out
