"""Consensus rows: combination of several results on one benchmark into one score."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Predictions, Truth
from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.board.common_rows import common_rows
from affinity_zoo.zoo.board.comparison import find_row
from affinity_zoo.zoo.board.overlap_stated import CANNOT_KNOW
from affinity_zoo.zoo.board.results import Result, command_line, load_result, write_result
from affinity_zoo.zoo.board.verify import check_name
from affinity_zoo.zoo.evaluation.data import named_scorers, with_defaults
from affinity_zoo.zoo.evaluation.external import folder_name
from affinity_zoo.zoo.judging import consensus
from affinity_zoo.zoo.judging.consensus import METHODS, Method
from affinity_zoo.zoo.judging.judge import present_truths
from affinity_zoo.zoo.models.run_folder import DEFAULT_ROOT

FOLDER = "consensus"
WORDS = {"rank": "mean rank", "z": "mean z-score", "stack": "stacked"}


def evaluate_consensus(
    members: Sequence[str],
    benchmark: str,
    *,
    methods: Sequence[Method] = METHODS,
    learn_from: str | None = None,
    name: str | None = None,
    scorers: tuple[str, ...] = (),
    runs: str | Path = DEFAULT_ROOT,
) -> list[Result]:
    """Judge a consensus of rows of the board.

    Args:
        members: names of rows, runs or result folders with results on the benchmark; baselines such as
            ``docking-score`` too. Of several trainings the first is taken.
        benchmark: its name.
        methods: ``rank``: mean rank within each complex or target; ``z``: mean z-score there; ``stack``: logistic or
            ridge regression on the scores. One row each.
        learn_from: another benchmark that the stacked model is fitted on; None: it is cross-validated over the
            groups of the benchmark, so that no row is scored by a model that saw its group.
        name: of the members together; None: their names.
        scorers: names of scorers in addition to those of every board.
        runs: Folder that holds ``x_logs`` and ``x_netstate`` of each run.

    Returns:
        One result a method.

    Raises:
        UsageError: an unknown method, fewer than two members, or a stacked model fitted on the judged rows.
        AffinityZooError: a member has no result on the benchmark.
    """
    if unknown := [method for method in methods if method not in METHODS]:
        raise UsageError(f"unknown method {unknown[0]!r}: {', '.join(METHODS)}")
    if len(dict.fromkeys(members)) < 2:
        raise UsageError("a consensus needs two rows of the board or more")
    named = named_scorers(scorers)
    found = [find_row(member, Path(runs), benchmark)[0] for member in members]
    rows = common_rows([result.predictions() for result in found], [str(result.path) for result in found])
    called = name or ", ".join(dict.fromkeys(members))
    written = []
    for method in methods:
        score, about = _score(method, members, rows, benchmark, learn_from, Path(runs))
        title = f"{WORDS[method]} of {called}"
        check_name(title, "the consensus")
        predictions = consensus.in_order(rows[0], score, found[0].predictions().id)
        model = {
            "name": title,
            "kind": FOLDER,
            "method": method,
            "members": [{"name": member, "predictions": result.data["predictions"]["sha256"]}
                        for member, result in zip(members, found, strict=True)],
            **about,
        }  # fmt: skip
        entry = {key: found[0].benchmark.get(key) for key in ("name", "hash", "path", "split", "sources")}
        path = write_result(
            Path(runs) / FOLDER / folder_name(title) / "results" / str(entry["name"]),
            model=model,
            predictions=predictions,
            benchmark=entry,
            command=command_line(),
            overlap={"verdict": _overlap(found)},
            scorers=with_defaults(named, predictions, None, calibrated=False),
        )
        written.append(load_result(path))
    return written


def _score(
    method: Method,
    members: Sequence[str],
    rows: Sequence[Predictions],
    benchmark: str,
    learn_from: str | None,
    runs: Path,
) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """(N,) scores by the first truth, NaN where the row has none; and their description in the result."""
    truth = _truth(rows[0])
    filled = consensus.completed(rows, truth)
    if method == "stack":
        values, about = _stacked(members, filled, truth, benchmark, learn_from, runs)
    else:
        where = consensus.unit_of(filled[0], truth)
        combine = consensus.mean_rank if method == "rank" else consensus.mean_z
        values, about = combine([member.score for member in filled], where), {}
    place = {name: i for i, name in enumerate(filled[0].id.tolist())}
    at = np.array([place.get(name, -1) for name in rows[0].id.tolist()])
    missing = np.all([~np.isfinite(member.score) for member in rows], axis=0) | (at < 0)
    return np.where(missing, np.nan, values[at]), about


def _stacked(
    members: Sequence[str],
    filled: Sequence[Predictions],
    truth: Truth,
    benchmark: str,
    learn_from: str | None,
    runs: Path,
) -> tuple[NDArray[np.float64], dict[str, Any]]:
    if learn_from is None:
        return consensus.cross_validated(filled, truth), {"fitted_on": "other groups of the benchmark"}
    other = [find_row(member, runs, learn_from)[0] for member in members]
    tables = common_rows([result.predictions() for result in other], [str(result.path) for result in other])
    learnt = consensus.completed(tables, truth)
    check_apart(learnt[0], filled[0], learn_from, benchmark)
    wanted = consensus.targets_of(learnt[0], truth)
    if not len(wanted) or (truth != "affinity" and len(np.unique(wanted)) < 2):
        raise AffinityZooError(
            f"the values of {truth} in {learn_from} are all equal, so no stacked model can be fitted"
        )
    fitted = consensus.stacker(truth).fit(consensus.features(learnt, truth), wanted)
    return consensus.stacked(fitted, consensus.features(filled, truth)), {"fitted_on": learn_from}


def check_apart(learnt: Predictions, judged: Predictions, learn_from: str, benchmark: str) -> None:
    """Refuse to fit a stacked model on rows that are judged, or on other rows of their groups.

    Args:
        learnt: Benchmark or index that the stacked model is fitted on.
        judged: Benchmark or index that is evaluated.
        learn_from: Name of the former.
        benchmark: Name of the latter.

    Raises:
        UsageError: ids or groups of the two benchmarks are the same.
    """
    for what, mine, theirs in (("pairs", learnt.id, judged.id), ("groups", learnt.group, judged.group)):
        same = np.intersect1d(mine[mine != ""], theirs)
        if len(same):
            raise UsageError(
                f"a stacked model fitted on {learn_from} would have seen {len(same)} {what} of {benchmark} (such as "
                f"{same[0]}): fit it on another benchmark, or cross-validate it"
            )


def _truth(rows: Predictions) -> Truth:
    found = present_truths(rows)
    if not found:
        raise AffinityZooError("the benchmark has no column of true values")
    return found[0]


def _overlap(members: Sequence[Result]) -> str:
    """Return the training data of all members."""
    said = []
    for member in members:
        if not member.is_baseline:
            verdict = str((member.data.get("overlap") or {}).get("verdict") or CANNOT_KNOW)
            said.append(f"{member.model.get('name')}: {verdict}")
    return "; ".join(dict.fromkeys(said)) or "none"
