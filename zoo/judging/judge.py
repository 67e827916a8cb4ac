"""Evaluation of predictions by several scorers, each with its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, cast

import numpy as np

from affinity_zoo.plugins.contracts import Predictions, Score, Scorer, Truth
from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.judging import bootstrap
from affinity_zoo.zoo.judging.missing import complete
from affinity_zoo.zoo.judging.outputs import PREFERENCE, fits_scale
from affinity_zoo.zoo.judging.predictions import censored
from affinity_zoo.zoo.runtime import memory
from affinity_zoo.zoo.scorers.base import MeanOverUnits
from affinity_zoo.zoo.scorers.units import units

MANY = 100_000  #: rows whose temporary arrays are given back to the system after each scorer

Choice = tuple[type[Scorer], Mapping[str, Any]]  #: a scorer's class and the options of one column


@dataclass(frozen=True)
class Metric:
    """One metric of a result."""

    name: str  #: the scorer
    value: float
    low: float  #: 95 % interval
    high: float
    unit: str
    direction: str
    truth: str
    rows: int  #: number of evaluated rows
    missing: int = 0  #: number of rows without a score; they rank last (affinity: the training mean)
    n: int = 0  #: number of units that the metric is averaged over, for example complexes
    of: int = 0  #: number of all such units
    what: str = "pairs"
    options: dict[str, Any] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    interval: dict[str, Any] = field(default_factory=dict)  #: method of the interval
    seconds: float = 0.0

    @property
    def counted(self) -> str:
        """Number of units in words: ``314 of 388 complexes``, ``all 388 complexes``."""
        if not self.of:
            return ""
        return (
            f"all {self.of:,} {self.what}" if self.n == self.of else f"{self.n:,} of {self.of:,} {self.what}"
        )

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return plain(asdict(self))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Metric:
        """Make a metric from the result of :meth:`as_dict`.

        Args:
            data: Fields of the metric.
        """
        numbers = {
            key: math.nan if data[key] is None else float(data[key]) for key in ("value", "low", "high")
        }
        return cls(**{**data, **numbers})


def plain(value: Any) -> Any:
    """Convert a value to JSON's types: NumPy numbers become Python's, NaN becomes None.

    Args:
        value: Result of a scorer, with NumPy numbers and arrays in it.
    """
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def metric_key(scorer: Scorer) -> str:
    """Return the name of a scorer with its non-default options: ``enrichment(percent=5.0)``.

    Args:
        scorer: Computes the figure from scores and truths.
    """
    try:
        usual = type(scorer)().options()
    except TypeError:  # an option without default
        usual = {}
    changed = {k: v for k, v in scorer.options().items() if k not in usual or usual[k] != v}
    changed.pop("threshold", None)
    inside = ",".join(f"{key}={value}" for key, value in changed.items())
    return f"{scorer.name}({inside})" if inside else scorer.name


def present_truths(predictions: Predictions) -> list[Truth]:
    """Return the truths with a known value; a board leads with the first.

    Args:
        predictions: Predictions of N rows.
    """
    return [truth for truth in PREFERENCE if np.isfinite(getattr(predictions, truth)).any()]


def standing_scorers(truth: Truth) -> list[Choice]:
    """Return the columns of every board for a truth, in order, including scorers of plugins.

    Args:
        truth: Column of true values.
    """
    from affinity_zoo.zoo.catalog.registry import catalog

    found = [
        (place.order, entry.name, index, entry.cls, place.options)
        for entry in catalog().entries("scorer")
        if entry.cls is not None and entry.state == "loaded"
        for index, place in enumerate(cast(type[Scorer], entry.cls).on_boards)
        if place.truth == truth
    ]
    found.sort(key=lambda column: column[:3])
    return [(cast(type[Scorer], cls), options) for *_, cls, options in found]


def default_scorers(
    predictions: Predictions, threshold: float | None = None, calibrated: bool = True
) -> list[Scorer]:
    """Return the scorers that fit the truths of these rows.

    Args:
        predictions: the rows.
        threshold: threshold chosen on validation data, for scorers with this option; None: their default.
        calibrated: whether the score is a logit or pK; else scorers that need that are left out. They are left out
            too where no output of the model is on the truth's scale (a pose logit has no RMSE to a pK).
    """
    made: dict[str, Scorer] = {}
    for truth in present_truths(predictions):
        for cls, usual in standing_scorers(truth):
            if cls.calibrated and not (calibrated and fits_scale(predictions, truth)):
                continue
            if any(column not in predictions.extra for column in cls.columns):
                continue
            scorer = with_threshold(cls(**usual), threshold)
            made.setdefault(metric_key(scorer), scorer)
    return list(made.values())


def with_threshold(scorer: Scorer, threshold: float | None) -> Scorer:
    """Return a scorer with its threshold set, if it has this option; None leaves it unchanged.

    Args:
        scorer: Computes the figure from scores and truths.
        threshold: Threshold on the score; None: unchanged.
    """
    options = scorer.options()
    if threshold is None or "threshold" not in options:
        return scorer
    return type(scorer)(**{**options, "threshold": float(threshold)})


def truth_of(scorer: Scorer, predictions: Predictions) -> Truth | None:
    """Return the first truth that the scorer can use and the rows have; None: no such truth.

    Args:
        scorer: Computes the figure from scores and truths.
        predictions: Predictions of N rows.
    """
    return next((t for t in scorer.truths if np.isfinite(getattr(predictions, t)).any()), None)


def judge(
    predictions: Predictions,
    scorers: Sequence[Scorer] | None = None,
    *,
    threshold: float | None = None,
    replicates: int = bootstrap.REPLICATES,
    seed: int = 0,
    training_mean: float | None = None,
) -> dict[str, Metric]:
    """Evaluate predictions by each scorer, with a 95 % interval over groups.

    Args:
        predictions: all rows; rows without the truth are excluded, per truth. A missing score counts against the
            model (:mod:`~affinity_zoo.zoo.judging.missing`).
        scorers: None: :func:`default_scorers`.
        threshold: see :func:`default_scorers`.
        replicates: number of bootstrap replicates; 0: no intervals.
        seed: seed of the bootstrap.
        training_mean: mean pK of the pairs that the model was trained on; None: not known.

    Returns:
        Metrics by :func:`metric_key`, in the order of ``scorers``; those whose truth is missing are left out.
    """
    chosen = default_scorers(predictions, threshold) if scorers is None else list(scorers)
    truths = [truth_of(scorer, predictions) for scorer in chosen]
    found: dict[int, Metric] = {}
    # truth by truth: the rows and draws of one take hundreds of megabytes where rows are a million
    for truth in dict.fromkeys(truth for truth in truths if truth is not None):
        units.cache_clear()
        if len(predictions) > MANY:
            memory.collect()
        rows, missing = complete(predictions, truth, training_mean)
        draws = bootstrap.resampling(rows, replicates, seed) if replicates and len(rows) else None
        bounds = int(censored(predictions).sum()) if truth == "affinity" else 0
        for number, scorer in enumerate(chosen):
            if truths[number] == truth:
                metric = _judge_one(scorer, truth, rows, missing, draws, len(predictions))
                found[number] = _with_bounds(metric, bounds) if bounds else metric
                if len(rows) > MANY:
                    memory.give_back()
        del rows, draws
    units.cache_clear()
    metrics = {metric_key(chosen[number]): found[number] for number in sorted(found)}
    if scorers is not None and not metrics:
        wanted = sorted({truth for scorer in chosen for truth in scorer.truths})
        raise UsageError(f"these predictions have no true values: the scorers need {' or '.join(wanted)}")
    return metrics


def _with_bounds(metric: Metric, bounds: int) -> Metric:
    """Note the number of affinities that are bounds (``>``, ``<``) and were therefore excluded."""
    note = f"{bounds} affinities are bounds (< or >): left out"
    return replace(
        metric,
        details={**metric.details, "bounds_left_out": bounds},
        note="; ".join(part for part in (metric.note, note) if part),
    )


def _judge_one(
    scorer: Scorer,
    truth: Truth,
    rows: Predictions,
    missing: int,
    draws: bootstrap.Resampling | None,
    everything: int,
) -> Metric:
    import time

    started = time.perf_counter()
    about: dict[str, Any] = {
        "name": scorer.name,
        "unit": scorer.unit,
        "direction": scorer.direction,
        "truth": truth,
        "rows": len(rows),
        "missing": missing,
        "options": scorer.options(),
    }
    if missing == len(rows):
        return Metric(
            value=math.nan, low=math.nan, high=math.nan, note="undefined: no row has a score", **about
        )
    found = scorer.score(rows, truth)
    low = high = math.nan
    made: dict[str, Any] = {}
    if draws is not None and math.isfinite(found.value):
        spread = bootstrap.interval(scorer, rows, truth, draws)
        low, high, made = spread.low, spread.high, spread.as_dict()
        made.pop("low"), made.pop("high")
    seconds = round(time.perf_counter() - started, 3)
    note = "; ".join(part for part in (found.note, _missing_note(missing, len(rows), truth)) if part)
    return Metric(
        value=found.value, low=low, high=high, details=dict(found.details), note=note,
        interval=made, seconds=seconds, **_counted(scorer, truth, len(rows), everything, found), **about,
    )  # fmt: skip


def _counted(scorer: Scorer, truth: Truth, rows: int, everything: int, found: Score) -> dict[str, Any]:
    """Return the number and the name of the units of a metric."""
    if isinstance(scorer, MeanOverUnits) and "units" in found.details:
        used = int(found.details["units"])
        whole = used + int(found.details.get("left_out", 0))
        return {"n": used, "of": whole, "what": scorer.unit_name(truth)}
    return {"n": rows, "of": everything, "what": "pairs"}


def _missing_note(missing: int, rows: int, truth: Truth) -> str:
    """Note the number of missing scores and the value that replaces them."""
    if not missing:
        return ""
    what = "the mean" if truth == "affinity" else "last"
    return f"{missing:,} of {rows:,} pairs have no score: counted as {what}"
