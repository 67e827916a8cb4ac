"""Canonical form of names that users type, and suggestions for misspelt ones."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

_CANONICAL = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def is_canonical(name: object) -> bool:
    """Return whether a name consists of lower-case letters, digits and single dashes between them.

    Args:
        name: Candidate; may be of any type.
    """
    return isinstance(name, str) and _CANONICAL.fullmatch(name) is not None


def canonical(name: str) -> str:
    """Return the canonical form of a distribution's or plugin's name (as PyPI compares them).

    Args:
        name: Name to convert.
    """
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `` (did you mean 'a' or 'b'?)``, or an empty text where nothing is near.

    Args:
        name: Name that was not found.
        known: Names to choose from.
    """
    plain = {candidate.lower().replace("_", "-"): candidate for candidate in known}
    matches = difflib.get_close_matches(name.lower().replace("_", "-"), plain, n=3, cutoff=0.5)
    if not matches:
        return ""
    return f" (did you mean {' or '.join(repr(plain[match]) for match in matches)}?)"
