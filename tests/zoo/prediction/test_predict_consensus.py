"""``predict --consensus``: the figures of scipy, the same as on a board, and missing scores that count."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import rankdata, zscore

from affinity_zoo import evaluate_consensus, evaluate_scores, predict
from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.board import benchmarks
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.prediction.consensus import Member, key_of, members_of, plan, with_consensus
from affinity_zoo.zoo.prediction.rows import PosePrediction

OWN_AND_DOCKING = (Member("pose"), Member("docking-score"))


def pose(molecule: str, logit: float, docking: float, **more: object) -> PosePrediction:
    named = {"id": f"{molecule}{logit}{docking}", "target": "T", "skeleton": molecule}
    return PosePrediction(
        **named | {"molecule": molecule, "pose_logit": logit, "docking_score": docking} | more
    )  # type: ignore[arg-type]


def values(rows: list[PosePrediction], name: str = "consensus_z") -> list[float]:
    return [row.value(name) for row in rows]


def test_a_table_by_hand() -> None:
    """Two molecules. A: the model says 1 < 2 < 3, docking the contrary of twice that; B: one pose, so no spread."""
    rows = [pose("A", 1.0, -3.0), pose("B", 9.0, -9.0), pose("A", 2.0, -1.0), pose("A", 3.0, -1.0)]
    found, notes = with_consensus(rows, "pose", OWN_AND_DOCKING, {})
    assert not notes
    step = 1 / np.sqrt(2 / 3)  # 1, 2, 3 have the standard deviation sqrt(2/3); 3, 1, 1 have sqrt(8/9)
    docking = np.array([4 / 3, -2 / 3, -2 / 3]) / np.sqrt(8 / 9)
    expected = np.array([-step, 0, step]) / 2 + docking / 2
    assert np.allclose([found[i].value("consensus_z") for i in (0, 2, 3)], expected)
    assert found[1].value("consensus_z") == 0.0 and found[1].value("consensus_rank") == 0.5
    # ranks among three, as (place - 1/2) / 3: the model's 1, 2, 3; docking's 3, 1.5, 1.5
    expected = (np.array([0.5, 1.5, 2.5]) + np.array([2.5, 1.0, 1.0])) / 6
    assert np.allclose([found[i].value("consensus_rank") for i in (0, 2, 3)], expected)


def test_rows_of_one_id_keep_their_own_scores_of_another_model() -> None:
    """Ids of a table come back unchanged, and may occur twice."""
    rows = [pose("A", float(i), -float(i), id="same", file=f"{i}.sdf") for i in range(3)]
    other = {key_of(row): score for row, score in zip(rows, (5.0, 7.0, 6.0), strict=True)}
    found, _ = with_consensus(rows, "pose", (Member("pose"), Member("other", (Path("m"),))), {"other": other})
    assert np.allclose(values(found), (zscore([0.0, 1.0, 2.0]) + zscore([5.0, 7.0, 6.0])) / 2)


def test_what_is_compared() -> None:
    rows = [pose("A", 1.0, -1.0), pose("A", 2.0, -2.0), pose("B", 8.0, -8.0)]
    logits = np.array([1.0, 2.0, 8.0])
    by_target, notes = with_consensus(rows, "consensus", OWN_AND_DOCKING, {}, "target")
    assert np.allclose(values(by_target), zscore(logits)) and not notes
    by_molecule, (note,) = with_consensus(rows, "consensus", OWN_AND_DOCKING, {})
    assert np.allclose(values(by_molecule), [-1, 1, 0]) and "`consensus_within` 'target'" in note
    redocked = [pose("A", 1.0, -1.0), pose("B", 2.0, -2.0, target="U")]
    assert with_consensus(redocked, "consensus", OWN_AND_DOCKING, {})[1] == []
    two = [*rows, pose("A", 5.0, -5.0, target="U")]
    assert values(with_consensus(two, "pose", OWN_AND_DOCKING, {}, "target")[0])[3] == 0.0
    assert np.allclose(
        values(with_consensus(two, "pose", OWN_AND_DOCKING, {}, "all")[0]), zscore([*logits, 5])
    )


def test_missing_scores_count_as_the_lowest_and_failed_rows_have_none() -> None:
    rows = [pose("A", 1.0, np.nan), pose("A", 2.0, -4.0), pose("A", np.nan, -6.0, status="failed")]
    found, (note,) = with_consensus(rows, "pose", OWN_AND_DOCKING, {})
    # the model: the failed one below all, at 1 - 1 = 0; docking: at 4 - 1 = 3
    expected = (zscore([1.0, 2.0, 0.0]) + zscore([3.0, 4.0, 6.0])) / 2
    assert np.allclose(values(found)[:2], expected[:2])
    assert found[2].value("consensus_z") is None and found[2].value("consensus_rank") is None
    assert note.startswith("1 of 3 poses have no docking score") and "lowest" in note
    affinities = (Member("affinity"), Member("docking-score"))
    known = [pose("A", 0.0, d, affinity_pk=p) for p, d in ((4.0, -1.0), (6.0, np.nan), (9.0, -3.0))]
    found, (note,) = with_consensus(known, "affinity", affinities, {})
    assert np.allclose(values(found), (zscore([4.0, 6, 9]) + zscore([1.0, 2, 3])) / 2) and "the mean" in note
    with pytest.raises(AffinityZooError, match="no pose has a docking score"):
        with_consensus([pose("A", 1.0, np.nan)], "pose", OWN_AND_DOCKING, {})


def test_the_consensus_of_a_board_is_that_of_a_prediction(
    tmp_path: Path,
    at_hand: Callable[[Dataset], Dataset],
    made_index: Callable[..., Dataset],
    few_baselines: Callable[..., None],
) -> None:
    """The same rows, one without a docking score and one without the model's, by both commands' code."""
    few_baselines("docking-score")
    docking = -7.0 + np.random.default_rng(1).normal(size=120)
    docking[[3, 40]] = np.nan
    dataset = at_hand(made_index(tmp_path / "poses", "p", docking_score=docking))
    runs = tmp_path / "summaries"
    benchmarks.add(runs, benchmarks.describe("poses", dataset))
    score = np.random.default_rng(2).normal(size=120)
    score[[7, 41]] = np.nan
    ids, target = dataset.column("id"), dataset.column("target")
    given = {name: s for name, s in zip(ids.tolist(), score.tolist(), strict=True) if np.isfinite(s)}
    evaluate_scores(given, "poses", name="one", direction="higher", runs=runs)
    results = evaluate_consensus(["one", "docking-score"], "poses", methods=["rank", "z"], runs=runs)
    rows = [
        pose(str(t), s, d, id=str(name), status="failed" if np.isnan(s) else "ok")
        for name, t, s, d in zip(ids, target, score, docking, strict=True)
    ]
    found, _ = with_consensus(rows, "pose", OWN_AND_DOCKING, {})
    for result, column in zip(results, ("consensus_rank", "consensus_z"), strict=True):
        judged = result.predictions()
        expected = dict(zip(judged.id.tolist(), judged.score.tolist(), strict=True))
        ours = {row.id: row.value(column) for row in found if row.status == "ok"}
        assert len(ours) == 118
        assert np.allclose([expected[name] for name in ours], list(ours.values()), atol=1e-6)


def test_members_and_what_is_refused() -> None:
    cards = [{"outputs": [{"name": "pose"}, {"name": "affinity"}]}]

    def find(name: str) -> list[Path]:
        return [Path("models") / name]

    by, members = plan(members_of("docking-score, other", find), None, cards, ["/a"])
    assert by == "consensus" and [one.name for one in members] == ["pose", "docking-score", "other"]
    by, members = plan(members_of(["affinity", "docking-score"], find), "pose", cards, ["/a"])
    assert by == "pose" and [one.name for one in members] == ["affinity", "docking-score"]
    same = str(find("mine")[0].resolve())
    _, members = plan(members_of("mine,docking-score", find), "consensus-rank", cards, [same])
    assert [one.name for one in members] == ["pose", "docking-score"]  # as the board names a consensus
    for wanted in ("pose", "mine"):
        with pytest.raises(UsageError, match="a consensus needs more than"):
            plan(members_of(wanted, find), None, cards, [same])
    with pytest.raises(UsageError, match="an output rmsd"):
        plan(members_of("rmsd,docking-score", find), None, cards, ["/a"])
    with pytest.raises(UsageError, match="is empty"):
        members_of(" , ", find)


def table(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_the_command_ranks_by_the_consensus_of_two_models_and_docking(
    make_model, receptor, block, write_sdf, tmp_path, cli
) -> None:  # type: ignore[no-untyped-def]
    model, other = make_model("both-1", ("pose", "affinity"), seed=1), make_model("pose-2", seed=2)
    poses = write_sdf(tmp_path / "poses.sdf", block, 16, corrupt=1)
    command = ("predict", model, "-r", receptor, "-l", poses, "--views", 1)
    out, sdf = tmp_path / "ranked.csv", tmp_path / "ranked.sdf"
    done = cli(*command, "-o", out, "--sdf", sdf, "--consensus", f"docking-score,{other}", "--json")
    assert done.code == 3, done.err
    rows = table(out)
    assert cli("predict", other, *command[2:], "-o", tmp_path / "other.csv").code == 3
    theirs = {row["id"]: float(row["pose_logit"] or "nan") for row in table(tmp_path / "other.csv")}
    ok = [row for row in rows if row["status"] == "ok"]
    assert len(ok) == 15 and rows[-1]["consensus_z"] == ""
    for name in {row["molecule"] for row in ok}:
        group = [row for row in ok if row["molecule"] == name]
        members = np.array(
            [
                [float(r["pose_logit"]) for r in group],
                [-float(r["docking_score"]) for r in group],
                [theirs[r["id"]] for r in group],
            ]
        )
        ranks = (rankdata(members, axis=1) - 0.5) / len(group)
        assert np.allclose([float(r["consensus_rank"]) for r in group], ranks.mean(axis=0), atol=1e-6)
        if len(group) > 1:
            expected = zscore(members, axis=1).mean(axis=0)
            assert np.allclose([float(r["consensus_z"]) for r in group], expected, atol=1e-3)
    order = [float(row["consensus_z"]) for row in ok]
    assert order == sorted(order, reverse=True) and [row["rank"] for row in ok] == [
        str(i + 1) for i in range(15)
    ]
    assert sdf.read_text().count("<affinity_zoo_consensus_z>") == 15
    assert not list(tmp_path.glob("*.parts*"))
    found = predict(model, receptor, poses, views=1, consensus="docking-score", best_per="molecule")
    best = [row for row in found if row.rank]
    assert len(best) == 7 and sum(row.poses for row in best) == 15
    assert [row.rank for row in best] == list(range(1, 8))
    assert values(best) == sorted(values(best), reverse=True)


def test_the_command_refuses_and_a_stopped_consensus_goes_on_without_it(
    make_model, receptor, block, write_sdf, tmp_path, cli
) -> None:  # type: ignore[no-untyped-def]
    model, poses = make_model("pose"), tmp_path / "bare.sdf"
    bare = write_sdf(tmp_path / "poses.sdf", block, 2).read_text().replace("minimizedAffinity", "nothing")
    poses.write_text(bare)
    out = tmp_path / "ranked.csv"
    command = ("predict", model, "-r", receptor, "-l", poses, "--views", 1, "-o", out)
    docking = ("--consensus", "docking-score")
    for more, said in (
        (("--rank-by", "consensus"), "needs --consensus"),
        ((*docking, "--shard", "1/2"), "all poses of a molecule"),
        ((*docking, "--consensus-within", "row"), "is one of molecule, target, all"),
        (("--consensus", "pose"), "a consensus needs more than"),
    ):
        refused = cli(*command, *more)
        assert refused.code == 2 and said in " ".join(refused.err.split()), refused.err
    done = cli(*command, *docking)
    assert done.code == 1 and "no pose has a docking score" in done.err and not out.exists()
    again = cli(*command, "--resume")
    assert again.code == 0 and len(table(out)) == 2


def test_a_consensus_stopped_in_the_other_model_goes_on(
    make_model, receptor, block, write_sdf, tmp_path, cli, monkeypatch
) -> None:  # type: ignore[no-untyped-def]
    from affinity_zoo.zoo.prediction import run

    model, other = make_model("both-1", ("pose", "affinity"), seed=1), make_model("pose-2", seed=2)
    poses = write_sdf(tmp_path / "poses.sdf", block, 6)
    command = ("predict", model, "-r", receptor, "-l", poses, "--views", 1, "--consensus", other)
    whole, stopped = tmp_path / "whole.csv", tmp_path / "stopped.csv"
    assert cli(*command, "-o", whole).code == 0
    real, calls = run._score_all, []

    def once(*given: object) -> None:
        calls.append(given[1])
        if len(calls) > 1:
            raise KeyboardInterrupt
        real(*given)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(run, "_score_all", once)
        assert cli(*command, "-o", stopped).code != 0 and not stopped.exists()
    assert [len(models) for models in calls] == [1, 1] and calls[0] != calls[1]
    assert cli(*command, "-o", stopped, "--resume").code == 0
    assert stopped.read_bytes() == whole.read_bytes()
    assert not list(tmp_path.glob("*.parts*"))
