"""Comparison of two models on the same rows by a paired bootstrap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Predictions, Scorer, Truth
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.plugins.names import nearest
from affinity_zoo.zoo.board.common_rows import common_rows
from affinity_zoo.zoo.board.leaderboard import find_results
from affinity_zoo.zoo.board.results import Result, load_result
from affinity_zoo.zoo.board.rows import merge_seeds, row_name
from affinity_zoo.zoo.board.truths import Truths
from affinity_zoo.zoo.board.verify import believed
from affinity_zoo.zoo.judging import bootstrap
from affinity_zoo.zoo.judging.judge import default_scorers, metric_key, plain, truth_of, with_threshold
from affinity_zoo.zoo.judging.missing import complete


@dataclass(frozen=True)
class MetricDifference:
    """One metric of both models, and their difference."""

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
        """The better model, ``a`` or ``b``; empty: not distinguishable."""
        if not (self.low > 0.0 or self.high < 0.0):
            return ""
        return "a" if (self.difference > 0.0) == (self.direction == "higher") else "b"


@dataclass(frozen=True)
class Comparison:
    """Two results on one benchmark."""

    a: str
    b: str
    benchmark: str
    rows: int  #: rows that are compared
    unscored_a: int  #: rows without a score of a (of several trainings the most): they count against it
    unscored_b: int
    differences: list[MetricDifference]

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return plain(asdict(self))


def find_pair(a: str, b: str, root: Path, benchmark: str | None = None) -> tuple[list[Result], list[Result]]:
    """Find the results of two models on one benchmark.

    Args:
        a, b: each a run's number below ``root``, a folder, a result file, or the name of a row of the board (a
            baseline, or several trainings of one recipe).
        root: the summaries folder.
        benchmark: name; needed where both have results on several.

    Returns:
        The results of each: one, or one for each training.

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
        raise AffinityZooError(
            f"the two models have no {'such ' if benchmark else ''}benchmark in common: {have}; "
            "`affinity-zoo evaluate MODEL BENCHMARK` evaluates a model on a benchmark"
        )
    if len(common) > 1:
        several = ", ".join(name for name, _ in common)
        raise AffinityZooError(f"both have results on {several}: choose one with `benchmark`")
    return found[0][common[0]], found[1][common[0]]


def find_row(what: str, root: Path, benchmark: str) -> list[Result]:
    """Find the results of a row on a benchmark.

    Args:
        what: as for :func:`find_pair`.
        root: the summaries folder.
        benchmark: its name, or the start of its hash.

    Raises:
        AffinityZooError: there is none; the message says on what it has results.
    """
    found = _candidates(what, root)
    for (name, content), results in sorted(found.items()):
        if name == benchmark or content.startswith(benchmark):
            return results
    have = ", ".join(sorted(name for name, _ in found)) or "nothing"
    raise AffinityZooError(f"{what} has no result on {benchmark!r}; it has results on {have}")


def compare(
    a: Result | Sequence[Result],
    b: Result | Sequence[Result],
    *,
    scorers: Sequence[Scorer] | None = None,
    replicates: int = bootstrap.REPLICATES,
    seed: int = 0,
) -> Comparison:
    """Compare two models on all rows of a benchmark, with the same bootstrap draws for both.

    A missing score counts against its model (:mod:`~affinity_zoo.zoo.judging.missing`).

    Args:
        a, b: results on the same benchmark; of several trainings of one recipe the mean figure is compared, and the
            trainings are drawn too, so that the interval knows how much they differ.
        scorers: None: those that fit the truths; what needs a calibrated score only where both are models.
        replicates, seed: of the bootstrap.

    Raises:
        AffinityZooError: they share no row, or have different true values.
    """
    sides = [[side] if isinstance(side, Result) else list(side) for side in (a, b)]
    members = [*sides[0], *sides[1]]
    everything = [member.predictions() for member in members]
    tables = common_rows(everything, [str(member.path) for member in members])
    calibrated = not any(member.is_baseline for member in members)
    chosen = _fitting(tables, calibrated) if scorers is None else list(scorers)
    names = _names(*sides)
    split = len(sides[0])
    differences = []
    for scorer in chosen:
        judges = [_with_threshold(scorer, member) for member in members]
        means = [member.training_mean for member in members]
        found = _difference(judges, tables, split, names, replicates, seed, means)
        if found is not None:
            differences.append(found)
    unscored = [int((~np.isfinite(table.score)).sum()) for table in tables]
    benchmark = str(members[0].benchmark.get("name", ""))
    return Comparison(
        *names, benchmark, len(tables[0]), max(unscored[:split]), max(unscored[split:]), differences
    )


def _fitting(tables: Sequence[Predictions], calibrated: bool) -> list[Scorer]:
    """Return the scorers that fit all members."""
    each = [default_scorers(table, calibrated=calibrated) for table in tables]
    common = set.intersection(*({metric_key(s) for s in found} for found in each))
    return [scorer for scorer in each[0] if metric_key(scorer) in common]


