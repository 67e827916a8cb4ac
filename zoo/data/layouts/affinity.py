"""Parsing of affinities to pK (-log10 of M) with kind and relation."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

_UNITS: Final = {"M": 0, "mM": -3, "uM": -6, "µM": -6, "μM": -6, "nM": -9, "pM": -12, "fM": -15}
_KINDS: Final = {"kd": "Kd", "ki": "Ki", "ic50": "IC50", "ec50": "EC50", "potency": "potency"}
_KIND: Final = r"(?P<p>p|-log\s*)?(?P<kind>kd|ki|ic50|ec50|potency)"
_VALUE: Final = r"(?P<value>[-+]?\d+(?:\.\d*)?(?:e[-+]?\d+)?|[-+]?\.\d+)"
_TEXT: Final = re.compile(
    rf"^\s*(?:{_KIND})?\s*(?P<relation><=|>=|=<|=>|<|>|=|~)?\s*{_VALUE}\s*(?P<unit>[munpfµμ]?M)?\b",
    re.IGNORECASE,
)
_COLUMN: Final = re.compile(rf"^{_KIND}(?:[\s_(\[-]*(?P<unit>[munpfµμ]?M)\b)?", re.IGNORECASE)
RANGE: Final = (-3.0, 18.0)  #: plausible range of pK


@dataclass(frozen=True)
class Affinity:
    """One measured affinity."""

    pk: float  #: -log10 of M
    kind: str = ""  #: Kd, Ki, IC50, EC50, or "" where it is not said
    relation: str = "="  #: of the pK: "<" where the file says IC50 > 10 uM


def parse_affinity(text: str, column: str = "") -> Affinity | None:
    """Read an affinity; an empty cell is None.

    Args:
        text: ``Ki=3.2nM``, ``IC50>10uM``, ``pKd=6.3``, or a bare number, which is a pK unless ``column`` says
            a unit.
        column: the name of the column it stands in: ``IC50_nM``, ``pKi``, ``pK``.

    Raises:
        ValueError: the text has another form, or the affinity is impossible.
    """
    text = text.strip()
    if not text or text.lower() in ("nan", "na", "none", "n/a"):
        return None
    found = _TEXT.match(text)
    if found is None:
        raise ValueError(f"{text!r} is no affinity such as 'Ki=3.2nM', 'IC50>10uM' or a pK")
    heading = _COLUMN.match(column.strip())
    unit = found["unit"] or (heading["unit"] if heading and not found["kind"] else None)
    kind = _KINDS.get((found["kind"] or (heading["kind"] if heading else "") or "").lower(), "")
    relation = {"<=": "<", "=<": "<", ">=": ">", "=>": ">", "~": "=", None: "="}.get(
        found["relation"], found["relation"] or "="
    )
    value = float(found["value"])
    if unit is None:
        if found["kind"] and not found["p"]:
            raise ValueError(f"{text!r} has no unit (M, mM, uM, nM, pM)")
        pk = value
    else:
        if value <= 0:
            raise ValueError(f"{text!r} is not a positive concentration")
        pk = -math.log10(value) - _UNITS[_unit(unit)]
        relation = {"<": ">", ">": "<"}.get(relation, relation)
    if not RANGE[0] <= pk <= RANGE[1]:
        raise ValueError(f"{text!r} would be a pK of {pk:.3g}: is it a concentration without its unit?")
    return Affinity(round(pk, 6), kind, relation)


def _unit(text: str) -> str:
    """``nm`` and ``NM`` mean nM; ``MM`` is ambiguous: the unit ends in M after a small prefix."""
    return text[:-1].lower() + "M" if len(text) > 1 else "M"
