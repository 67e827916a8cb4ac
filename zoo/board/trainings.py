"""Grouping of results into trainings of one recipe, which differ in the seed only."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.zoo.board.results import Result
from affinity_zoo.zoo.judging.outputs import NAMES


def families(results: Sequence[Result]) -> list[list[Result]]:
    """Group results into rows: a model, or several trainings of one recipe.

    A training that is judged twice is one training: results with the same weights or the same scores count once. A
    result with the same seed as another but other weights is a separate row. So is a model with a name of its own, for
    example a shipped one, beside numbered runs of its recipe: its figures are not theirs.

    Args:
        results: Results of one benchmark; several may be trainings of one recipe.
    """
    groups: dict[tuple[str, ...], list[Result]] = {}
    for result in _each_once(results):
        named = isinstance(result.model.get("run"), str)
        groups.setdefault((*_family(result), "named" if named else "run"), []).append(result)
    found: list[list[Result]] = []
    for members in groups.values():
        found += _trainings(members) if len(members) > 1 else [members]
    return found


def output_of(result: Result) -> str:
    """Return the output used for every truth; empty: each truth has its own.

    Args:
        result: One model or baseline, judged on one benchmark.
    """
    stated = str(result.model.get("output") or "")
    # results of version 0.1.0 have it in the name only
    ending = str(result.model.get("name")).rpartition(" by ")[2]
    return stated or (ending if ending in NAMES and " by " in str(result.model.get("name")) else "")


def _each_once(results: Sequence[Result]) -> list[Result]:
    """Remove copies of a result: the same model and predictions may be in several folders."""
    found: dict[tuple[str, str], Result] = {}
    for result in results:
        found.setdefault((str(result.model.get("name")), str(result.data["predictions"]["sha256"])), result)
    return list(found.values())


def _family(result: Result) -> tuple[str, ...]:
    model = result.model
    if not model.get("recipe_hash"):
        return ("single", str(model.get("name")), str(model.get("weights")), str(result.path))
    parts = [model.get(key) for key in ("recipe_hash", "featurizer", "featurizer_options", "architecture",
                                        "architecture_options", "box", "kind")]  # fmt: skip
    training = result.data.get("training") or {}
    parts += [training.get("ids_hash"), output_of(result), result.data.get("views")]
    return ("recipe", json.dumps(parts, sort_keys=True, default=str))


def _trainings(members: Sequence[Result]) -> list[list[Result]]:
    """The family, each training once, and rows of their own for what cannot be another seed of it."""
    family: list[Result] = []
    others: list[list[Result]] = []
    scores: list[NDArray[np.float64]] = []
    for member in members:
        score = _scores(member)
        weights = str(member.model.get("weights") or "")
        copies = any(
            (weights and weights == str(kept.model.get("weights"))) or _same_scores(score, known)
            for kept, known in zip(family, scores, strict=True)
        )
        if copies:
            continue
        if _seed(member) is not None and _seed(member) in [_seed(kept) for kept in family]:
            others.append([member])
            continue
        family.append(member)
        scores.append(score)
    return [family, *others]


def _seed(result: Result) -> Any:
    """The seed of the training, if the result states it: the first of two."""
    seeds = result.data.get("seeds")
    return seeds[0] if isinstance(seeds, list) and len(seeds) > 1 else None


def _scores(result: Result) -> NDArray[np.float64]:
    rows = result.predictions()
    return rows.score[np.argsort(rows.id, kind="stable")]


def _same_scores(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    return len(one) == len(other) and np.allclose(one, other, rtol=1e-5, atol=1e-6, equal_nan=True)
