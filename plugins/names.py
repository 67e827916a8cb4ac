"""Names that users type: what they look like, and the nearest ones when one is wrong."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

_CANONICAL = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def is_canonical(name: object) -> bool:
    """Say whether this is a name of lower-case letters, digits and single dashes between them."""
    return isinstance(name, str) and _CANONICAL.fullmatch(name) is not None


def canonical(name: str) -> str:
    """Return the canonical form of a distribution's or plugin's name (as PyPI compares them)."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `` (did you mean 'a' or 'b'?)``, or an empty text where nothing is near."""
    plain = {candidate.lower().replace("_", "-"): candidate for candidate in known}
    matches = difflib.get_close_matches(name.lower().replace("_", "-"), plain, n=3, cutoff=0.5)
    if not matches:
        return ""
    return f" (did you mean {' or '.join(repr(plain[match]) for match in matches)}?)"
