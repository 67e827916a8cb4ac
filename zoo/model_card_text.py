"""A model's card on the terminal: what it is bad at first, then what it is, then figures, then where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from affinity_zoo.zoo import terminal
from affinity_zoo.zoo.model_cards import outputs_text

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


def print_card(card: Mapping[str, Any]) -> None:
    """Print a card; the line that says where the model loses comes first."""
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
    for result in card.get("results") or ():
        _print_result(result)
    for key, title in _LISTS:
        texts = card.get(key) or ()
        for text in [texts] if isinstance(texts, str) else texts:
            terminal.say(f"  {title}: {text}")


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key.replace('_', ' ')} {_plain(item)}" for key, item in value.items() if item)
    return f"{value:,}" if isinstance(value, int) else str(value)


def _print_seeds(seeds: Any) -> None:
    if not seeds:
        return
    rows = [
        (seed["seed"], seed["epoch"], _plain_number(seed["validation"]), "chosen" if seed["chosen"] else "")
        for seed in seeds
    ]
    terminal.table("trainings", ("seed", "epoch kept", f"validation, {seeds[0]['metric']}", ""), rows)


def _print_result(result: Mapping[str, Any]) -> None:
    title = f"{result['benchmark']}: {result['pairs']:,} pairs; overlap with the training data: {result['overlap']}"
    metrics = list(result["metrics"])
    columns = ["", *(f"{key} [95 %]" for key in metrics)]
    rows = [[str(result.get("name", "this model")), *(_interval(result["metrics"][key]) for key in metrics)]]
    for other in result.get("others") or ():
        rows.append([other["name"], *(_interval(other["metrics"].get(key)) for key in metrics)])
    terminal.table(title, columns, rows)
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
