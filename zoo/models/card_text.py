"""A model's card on the terminal: weaknesses first, then description, metrics and origin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from affinity_zoo.zoo.models.cards import outputs_text
from affinity_zoo.zoo.runtime import terminal

#: card keys that are one line each, in this order
_LINES = (
    ("about", "what"),
    ("where", "where"),
    ("made_of", "made of"),
    ("trained_on", "trained on"),
    ("overlap", "overlap with benchmarks"),
    ("licence", "licence"),
    ("hardware", "trained with"),
)
#: card keys that are lists of sentences
_LISTS = (("limits", "limits"), ("cite", "cite"), ("commands", "made by"))


def print_card(card: Mapping[str, Any], full: bool = False) -> None:
    """Print a card; comparisons that the model loses come first.

    Args:
        card: from :func:`~affinity_zoo.zoo.models.cards.card_of`.
        full: every benchmark with every baseline; else the first one so, the others in a line each.
    """
    if card.get("headline"):
        terminal.say(str(card["headline"]))
    terminal.say(f"{card.get('name', '')}")
    if outputs := outputs_text(card):
        terminal.say(f"  gives: {outputs}")
    for key, title in _LINES:
        value = card.get(key)
        if value:
            terminal.say(f"  {title}: {_plain(value)}")
    for member in card.get("members") or ():
        terminal.say(f"  member: {member['folder']} ({member['name']})")
    for file, digest in (card.get("files") or {}).items():
        terminal.say(f"  file: {file}.pt, SHA-256 {digest}")
    _print_seeds(card.get("seeds") or ())
    for number, result in enumerate(card.get("results") or ()):
        if full or number == 0:
            _print_result(result)
        else:
            terminal.say(_in_a_line(result))
    for key, title in _LISTS:
        texts = card.get(key) or ()
        for text in [texts] if isinstance(texts, str) else texts:
            terminal.say(f"  {title}: {text}")


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        short = {key: item[:12] if key.endswith("hash") else item for key, item in value.items() if item}
        return ", ".join(f"{key.replace('_', ' ')} {_plain(item)}" for key, item in short.items())
    return f"{value:,}" if isinstance(value, int) else str(value)


def _print_seeds(seeds: Any) -> None:
    if not seeds:
        return
    rows = [
        (seed["seed"], seed["epoch"], _plain_number(seed["validation"]), "chosen" if seed["chosen"] else "")
        for seed in seeds
    ]
    terminal.table("trainings", ("seed", "epoch kept", f"validation, {seeds[0]['metric']}", ""), rows)


def _in_a_line(result: Mapping[str, Any]) -> str:
    """Return the first metric on a benchmark, and the baselines that the model does not beat."""
    key, figure = next(iter(result["metrics"].items()))
    said = {"loses against": [], "not told apart from": []}  # type: dict[str, list[str]]
    for verdict in result.get("verdicts") or ():
        for words, names in said.items():
            if f" {words} " in verdict:
                names.append(verdict.partition(f" {words} ")[2].partition(",")[0])
    parts = [f"{words} {', '.join(names)}" for words, names in said.items() if names]
    return (
        f"  {result['benchmark']}: {key} {_interval(figure)}; {'; '.join(parts) or 'beats every baseline'}"
        f" (overlap with the training data: {result['overlap']})"
    )


def _print_result(result: Mapping[str, Any]) -> None:
    title = f"{result['benchmark']}: {result['pairs']:,} pairs; overlap with the training data: {result['overlap']}"
    metrics = list(result["metrics"])
    columns = ["", *(f"{key} [95 %]" for key in metrics)]
    rows = [[str(result.get("name", "this model")), *(_interval(result["metrics"][key]) for key in metrics)]]
    for other in result.get("others") or ():
        rows.append([other["name"], *(_interval(other["metrics"].get(key)) for key in metrics)])
    terminal.table(title, columns, rows)
    for key, values in (result.get("seeds") or {}).items():
        if len(values) > 1:
            terminal.say(
                f"  {key} of each training: {', '.join(_plain_number(v) for v in values if v is not None)}"
            )
    for sentence in result.get("verdicts") or ():
        terminal.say(f"  {sentence}")


def _interval(metric: Mapping[str, Any] | None) -> str:
    if metric is None or metric.get("value") is None:
        return ""
    text = _plain_number(metric["value"])
    if metric.get("low") is not None:
        text += f" [{_plain_number(metric['low'])}, {_plain_number(metric['high'])}]"
    return text


def _plain_number(value: float) -> str:
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"
