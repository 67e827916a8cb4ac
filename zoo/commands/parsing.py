"""Values of flags that are more than one word: key=value, lists, numbers, a box."""

from __future__ import annotations

from affinity_zoo.plugins.errors import UsageError


def key_values(given: list[str] | None, flag: str) -> dict[str, str]:
    """Parse ``key=value`` options."""
    parsed = {}
    for text in given or []:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError(f"{flag} takes key=value, not {text!r}; `affinity-zoo show NAME` lists the keys")
        parsed[key.strip().replace("-", "_")] = value
    return parsed


def names_of(text: str | None) -> tuple[str, ...] | None:
    """Parse a comma-separated list."""
    return None if text is None else tuple(part.strip() for part in text.split(","))


def numbers_of(text: str | None) -> tuple[float, ...] | None:
    """Parse a comma-separated list of numbers."""
    if text is None:
        return None
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"--task-weights is {text!r}: give numbers such as 1,0.5") from None


def parse_box(text: str | None) -> tuple[int, float] | None:
    """Parse ``40x0.5``: voxels along an edge, spacing in Å."""
    if text is None:
        return None
    side, _, spacing = text.partition("x")
    try:
        parsed = int(side), float(spacing)
    except ValueError:
        parsed = 0, 0.0
    if parsed[0] < 1 or not 0 < parsed[1] < 100:
        raise UsageError(
            f"--box is {text!r}: give voxels along an edge and their spacing in Å, such as 40x0.5"
        )
    return parsed
