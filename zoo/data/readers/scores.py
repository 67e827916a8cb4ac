"""Docking scores in files of docking programs."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final

#: SDF properties with an energy in kcal/mol (lower is better); the first one present is used
PROPERTIES: Final = (
    "minimizedAffinity", "docking_score", "r_i_docking_score", "r_i_glide_gscore", "vina_score",
    "vina_affinity", "vinardo_score", "affinity_vina", "SCORE", "score", "docking score", "free_energy",
    "Glide_GScore", "DOCK_SCORE", "Docking_Energy",
)  # fmt: skip
_REMARK: Final = re.compile(rb"^REMARK\s+(?:VINA RESULT:|minimizedAffinity)\s*(\S+)", re.MULTILINE)


def from_properties(properties: Mapping[str, str]) -> float:
    """Return the docking score among an SDF record's properties; NaN without one.

    Args:
        properties: Names and values of the properties.
    """
    for name in PROPERTIES:
        if name in properties:
            value = _number(properties[name].split()[0] if properties[name].split() else "")
            if not math.isnan(value):
                return value
    return math.nan


def from_remarks(text: bytes) -> float:
    """The score of ``REMARK VINA RESULT`` in the lines of one model; NaN: there is none.

    Args:
        text: Lines of one model.
    """
    found = _REMARK.search(text)
    return _number(found[1].decode("ascii", "replace")) if found else math.nan


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan
