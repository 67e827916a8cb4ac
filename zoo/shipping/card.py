"""The card of a shipped model: its metrics on every benchmark beside all baselines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from affinity_zoo.plugins.contracts import Scorer
from affinity_zoo.zoo.board.comparison import MetricDifference, compare
from affinity_zoo.zoo.board.results import Result
from affinity_zoo.zoo.board.standing import is_rival
from affinity_zoo.zoo.judging.judge import plain
from affinity_zoo.zoo.models.candidates import recipe_hash
from affinity_zoo.zoo.models.loading import read_card, read_model_recipe
from affinity_zoo.zoo.models.run_folder import RunFolder
from affinity_zoo.zoo.shipping.notes import Notes

FIGURES = 4  #: number of metrics per benchmark on the card, in the order of a leaderboard


def make_card(
    name: str,
    chosen: RunFolder,
    notes: Notes,
    headline: str,
    seeds: list[dict[str, Any]],
    entries: list[dict[str, Any]],
) -> dict[str, Any]:
    """Return the card: that of the training, with figures, limits, licences and commands.

    Args:
        name: Name of the model.
        chosen: Run and epoch whose model is shipped.
        notes: Notes on the model.
        headline: First lines of the card.
        seeds: Validation score of each run.
        entries: What the card says of each benchmark.
    """
    card, recipe = dict(read_card(chosen.model)), read_model_recipe(chosen.model)
    data = recipe.data
    return {
        **card,
        "name": name,
        "headline": headline,
        "about": notes.about,
        "trained_on": {
            "name": data.name,
            "source": notes.data_source,
            "licence": notes.data_licence,
            "content_hash": data.content_hash,
            "ids_hash": data.ids_hash,
            "poses": data.n_train,
            # a label mixed with a teacher's probability is neither positive nor negative
            **(
                {"teachers": ", ".join(recipe.training.teachers)}
                if recipe.training.teachers
                else {"positive": data.n_positive}
            ),
            "validation_poses": data.n_validation,
            "sources": ", ".join(recipe.training.sources),
        },
        **({"views": notes.views} if notes.views else {}),
        "recipe_hash": recipe_hash(recipe),
        "hardware": notes.hardware or card.get("device", ""),
        "seeds": seeds,
        "results": entries,
        "licence": notes.licence,
        "limits": list(notes.limits),
        "cite": list(notes.cite),
        "commands": list(notes.commands),
    }


def benchmark_entry(
    name: str,
    result: Result,
    rivals: Sequence[Result],
    differences: dict[str, MetricDifference],
    twins: Sequence[Result],
) -> dict[str, Any]:
    """Return the card's entry of one benchmark.

    Args:
        name: Name of the model.
        result: The model, judged on one benchmark.
        rivals: Results of the baselines.
        differences: Difference from each baseline.
        twins: Results of the other seeds.
    """
    shown = [key for key, metric in result.metrics.items() if math.isfinite(metric.value)]
    shown = [key for i, key in enumerate(shown) if i < FIGURES or type(_scorer(result, key)).on_cards]
    overlap = result.data.get("overlap") or {}
    return _rounded(
        {
            "benchmark": result.benchmark["name"],
            "hash": result.benchmark["hash"],
            "labels_hash": result.benchmark["labels_hash"],
            "pairs": result.benchmark["rows"],
            "views": result.data["views"],
            "overlap": overlap.get("verdict", "cannot know"),
            "name": name,
            "metrics": {key: _figure(result, key) for key in shown},
            "seeds": {
                key: [value_of(result, key), *(value_of(twin, key) for twin in twins)] for key in shown[:2]
            },
            "others": [
                {"name": str(r.model["name"]), "metrics": {k: _figure(r, k) for k in shown if k in r.metrics}}
                for r in sorted(rivals, key=lambda r: str(r.model["name"]))
            ],
            "verdicts": [_verdict(name, other, difference) for other, difference in differences.items()],
        }
    )


def differences_of(
    result: Result, rivals: Sequence[Result], replicates: int, place: int = 0
) -> dict[str, MetricDifference]:
    """The model against each baseline by the benchmark's first figure, or by that of another place.

    Args:
        result: The model, judged on one benchmark.
        rivals: Results of the baselines.
        replicates: Number of bootstrap replicates.
        place: Position of the metric on the board, from 0.
    """
    finite = [key for key, metric in result.metrics.items() if math.isfinite(metric.value)]
    first = finite[place] if place < len(finite) else ""
    made = {}
    for rival in rivals:
        name = str(rival.model["name"])
        if not is_rival(rival) or not math.isfinite(value_of(rival, first)):
            continue
        scorers = [_scorer(result, first)]
        found = [
            d
            for d in compare(result, rival, scorers=scorers, replicates=replicates).differences
            if d.metric == first
        ]
        if found:
            made[name] = found[0]
    return made


def same_benchmark(one: Result, other: Result) -> bool:
    """Whether two results are of one benchmark with the same labels.

    Args:
        one: First result.
        other: Second result.
    """
    return all(one.benchmark.get(key) == other.benchmark.get(key) for key in ("hash", "labels_hash"))


def value_of(result: Result, key: str) -> float:
    """Return a metric of a result; NaN if missing.

    Args:
        result: The model, judged on one benchmark.
        key: Key of a metric in the result file.
    """
    return result.metrics[key].value if key in result.metrics else math.nan


def _scorer(result: Result, key: str) -> Scorer:
    from affinity_zoo.zoo.catalog.registry import catalog

    metric = result.metrics[key]
    scorer: Scorer = catalog().create("scorer", metric.name, metric.options)
    return scorer


def _verdict(name: str, other: str, difference: MetricDifference) -> str:
    size = f"{difference.difference:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]"
    said = {"a": f"{name} is better than", "b": f"{name} loses against", "": f"{name} is not told apart from"}
    return f"{difference.metric}: {said[difference.winner]} {other}, {size}"


def _figure(result: Result, key: str) -> dict[str, Any]:
    metric = result.metrics[key]
    return {
        "value": metric.value, "low": metric.low, "high": metric.high,
        "unit": metric.unit, "direction": metric.direction,
    }  # fmt: skip


def _rounded(value: Any) -> Any:
    """Convert to JSON's types; round numbers to six significant digits."""
    value = plain(value)
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value
