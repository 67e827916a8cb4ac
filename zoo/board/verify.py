"""Verification of results: scores are taken by id, everything else is recomputed from the benchmark.

The seal of a result is a hash that anyone can make again. So where the index of a benchmark is at hand, truths,
groups, molecules, targets and sources come from it, and every figure and interval is computed again. What cannot be
known in principle: whether scores were made from the labels, and whether a training set is kept back.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from affinity_zoo.plugins.contracts import Predictions, Scorer
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.board import figure_cache
from affinity_zoo.zoo.board.overlap_stated import computed_overlap, shown_overlap
from affinity_zoo.zoo.board.results import Result, scorers_of
from affinity_zoo.zoo.board.standing import baseline_class
from affinity_zoo.zoo.board.truths import Truth, Truths, pairs_hash
from affinity_zoo.zoo.board.unseen import seen_rows, without_overlap
from affinity_zoo.zoo.judging import bootstrap
from affinity_zoo.zoo.judging.judge import Metric, default_scorers, judge, metric_key
from affinity_zoo.zoo.judging.predictions import labels_hash

SAMPLE = 64  #: pairs on which an ordinary board measures a baseline again
CLOSE = 1e-6  #: relative difference from which a stated figure is not the computed one
CLOSE_ENDS = 1e-4  #: the same of an interval's ends


def believed(result: Result, truths: Truths, thorough: bool = False) -> Result:
    """Recompute everything of a result except its scores.

    Args:
        result: as read, its seal checked.
        truths: truths of the available benchmarks.
        thorough: compute again what was computed before on this machine; measure baselines on all pairs, those that
            learn too.

    Returns:
        The result with computed figures; ``result.verified`` says whether the benchmark was available.

    Raises:
        AffinityZooError: something that it states is not so.
    """
    truth = truths.of(result)
    if truth is not None:
        result = replace(result, pairs=truth.pairs)
    rows = result.predictions()
    listed = rows.id
    _check_count(result, rows)
    if truth is not None:
        rows = _checked(result, truth, rows, thorough)
    else:
        result = replace(result, data=_own_labels(result, rows, truths), pairs_hash=pairs_hash(rows))
        if not thorough:
            return result
    unscored = int((~np.isfinite(rows.score)).sum())
    metrics = _figures(result, rows, thorough)
    _same_figures(result, metrics, intervals=np.array_equal(rows.id, listed))
    benchmark = {**result.benchmark, "rows": len(rows)}
    if truth is not None:
        benchmark |= {"name": truth.name, "labels_hash": truth.labels_hash}
    data = {**result.data, "n_unscored": unscored, "benchmark": benchmark}
    unseen = None
    if not result.is_baseline:
        computed = computed_overlap(result, truth, thorough)
        verdict = shown_overlap(result, computed)
        data["overlap"] = {**(result.data.get("overlap") or {}), "verdict": verdict}
        unseen = without_overlap(
            rows, seen_rows(rows, computed), _scorers(result, rows), result.training_mean
        )
    judged = truth.judged if truth is not None else None
    return replace(
        result,
        data=data,
        metrics=metrics,
        unseen=unseen,
        judged=judged,
        verified=truth is not None,
        pairs_hash=pairs_hash(rows),
    )


def _own_labels(result: Result, rows: Predictions, truths: Truths) -> dict[str, Any]:
    """Without the index: return the hash of the labels in a result, and the benchmark's name for it."""
    labels = labels_hash(rows)
    known = truths.benchmarks.get((str(result.benchmark["hash"]), labels))
    name = known.name if known is not None else result.benchmark["name"]
    data = {**result.data, "benchmark": {**result.benchmark, "labels_hash": labels, "name": name}}
    if not result.is_baseline and result.data.get("overlap"):
        data["overlap"] = {**result.data["overlap"], "verdict": shown_overlap(result, {})}
    return data


def _checked(result: Result, truth: Truth, rows: Predictions, thorough: bool) -> Predictions:
    """The scores on the benchmark's pairs."""
    try:
        judged = truth.judged(rows)
    except AffinityZooError as error:
        raise AffinityZooError(f"{result.path}: {error}; its scores belong to another benchmark") from error
    if result.is_baseline:
        _check_baseline(result, truth, judged, thorough)
    else:
        check_name(str(result.model.get("name")), str(result.path))
    return judged


def check_name(name: str, where: str) -> None:
    """Refuse a model that is called like a baseline.

    Args:
        name: of the model.
        where: for the message.

    Raises:
        AffinityZooError: it is the name of a baseline.
    """
    from affinity_zoo.zoo.catalog.registry import catalog

    if name in catalog().names("baseline"):
        raise AffinityZooError(f"{where}: {name!r} is the name of a baseline; give the scores another name")


