"""Displayed overlap of a result with its training: computed if the training pairs are available, else as stated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.board.overlap import CHECKS, Check, check_overlap, seen_by, verdict
from affinity_zoo.zoo.board.results import Result
from affinity_zoo.zoo.board.truths import Truth

PAIRS = "training_pairs.csv"
MOST_ROWS = 50_000  #: pairs whose coordinates an ordinary board compares
CANNOT_KNOW = "cannot know"


def shown_overlap(result: Result, computed: Mapping[str, Check]) -> str:
    """Return the summary of a result's overlap, limited to what can be verified here.

    Ids and coordinates are compared if the training pairs are available. Sequences and ligands need the training
    structures; they are taken from the result and marked as stated.

    Args:
        result: of a model.
        computed: the checks that could be made here, from :func:`computed_overlap`.
    """
    stated = _stated(result.data.get("overlap") or {})
    if not stated and not computed:
        said = str((result.data.get("overlap") or {}).get("verdict") or CANNOT_KNOW)
        return said if said == CANNOT_KNOW else f"{said} (as stated)"
    checks = {name: computed.get(name) or stated.get(name) or Check("cannot know") for name in CHECKS}
    for name, check in stated.items():
        # overlap that a result states remains, even if less can be verified here
        if check.verdict == "found" and checks[name].verdict != "found":
            checks[name] = check
    words = verdict(checks)
    if words == CANNOT_KNOW:
        return words
    taken = [name for name, check in checks.items() if name not in computed and check.verdict != CANNOT_KNOW]
    if not taken:
        return words
    return f"{words} ({'' if len(taken) == len(checks) else ', '.join(taken) + ' '}as stated)"


def computed_overlap(result: Result, truth: Truth | None, thorough: bool = False) -> dict[str, Check]:
    """Return the overlap checks that can be made here, by name, those that cannot be known left out.

    Args:
        result: of a model.
        truth: truths of its benchmark; None: not available.
        thorough: compare coordinates whatever the number of pairs, and proteins and ligands by what the model's
            folder holds.
    """
    if truth is None:
        return {}
    named = (result.data.get("training") or {}).get("pairs")
    files = [result.path.with_name(PAIRS), *([Path(named)] if isinstance(named, str) and named else [])]
    pairs = next((file for file in files if file.is_file()), None)
    if pairs is None or truth.dataset is None:
        return {}
    try:
        few = len(truth.rows) <= MOST_ROWS
        seen = seen_by([pairs.parent]) if thorough else None
        found = check_overlap(pairs, truth.dataset, truth.rows, seen, coordinates=thorough or few)
    except (AffinityZooError, OSError):
        return {}
    return {name: check for name, check in found.items() if check.verdict != CANNOT_KNOW}


def _stated(overlap: Mapping[str, Any]) -> dict[str, Check]:
    """The checks of a result, by name; what is not of the right form is not known."""
    found = {}
    for name in CHECKS:
        entry = overlap.get(name)
        if not isinstance(entry, Mapping) or entry.get("verdict") not in ("none", "found", "cannot know"):
            continue
        numbers = [value if isinstance(value := entry.get(key), int) else 0 for key in ("rows", "of")]
        found[name] = replace(Check(entry["verdict"]), rows=numbers[0], of=numbers[1])
    return found
