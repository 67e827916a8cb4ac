"""Training of the half-complex baselines: atom counts, boosted trees, folds over groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.featurizers.atom_types import AtomTypes
from affinity_zoo.plugins.contracts import Atoms, MeasuredPair
from affinity_zoo.zoo.baselines.pairs import IndexedMeasuredPairs

#: Å, outer radii of the shells around the centre, up to half the edge of a 24 Å box
SHELLS: Final = (3.0, 5.0, 7.0, 9.0, 11.0, 13.0)
#: Å, edges of the bins of distances within a ligand
DISTANCES: Final = (0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 13.0, 16.0, np.inf)
MOST_ROWS: Final = 20_000  #: largest number of training rows; a random sample of this size is drawn from more
TRUTHS: Final = ("pose_label", "active", "affinity")


class Half(Protocol):
    """Options of a half-complex baseline that training needs."""

    @property
    def half(self) -> str:
        """Which half of the complex is described: ligand, receptor or receptor-site."""

    @property
    def centre(self) -> str:
        """Origin of the shells of receptor atoms."""

    @property
    def training(self) -> str:
        """The index to train on; empty: cross-validation."""

    @property
    def split(self) -> str:
        """The split of that index to train on."""

    @property
    def folds(self) -> int:
        """Number of folds of the cross-validation."""

    @property
    def seed(self) -> int:
        """Seed of folds and trees."""


_CHANNELS: Final = 14


def describe_ligand(ligand: Atoms) -> NDArray[np.float32]:
    """Counts by ligand atom type (14), atoms, radius of gyration in Å, pairs of atoms by distance (8): (24,).

    Args:
        ligand: Atoms of the ligand.
    """
    counts = _by_type(ligand, "ligand")
    xyz = np.asarray(ligand.xyz, np.float64)
    if not len(xyz):
        return np.zeros(_CHANNELS + 2 + len(DISTANCES) - 1, np.float32)
    gyration = np.sqrt(np.mean(np.sum((xyz - xyz.mean(axis=0)) ** 2, axis=1)))
    first, second = np.triu_indices(len(xyz), 1)
    distance = np.linalg.norm(xyz[first] - xyz[second], axis=1)
    pairs = np.histogram(distance, DISTANCES)[0]
    return np.concatenate([counts, [len(xyz), gyration], pairs]).astype(np.float32)


def describe_receptor(receptor: Atoms, centre: NDArray[np.float64]) -> NDArray[np.float32]:
    """Counts by receptor atom type in shells around ``centre`` ((3,) Å): (14 * 6,).

    Args:
        receptor: Atoms of the receptor.
        centre: (3,) Å.
    """
    near = np.linalg.norm(np.asarray(receptor.xyz, np.float64) - centre, axis=1)
    channel = AtomTypes(parts="receptor").encode(receptor).channel
    assert channel is not None
    shell = np.searchsorted(SHELLS, near, side="right")
    kept = (channel >= 0) & (shell < len(SHELLS))
    flat = np.bincount(
        shell[kept] * _CHANNELS + channel[kept], minlength=_CHANNELS * len(SHELLS)
    )  # one number per shell and type
    return flat.astype(np.float32)


@dataclass(frozen=True, eq=False)
class Learnt:
    """Fitted trees and the half of the complex that they use."""

    baseline: Half
    trees: Any

    def score(self, pairs: Sequence[MeasuredPair]) -> NDArray[np.float64]:
        """Score pairs: (N,) logits or pK.

        Args:
            pairs: Pairs of receptor and ligand.
        """
        return _outputs(self.trees, describe(self.baseline, pairs)[0])


def describe(
    baseline: Half, pairs: Sequence[MeasuredPair]
) -> tuple[NDArray[np.float32], dict[str, NDArray[Any]]]:
    """Describe one half of each pair: (N, features), and the columns that training needs.

    Args:
        baseline: Baseline with its options.
        pairs: Pairs of receptor and ligand.
    """
    sites = _sites(pairs) if baseline.centre == "site" else {}
    features, columns = [], []
    for receptor, ligand, row in pairs:
        columns.append([row.get(name) for name in (*TRUTHS, "group", "target")])
        if baseline.half == "ligand":
            features.append(describe_ligand(ligand))
        else:
            own = _centre(ligand)
            centre = sites.get(str(row.get("receptor")), own) if sites else own
            features.append(describe_receptor(receptor, centre))
    table = {
        name: np.array([np.nan if row[i] is None else row[i] for row in columns], np.float64)
        for i, name in enumerate(TRUTHS)
    }
    groups = np.array([str(row[3] or row[4] or "") for row in columns])
    return np.stack(features), {**table, "group": groups}


@lru_cache(maxsize=6)
def learnt(baseline: Half) -> Learnt:
    """Fit a baseline on its training index.

    Args:
        baseline: Baseline with its options.

    Raises:
        AffinityZooError: the index cannot be read, or none of its rows is labelled.
    """
    from affinity_zoo.plugins.errors import AffinityZooError
    from affinity_zoo.zoo.data.store.dataset import Dataset

    dataset = Dataset.open(baseline.training)
    rows = dataset.rows(baseline.split)
    truth = _truth({name: dataset.column(name)[rows] for name in TRUTHS})
    if not truth:
        raise AffinityZooError(
            f"{baseline.training}: no row of the split {baseline.split!r} has a label to train on"
        )
    rows = _drawn(rows[np.isfinite(dataset.column(truth)[rows])], baseline.seed)
    features, columns = describe(baseline, IndexedMeasuredPairs(dataset, rows))
    return Learnt(baseline, _fit(features, columns[truth], truth, baseline.seed))


def cross_validated(baseline: Half, pairs: Sequence[MeasuredPair]) -> NDArray[np.float64]:
    """Score each pair by trees trained on other groups only: (N,), all NaN for fewer than two groups.

    Args:
        baseline: Baseline with its options.
        pairs: Pairs of receptor and ligand.
    """
    from sklearn.model_selection import GroupKFold

    scores = np.full(len(pairs), np.nan)
    if not len(pairs):
        return scores
    features, columns = describe(baseline, pairs)
    truth, groups = _truth(columns), columns["group"]
    folds = min(baseline.folds, len(np.unique(groups)))
    if not truth or folds < 2:
        return scores
    split = GroupKFold(folds, shuffle=True, random_state=baseline.seed)
    for seen, judged in split.split(features, groups=groups):
        known = seen[np.isfinite(columns[truth][seen])]
        values = columns[truth][known]
        if len(values) < 2 or values.min() == values.max():
            continue
        known = _drawn(known, baseline.seed)
        scores[judged] = _outputs(
            _fit(features[known], columns[truth][known], truth, baseline.seed), features[judged]
        )
    return scores


def _fit(features: NDArray[np.float32], values: NDArray[np.float64], truth: str, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    shape: dict[str, Any] = {
        "max_iter": 100, "learning_rate": 0.1, "max_leaf_nodes": 15, "l2_regularization": 1.0,
        "early_stopping": False, "random_state": seed,
    }  # fmt: skip
    # one thread: the sums, and so the scores, do not depend on the machine's processors
    with threadpool_limits(1, "openmp"):
        if truth == "affinity":
            return HistGradientBoostingRegressor(**shape).fit(features, values)
        return HistGradientBoostingClassifier(class_weight="balanced", **shape).fit(features, values > 0.5)


def _outputs(trees: Any, features: NDArray[np.float32]) -> NDArray[np.float64]:
    if hasattr(trees, "decision_function"):
        return np.asarray(trees.decision_function(features), np.float64)
    return np.asarray(trees.predict(features), np.float64)


def _truth(columns: dict[str, NDArray[Any]]) -> str:
    """Return the first truth with a known value; empty: none."""
    return next((name for name in TRUTHS if np.isfinite(columns[name]).any()), "")


def _drawn(rows: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    if len(rows) <= MOST_ROWS:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, MOST_ROWS, replace=False))


def _by_type(atoms: Atoms, part: Any) -> NDArray[np.float64]:
    channel = AtomTypes(parts=part).encode(atoms).channel
    assert channel is not None
    return np.bincount(channel[channel >= 0], minlength=_CHANNELS).astype(np.float64)


def _centre(ligand: Atoms) -> NDArray[np.float64]:
    if not len(ligand):
        return np.zeros(3)
    return np.asarray(ligand.xyz, np.float64).mean(axis=0)


def _sites(pairs: Sequence[MeasuredPair]) -> dict[str, NDArray[np.float64]]:
    """Return the mean ligand centre of each receptor file."""
    sums: dict[str, list[Any]] = {}
    for _, ligand, row in pairs:
        if len(ligand):
            known = sums.setdefault(str(row.get("receptor")), [np.zeros(3), 0])
            known[0] = known[0] + _centre(ligand)
            known[1] += 1
    return {receptor: total / n for receptor, (total, n) in sums.items()}