def compare_predictions(
    a: Predictions,
    b: Predictions,
    scorer: Scorer,
    names: tuple[str, str] = ("a", "b"),
    replicates: int = bootstrap.REPLICATES,
    seed: int = 0,
) -> MetricDifference | None:
    """Compare two tables of the same rows by one scorer; None where it has no value for one of them.

    Args:
        a: First model.
        b: Second model.
        scorer: Computes the figure that is compared.
        names: Names of both models.
        replicates: Number of bootstrap replicates.
        seed: Seed of the bootstrap.
    """
    return _difference([scorer, scorer], [a, b], 1, names, replicates, seed)


def _difference(
    scorers: Sequence[Scorer],
    tables: Sequence[Predictions],
    split: int,
    names: tuple[str, str],
    replicates: int,
    seed: int,
    training_means: Sequence[float | None] = (),
) -> MetricDifference | None:
    """Compare one metric; the first ``split`` tables belong to a, the others to b."""
    scorer = scorers[0]
    truth: Truth | None = truth_of(scorer, tables[0])
    if truth is None:
        return None
    means = training_means or [None] * len(tables)
    rows_of = (complete(table, truth, mean) for table, mean in zip(tables, means, strict=True))
    judged = [(s, rows) for s, (rows, missing) in zip(scorers, rows_of, strict=True) if missing < len(rows)]
    if len(judged) < len(tables):
        return None
    values = np.array([s.score(rows, truth).value for s, rows in judged])
    if not np.isfinite(values).all():
        return None
    draws = bootstrap.resampling(judged[0][1], replicates, seed)
    drawn = np.array([bootstrap.replicate_values(s, rows, truth, draws) for s, rows in judged])
    rng = np.random.Generator(np.random.Philox(seed + 1))
    spread = bootstrap.interval_of(
        _mean_of_drawn(drawn[:split], rng) - _mean_of_drawn(drawn[split:], rng), draws
    )
    mean_a, mean_b = float(values[:split].mean()), float(values[split:].mean())
    difference, low, high = mean_a - mean_b, spread.low, spread.high
    unit = "%" if scorer.unit == "%" else "" if scorer.unit == "fraction" else f" {scorer.unit}"
    shown = low > 0.0 or high < 0.0
    # a shown difference is stated by its size, whatever its sign; else a - b
    size, ends = (abs(difference), sorted((abs(low), abs(high)))) if shown else (difference, [low, high])
    figures = f"({size:.3g}{unit}, 95 % [{ends[0]:.3g}, {ends[1]:.3g}])"
    if shown:
        better = (difference > 0.0) == (scorer.direction == "higher")
        verdict = f"{names[0] if better else names[1]} is better {figures}"
    else:
        verdict = f"no difference is shown {figures}"
    several = [n for n in (split, len(tables) - split) if n > 1]
    over = spread.over + (f", and {' and '.join(map(str, several))} trainings" if several else "")
    return MetricDifference(
        metric_key(scorer), scorer.unit, scorer.direction, mean_a, mean_b, difference, low, high,
        over, spread.drawn, verdict,
    )  # fmt: skip


def _mean_of_drawn(values: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """(trainings, B) to (B,): in each replicate the mean over trainings drawn with replacement."""
    if len(values) == 1:
        return values[0]
    chosen = rng.integers(0, len(values), values.shape)
    return np.take_along_axis(values, chosen, axis=0).mean(axis=0)


def _with_threshold(scorer: Scorer, member: Result) -> Scorer:
    """A scorer with a threshold judges each model at that model's own."""
    metric = member.metrics.get(metric_key(scorer))
    return with_threshold(scorer, metric.options.get("threshold") if metric is not None else None)


def _names(a: Sequence[Result], b: Sequence[Result]) -> tuple[str, str]:
    one, two = row_name(a), row_name(b)
    return (one, two) if one != two else (f"{one} (A)", f"{two} (B)")


def _candidates(what: str, root: Path) -> dict[tuple[str, str], list[Result]]:
    path = Path(what)
    if what.isdigit() and (root / f"{what}_logs").is_dir():
        places = find_results([root / f"{what}_logs"])
    elif path.exists():
        places = find_results([path])
    elif root.exists():
        places = find_results([root])
    else:
        raise AffinityZooError(
            f"{what} is not a run, folder or row, and {root} does not exist: train and evaluate a model first"
        )
    named = not what.isdigit() and not path.exists()
    found: dict[tuple[str, str], list[Result]] = {}
    truths = Truths.beside([root, *places])
    for place in places:
        result = believed(load_result(place), truths)
        found.setdefault((str(result.benchmark.get("name")), str(result.benchmark.get("hash"))), []).append(
            result
        )
    if not named:
        return {key: results[-1:] for key, results in found.items()}
    chosen = {key: _named(what, results) for key, results in found.items()}
    chosen = {key: results for key, results in chosen.items() if results}
    if not chosen:
        known = {r.model.get("name") for results in found.values() for r in results}
        known |= {row.name for results in found.values() for row in merge_seeds(results)}
        raise AffinityZooError(
            f"there is no result of {what!r} in {root}{nearest(what, sorted(map(str, known)))}; "
            "`affinity-zoo leaderboard` lists the rows"
        )
    return chosen


def _named(what: str, results: Sequence[Result]) -> list[Result]:
    """The results of the row of this name, or of the one model of this name."""
    rows = [row.results for row in merge_seeds(results) if row.name == what]
    return rows[0] if rows else [r for r in results if r.model.get("name") == what][:1]
