"""Is one model better than another on the same rows: a paired bootstrap, answered in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from affinity_zoo.plugins.contracts import Predictions, Scorer, Truth
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.plugins.names import nearest
from affinity_zoo.zoo import bootstrap
from affinity_zoo.zoo.leaderboard import find_results
from affinity_zoo.zoo.predictions import known_rows, labels_hash, take
from affinity_zoo.zoo.results import Result, load_result
from affinity_zoo.zoo.scorers.judge import default_scorers, metric_key, plain, truth_of


@dataclass(frozen=True)
class Difference:
    """One figure of both models and what lies between them."""

    metric: str
    unit: str
    direction: str
    a: float
    b: float
    difference: float  #: a - b
    low: float  #: 95 % interval of the difference
    high: float
    over: str  #: what was drawn
    drawn: int
    verdict: str  #: a sentence

    @property
    def winner(self) -> str:
        """``a``, ``b`` or empty: neither."""
        if not (self.low > 0.0 or self.high < 0.0):
            return ""
        return "a" if (self.difference > 0.0) == (self.direction == "higher") else "b"


@dataclass(frozen=True)
class Comparison:
    """Two results on one benchmark."""

    a: str
    b: str
    benchmark: str
    rows: int  #: rows that both have scored
    only_a: int  #: rows that only one of them has
    only_b: int
    differences: list[Difference]

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return plain(asdict(self))


def find_pair(a: str, b: str, root: Path, benchmark: str | None = None) -> tuple[Result, Result]:
    """Find the results of two models on one benchmark.

    Args:
        a, b: each a run's number below ``root``, a folder, a result file, or the name of a row (a baseline).
        root: the summaries folder.
        benchmark: name; needed where both have results on several.

    Raises:
        AffinityZooError: nothing is found, or they have no benchmark or several in common.
    """
    found = [_candidates(what, root) for what in (a, b)]
    names = [set(results) for results in found]
    common = sorted(names[0] & names[1])
    if benchmark is not None:
        common = [key for key in common if key[0] == benchmark or key[1].startswith(benchmark)]
    if not common:
        have = "; ".join(
            f"{w} on {', '.join(sorted(n for n, _ in s)) or 'nothing'}"
            for w, s in zip((a, b), names, strict=True)
        )
        raise AffinityZooError(f"the two have no {'such ' if benchmark else ''}benchmark in common: {have}")
    if len(common) > 1:
        several = ", ".join(name for name, _ in common)
        raise AffinityZooError(f"both have results on {several}: choose one with --benchmark")
    return found[0][common[0]], found[1][common[0]]


def compare(
    a: Result,
    b: Result,
    *,
    scorers: Sequence[Scorer] | None = None,
    replicates: int = bootstrap.REPLICATES,
    seed: int = 0,
) -> Comparison:
    """Compare two results on the rows that both have, groups drawn alike for both.

    Args:
        a, b: results on the same benchmark.
        scorers: None: those that fit the truths; what needs a calibrated score only where both are models.
        replicates, seed: of the bootstrap.

    Raises:
        AffinityZooError: they share no row, or disagree on what is true.
    """
    all_a, all_b = a.predictions(), b.predictions()
    _, in_a, in_b = np.intersect1d(all_a.id, all_b.id, return_indices=True)
    one, two = take(all_a, in_a), take(all_b, in_b)
    if not len(one):
        raise AffinityZooError(f"{a.path} and {b.path} have no pair in common")
    if labels_hash(one) != labels_hash(two):
        raise AffinityZooError(
            f"{a.path} and {b.path} disagree on what is true: they are not of one benchmark"
        )
    both = ~(np.isnan(one.score) | np.isnan(two.score))
    one, two = take(one, np.flatnonzero(both)), take(two, np.flatnonzero(both))
    calibrated = not (a.is_baseline or b.is_baseline)
    chosen = default_scorers(one, calibrated=calibrated) if scorers is None else list(scorers)
    threshold = [m.metrics["confusion"].options if "confusion" in m.metrics else {} for m in (a, b)]
    names = _names(a, b)
    differences = []
    for scorer in chosen:
        pair = [_with_threshold(scorer, options) for options in threshold]
        found = _difference(pair, one, two, names, replicates, seed)
        if found is not None:
            differences.append(found)
    missing = len(all_a) - len(one), len(all_b) - len(two)
    return Comparison(*names, str(a.benchmark.get("name", "")), len(one), *missing, differences)


def _difference(
    scorers: Sequence[Scorer],
    one: Predictions,
    two: Predictions,
    names: tuple[str, str],
    replicates: int,
    seed: int,
) -> Difference | None:
    scorer = scorers[0]
    truth: Truth | None = truth_of(scorer, one)
    if truth is None:
        return None
    known = np.flatnonzero(known_rows(one, truth))
    one, two = take(one, known), take(two, known)
    values = [s.score(rows, truth).value for s, rows in zip(scorers, (one, two), strict=True)]
    if not all(math.isfinite(value) for value in values):
        return None
    draws = bootstrap.resampling(one, replicates, seed)
    both = [
        bootstrap.replicate_values(s, rows, truth, draws) for s, rows in zip(scorers, (one, two), strict=True)
    ]
    spread = bootstrap.interval_of(both[0] - both[1], draws)
    difference = values[0] - values[1]
    low, high = spread.low, spread.high
    key, unit = metric_key(scorer), "" if scorer.unit in ("%", "fraction") else f" {scorer.unit}"
    scale = "%" if scorer.unit == "%" else ""
    size = f"{abs(difference):.3g}{scale or unit}, 95 % [{low:.3g}, {high:.3g}]"
    if low > 0.0 or high < 0.0:
        better = (difference > 0.0) == (scorer.direction == "higher")
        verdict = f"{names[0] if better else names[1]} is better ({size})"
    else:
        verdict = f"no difference is shown ({size})"
    return Difference(
        key,
        scorer.unit,
        scorer.direction,
        values[0],
        values[1],
        difference,
        low,
        high,
        spread.over,
        spread.drawn,
        verdict,
    )


def _with_threshold(scorer: Scorer, options: dict[str, Any]) -> Scorer:
    """The confusion matrix of each model is taken at that model's own threshold."""
    if scorer.name != "confusion" or "threshold" not in options:
        return scorer
    return type(scorer)(**options)


def _names(a: Result, b: Result) -> tuple[str, str]:
    one, two = str(a.model.get("name")), str(b.model.get("name"))
    return (one, two) if one != two else (f"{one} (A)", f"{two} (B)")


def _candidates(what: str, root: Path) -> dict[tuple[str, str], Result]:
    path = Path(what)
    if what.isdigit() and (root / f"{what}_logs").is_dir():
        places = find_results([root / f"{what}_logs"])
    elif path.exists():
        places = find_results([path])
    elif root.exists():
        places = find_results([root])
    else:
        raise AffinityZooError(
            f"{what} is no run, folder or row, and {root} does not exist: train and evaluate first"
        )
    named = not what.isdigit() and not path.exists()
    results = [load_result(place) for place in places]
    known = sorted({str(r.model.get("name")) for r in results})
    results = [r for r in results if not named or r.model.get("name") == what]
    if not results:
        hint = nearest(what, known) if named else ""
        raise AffinityZooError(
            f"no result of {what!r} was found in {root}{hint}; `affinity-zoo leaderboard` lists the rows"
        )
    return {(str(r.benchmark.get("name")), str(r.benchmark.get("hash"))): r for r in results}