def _check_baseline(result: Result, truth: Truth, judged: Predictions, thorough: bool) -> None:
    """Recompute a baseline; by default on some pairs, and only if it scores pairs one by one."""
    from affinity_zoo.zoo.baselines.run import run_baselines

    cls = baseline_class(result)
    if cls is None:
        raise AffinityZooError(
            f"{result.path}: the baseline {result.model.get('baseline') or result.model.get('name')!r} is "
            "not installed, "
            "so it cannot be recomputed; install its plugin"
        )
    if truth.dataset is None:
        raise AffinityZooError(
            f"{result.path}: the structures of {truth.name} are not available, so a baseline cannot be recomputed"
        )
    options = dict(result.model.get("options") or {})
    try:
        baseline = cls(**options)
    except (TypeError, ValueError) as error:
        raise AffinityZooError(
            f"{result.path}: the baseline {cls.name} has no such options: {error}"
        ) from error
    together = type(baseline).measure_all is not _alone()
    if together and not thorough:
        return
    rows = np.arange(len(judged))
    if not thorough and len(rows) > SAMPLE:
        rows = np.unique(np.linspace(0, len(rows) - 1, SAMPLE).astype(np.int64))
    try:
        again = run_baselines(truth.dataset, truth.rows[rows], [baseline])[baseline.name]
    except AffinityZooError as error:
        raise AffinityZooError(f"{result.path}: the baseline cannot be recomputed: {error}") from error
    if not np.allclose(again, judged.score[rows], rtol=1e-4, atol=1e-4, equal_nan=True):
        raise AffinityZooError(
            f"{result.path}: these are not the scores of the baseline {cls.name} on {truth.name}"
        )


def _alone() -> Any:
    from affinity_zoo.plugins.contracts import Baseline

    return Baseline.measure_all


def _figures(result: Result, rows: Predictions, thorough: bool) -> dict[str, Metric]:
    """Return the metrics of the board and further metrics of the result, with intervals."""
    chosen = _scorers(result, rows)
    key = figure_cache.key_of(rows, chosen, result.training_mean)
    if not thorough and (kept := figure_cache.read(key)) is not None:
        return kept
    metrics = judge(rows, chosen, training_mean=result.training_mean)
    figure_cache.write(key, metrics)
    return metrics


def _scorers(result: Result, rows: Predictions) -> list[Scorer]:
    stated = scorers_of(result)
    thresholds = (scorer.options().get("threshold") for scorer in stated.values())
    threshold = next((float(value) for value in thresholds if isinstance(value, int | float)), None)
    standing = default_scorers(rows, threshold, calibrated=result.kind == "model")
    keys = {metric_key(scorer) for scorer in standing}
    return [*standing, *(scorer for key, scorer in stated.items() if key not in keys)]


def _check_count(result: Result, rows: Predictions) -> None:
    stated, unscored = int(result.data.get("n_unscored") or 0), int((~np.isfinite(rows.score)).sum())
    if stated != unscored:
        raise AffinityZooError(
            f"{result.path} states {stated} pairs without a score, but {unscored} of them have none; run evaluate again"
        )


def _same_figures(result: Result, computed: dict[str, Metric], intervals: bool) -> None:
    """Compare the figures of a result with computed ones; in another order of rows the bootstrap draws other groups."""
    for key, stated in result.metrics.items():
        found = computed.get(key)
        if found is None:
            continue
        if not _close(stated.value, found.value, CLOSE):
            raise AffinityZooError(
                f"{result.path}: {key} is stated as {stated.value:.6g} but is {found.value:.6g} when "
                "computed from its scores; "
                "run evaluate again"
            )
        made = stated.interval
        standard = (made.get("replicates"), made.get("seed")) == (bootstrap.REPLICATES, 0)
        ends: Sequence[tuple[float, float]] = ((stated.low, found.low), (stated.high, found.high))
        width = abs(found.high - found.low)
        if intervals and standard and not all(_close(a, b, CLOSE_ENDS, width) for a, b in ends):
            raise AffinityZooError(
                f"{result.path}: the interval of {key} is stated as [{stated.low:.4g}, {stated.high:.4g}] but is "
                f"[{found.low:.4g}, {found.high:.4g}] when computed from its scores; run evaluate again"
            )


def _close(a: float, b: float, relative: float, scale: float = 0.0) -> bool:
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return math.isclose(a, b, rel_tol=relative, abs_tol=max(1e-12, relative * scale))
