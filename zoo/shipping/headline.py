"""The first lines of a card: comparisons with baselines and other models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from affinity_zoo.zoo.board.comparison import MetricDifference
from affinity_zoo.zoo.board.results import Result
from affinity_zoo.zoo.board.standing import spoken
from affinity_zoo.zoo.shipping.notes import Notes


def first_line(
    result: Result, differences: dict[str, MetricDifference], names: Mapping[str, str], where: str = ""
) -> str:
    """Describe in a sentence which rows the model beats and which it loses against on a benchmark; losses first.

    Args:
        result: of the model.
        differences: from each baseline, by the name of its row.
        names: how the sentence calls a baseline, by the name of its row; others are not mentioned.
        where: how it calls the benchmark; empty: by its name.
    """
    where = where or result.benchmark["name"]
    if not differences:
        return f"On {where} there is no other row to compare it with."
    one = next(iter(differences.values()))
    metric = result.metrics[one.metric]
    verdicts: dict[str, list[str]] = {"loses": [], "level": [], "wins": []}
    for words, difference in _named(differences, names):
        key = {"a": "wins", "b": "loses", "": "level"}[difference.winner]
        verdicts[key].append(f"{words} ({_number(difference.b)})")
    said = []
    if verdicts["loses"]:
        said.append(f"loses against {_and(verdicts['loses'])}")
    if verdicts["level"]:
        said.append(f"is not told apart from {_and(verdicts['level'])}")
    if verdicts["wins"]:
        said.append(f"{'but ' if verdicts['loses'] else ''}beats {_and(verdicts['wins'])}")
    value = f"{_number(metric.value)} [{_number(metric.low)}, {_number(metric.high)}]"
    return f"On {where} ({one.metric} {value}) it {', '.join(said) or 'stands alone'}."


def second_line(differences: dict[str, MetricDifference], names: Mapping[str, str]) -> str:
    """Rows that the model loses against by the benchmark's second figure; empty: none.

    Args:
        differences: Difference from each baseline.
        names: Names of baselines in the sentence, by row.
    """
    lost = [(words, one) for words, one in _named(differences, names) if one.winner == "b"]
    if not lost:
        return ""
    first = lost[0][1]
    against = _and([f"{words} ({_number(one.b)})" for words, one in lost])
    return f" By {first.metric} ({_number(first.a)}) it loses against {against}."


def _named(
    differences: dict[str, MetricDifference], names: Mapping[str, str]
) -> list[tuple[str, MetricDifference]]:
    """The rivals of the first line as it calls them."""
    return [(words, differences[name]) for name, words in names.items() if name in differences]


def names_of(rivals: Sequence[Result], notes: Notes) -> dict[str, str]:
    """How the first line calls baselines and other models, by the name of their rows.

    Of a baseline that learns, the row that learnt from the training data replaces the cross-validated one.

    Args:
        rivals: Results of the baselines.
        notes: Notes on the model.
    """
    found: dict[str, Result] = {}
    for rival in sorted(rivals, key=lambda r: bool((r.model.get("options") or {}).get("training"))):
        words = spoken(rival, notes.docking_program) if rival.is_baseline else str(rival.model["name"])
        if words:
            found[words] = rival
    return {str(rival.model["name"]): words for words, rival in sorted(found.items())}


def _number(value: float) -> str:
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
