"""Rows of a board: one model or baseline, with the mean of its trainings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.board.results import Result, origin_of
from affinity_zoo.zoo.board.standing import is_rival
from affinity_zoo.zoo.board.trainings import families, output_of
from affinity_zoo.zoo.judging.judge import Metric, plain


@dataclass(frozen=True, eq=False)
class BoardRow:
    """One model or baseline on one benchmark."""

    name: str
    featurizer: str
    architecture: str
    baseline: bool
    metrics: dict[str, Metric]
    results: list[Result]
    overlap: str = ""
    kind: str = "model"  #: model, baseline, external or consensus
    coverage: float = 1.0  #: share of the pairs that have a score; of several trainings the smallest
    notes: list[str] = field(default_factory=list)
    unseen: Metric | None = None  #: the board's first figure on the rows without overlap with the training


def merge_seeds(results: Sequence[Result]) -> list[BoardRow]:
    """One row for each model; trainings that differ in their seed only are one row, the mean of each figure.

    The interval is then the mean interval of the seeds, widened by half their spread on each side;
    ``details["seeds"]`` holds the single values.

    Args:
        results: Results of one benchmark; several may be trainings of one recipe.
    """
    return [_row(members) for members in families(results)]


def _row(members: list[Result]) -> BoardRow:
    first = members[0]
    metrics = (
        first.metrics
        if len(members) == 1
        else {
            key: _mean([m.metrics[key] for m in members])
            for key in first.metrics
            if all(key in m.metrics for m in members)
        }
    )
    notes = [f"{len(members)} trainings"] if len(members) > 1 else []
    failed = max(int(m.data.get("n_failed") or 0) for m in members)
    if failed:
        notes.append(f"{failed} inputs failed in indexing")
    training = first.data.get("training") or {}
    if training.get("epochs"):
        notes.append(f"{training['epochs']} epoch{'s' if training['epochs'] != 1 else ''}")
    if training.get("shuffled_labels"):
        notes.append("control: labels shuffled")
    notes += [f"added from {origin}" for origin in dict.fromkeys(map(origin_of, members)) if origin]
    model = first.model
    if model.get("note"):
        notes.append(str(model["note"]))
    return BoardRow(
        row_name(members), _featurizer(first) or _origin(first), str(model.get("architecture") or ""),
        first.is_baseline, metrics, members, _overlap(members),
        first.kind, min(_coverage(member) for member in members), notes, _unseen(members),
    )  # fmt: skip


def _unseen(members: Sequence[Result]) -> Metric | None:
    """The figure of a row on what its trainings have not seen; None: not known for one of them."""
    found = [member.unseen for member in members if member.unseen is not None]
    if len(found) < len(members):
        return None
    return found[0] if len(found) == 1 else _mean(found)


def _origin(result: Result) -> str:
    """Placeholder for the featurizer of a row whose scores come from elsewhere."""
    if result.kind == "external":
        program = str(result.model.get("program") or "")
        return f"external ({program})" if program else "external"
    if result.kind == "consensus":
        return "consensus"
    return ""


def _overlap(members: Sequence[Result]) -> str:
    """Return the overlap of the trainings of a row: the first that is not none."""
    said = [str((member.data.get("overlap") or {}).get("verdict", "")) for member in members]
    return next((words for words in said if not words.startswith("none")), said[0])


def _coverage(result: Result) -> float:
    """Share of the benchmark's pairs that a result has a score for."""
    rows = int(result.benchmark.get("rows") or 0)
    return 1.0 - int(result.data.get("n_unscored") or 0) / rows if rows else 1.0


def rivals_of(rows: Sequence[BoardRow]) -> list[BoardRow]:
    """The rows of baselines that models are compared with, in the order of the board.

    Args:
        rows: Best first, as on the board.
    """
    return [row for row in rows if row.baseline and is_rival(row.results[0])]


def row_name(members: Sequence[Result]) -> str:
    """Return the name of a row: the model's name, or for several trainings featurizer+architecture(options).

    Args:
        members: Results of the row.
    """
    model = members[0].model
    changed = _changed_options(
        str(model.get("architecture") or ""), dict(model.get("architecture_options") or {})
    )
    combination = f"{_featurizer(members[0])}+{model.get('architecture', '')}{changed}"
    if output := output_of(members[0]):
        combination += f" by {output}"
    return combination if len(members) > 1 else str(model.get("name") or combination)


def _changed_options(architecture: str, options: dict[str, Any]) -> str:
    """``(filters=16)``: the options that are not the defaults; empty where the architecture is not installed."""
    from affinity_zoo.zoo.catalog.registry import catalog

    if not options:
        return ""
    try:
        usual = catalog().create("architecture", architecture, {}).options()
    except AffinityZooError:
        return ""
    changed = [
        f"{key}={value}" for key, value in options.items() if plain(usual.get(key, value)) != plain(value)
    ]
    return f"({', '.join(changed)})" if changed else ""


def _featurizer(result: Result) -> str:
    """The featurizer of a result's model, and which part of the complex it sees where that is not both."""
    parts = dict(result.model.get("featurizer_options") or {}).get("parts", "both")
    return str(result.model.get("featurizer") or "") + (
        f" ({parts} only)" if parts not in ("both", "") else ""
    )


def _mean(metrics: Sequence[Metric]) -> Metric:
    values = [m.value for m in metrics]
    mean = sum(values) / len(values)
    spread = math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1))
    low = sum(m.low for m in metrics) / len(metrics) - spread / 2
    high = sum(m.high for m in metrics) / len(metrics) + spread / 2
    details = {"seeds": values, "spread": spread}
    return replace(metrics[0], value=mean, low=low, high=high, details=details)
