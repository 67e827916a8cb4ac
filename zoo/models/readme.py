"""``README.md`` of a model directory: its card as text, with the YAML header that model hubs read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

README: Final = "README.md"
_TAGS: Final = ("affinity-zoo", "chemistry", "biology", "protein-ligand", "docking")
#: start of a licence's name -> the hubs' name of it
_LICENCES: Final = {
    "apache-2.0": "apache-2.0",
    "mit": "mit",
    "cc-by-4.0": "cc-by-4.0",
    "cc-by-sa-4.0": "cc-by-sa-4.0",
}

_USE: Final = """## Use

```console
$ affinity-zoo predict FOLDER receptor.pdb poses.sdf
$ affinity-zoo models test FOLDER
```

`card.json` holds every figure; nothing in this folder is executed when it is loaded."""


def readme_text(card: Mapping[str, Any]) -> str:
    """Write the README of a model from its card.

    Args:
        card: of the model.

    Returns:
        Markdown with a YAML head.
    """
    name = _line(card.get("name") or "model")
    outputs = [
        f"{_line(one.get('name'))} ({_line(one.get('unit'))}, {_line(one.get('direction'))})"
        for one in card.get("outputs") or ()
    ]
    parts = [
        _head(card),
        f"# {name}",
        _line(card.get("headline") or ""),
        _line(card.get("about") or ""),
        f"Outputs: {', '.join(outputs)}." if outputs else "",
        _section("Trained on", card.get("trained_on")),
        _section("Overlap with benchmarks", card.get("overlap")),
        _section("Limits", card.get("limits")),
        _section("Cite", card.get("cite")),
        _USE,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(card: Mapping[str, Any]) -> str:
    licence = _line(card.get("licence") or "")
    known = next((hub for start, hub in _LICENCES.items() if licence.lower().startswith(start)), "other")
    lines = ["---", "library_name: keras", f"license: {known}"]
    if known == "other" and licence:
        lines.append(f"license_name: {json.dumps(licence)}")
    lines += ["tags:", *(f"- {tag}" for tag in _TAGS), "---"]
    return "\n".join(lines)


def _section(title: str, value: Any) -> str:
    if not value:
        return ""
    if isinstance(value, Mapping):
        value = [
            f"{key}: {one}" for key, one in value.items() if isinstance(one, str | int | float) and one != ""
        ]
    texts = [value] if isinstance(value, str) else list(value)
    body = _line(texts[0]) if len(texts) == 1 else "\n".join(f"- {_line(text)}" for text in texts)
    return f"## {title}\n\n{body}"


def _line(value: Any) -> str:
    """A text on one line, so that it cannot end the head or begin a heading."""
    return " ".join(str(value).split())
