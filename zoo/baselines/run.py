"""Evaluation of baselines on an index."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Baseline
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.baselines.pairs import IndexedMeasuredPairs
from affinity_zoo.zoo.runtime.terminal import warn

if TYPE_CHECKING:
    from affinity_zoo.zoo.data.store.dataset import Dataset

Array: TypeAlias = NDArray[Any]

TRAINING = "training"  #: option of the baselines that learn from an index


def default_baselines() -> list[Baseline]:
    """Return the baselines shown on every board, including those of plugins."""
    return [cls() for cls in baseline_classes() if cls.on_every_board]


def learned_baselines(trained_on: Path | None) -> list[Baseline]:
    """The baselines that learn from the index that a model was trained on.

    The list is empty if the index does not exist any more, or if its training rows have no
    label (after distillation only).

    Args:
        trained_on: folder of the index; None: it is not known.
    """
    from affinity_zoo.zoo.data.store.dataset import Dataset

    try:
        if trained_on is None:
            return []
        dataset = Dataset.open(trained_on)
        rows = dataset.rows("train")
        if not any(
            np.isfinite(dataset.column(name)[rows]).any() for name in ("pose_label", "active", "affinity")
        ):
            return []
    except AffinityZooError:
        return []
    folder: dict[str, Any] = {"training": str(trained_on.resolve())}
    return [cls(**folder) for cls in baseline_classes() if TRAINING in {f.name for f in fields(cls)}]  # type: ignore[arg-type]


def baseline_classes() -> list[type[Baseline]]:
    """The classes of all usable baselines, built-ins first."""
    from affinity_zoo.zoo.catalog.registry import catalog

    found = catalog().entries("baseline")
    return [cast(type[Baseline], entry.cls) for entry in found if entry.cls and entry.state == "loaded"]


def run_baselines(
    dataset: Dataset,
    rows: Array,
    baselines: Sequence[Baseline] | None = None,
    advance: Callable[[int], Any] | None = None,
) -> dict[str, NDArray[np.float64]]:
    """Measure some rows of an index by each baseline.

    Args:
        dataset: the index.
        rows: (N,) row numbers.
        baselines: None: :func:`default_baselines`.
        advance: called with the number of rows just done.

    Returns:
        By name, (N,) scores, larger is better: the sign is inverted where lower is better. NaN where
        the baseline gives no score.
    """
    chosen = default_baselines() if baselines is None else list(baselines)
    pairs = IndexedMeasuredPairs(dataset, np.asarray(rows))
    scores = {baseline.name: np.full(len(pairs), np.nan) for baseline in chosen}
    signs = {baseline.name: 1.0 if baseline.direction == "higher" else -1.0 for baseline in chosen}
    single = []
    for baseline in chosen:
        try:
            together = baseline.measure_all(pairs)
        except Exception as error:
            _leave_out(baseline, error)
            continue
        if together is None:
            single.append(baseline)
        else:
            scores[baseline.name] = signs[baseline.name] * together
    for i, (receptor, ligand, pair) in enumerate(pairs):
        for baseline in list(single):
            try:
                scores[baseline.name][i] = signs[baseline.name] * baseline.measure(receptor, ligand, pair)
            except Exception as error:
                _leave_out(baseline, error)
                single.remove(baseline)
                scores[baseline.name][:] = np.nan
        if advance is not None:
            advance(1)
    return scores


def _leave_out(baseline: Baseline, error: Exception) -> None:
    """Report a failed baseline of a plugin and continue without it; an error of a built-in is raised."""
    from affinity_zoo.zoo.catalog.registry import blame

    reason = blame(error)
    if not reason:
        raise error
    warn(f"the baseline {baseline.name} is left out: {reason}")
