"""Cache of metrics, so that a board does not repeat its bootstrap.

The cache lies in the user's own folder, never beside results: nothing that comes with a result is read from it. The
key holds every score, truth and group, and the code of the scorers.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from affinity_zoo.plugins.contracts import Predictions, Scorer
from affinity_zoo.zoo.board.truths import pairs_hash
from affinity_zoo.zoo.judging import bootstrap
from affinity_zoo.zoo.judging.judge import Metric
from affinity_zoo.zoo.judging.predictions import hash_texts
from affinity_zoo.zoo.models.home import user_folder
from affinity_zoo.zoo.runtime.files import file_hash, write_json
from affinity_zoo.zoo.scorers import base

FOLDER = "figures"


def key_of(rows: Predictions, scorers: Sequence[Scorer], training_mean: float | None) -> str:
    """Return a hash of everything that determines the metrics.

    Args:
        rows: all pairs with their scores.
        scorers: that judge them.
        training_mean: what a missing affinity counts as.
    """
    order = np.argsort(rows.id, kind="stable")
    digest = hashlib.sha256(pairs_hash(rows).encode())
    named = [(scorer.name, scorer.options()) for scorer in scorers]
    about = [bootstrap.REPLICATES, named, training_mean, _code(scorers)]
    digest.update(json.dumps(about, sort_keys=True, default=str).encode())
    for name, column in [("score", rows.score), *sorted(rows.extra.items())]:
        digest.update(name.encode() + b"\0")
        if column.dtype.kind in "US":
            hash_texts(digest, column, order)
        else:
            digest.update(column[order].astype(np.float64).tobytes())
    return digest.hexdigest()


def read(key: str) -> dict[str, Metric] | None:
    """Return the cached metrics of a key; None: not cached, or unreadable.

    Args:
        key: Hash of everything that determines the metrics.
    """
    try:
        data = json.loads(_path(key).read_text(encoding="utf-8"))
        return {name: Metric.from_dict(metric) for name, metric in data}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def write(key: str, metrics: dict[str, Metric]) -> None:
    """Store metrics; a folder that cannot be written is ignored.

    Args:
        key: Hash of everything that determines the metrics.
        metrics: Metrics by key.
    """
    path = _path(key)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, [[name, metric.as_dict()] for name, metric in metrics.items()])
    except OSError:
        return


def _path(key: str) -> Path:
    return user_folder() / FOLDER / key[:2] / f"{key}.json"


def _code(scorers: Sequence[Scorer]) -> list[str]:
    """Return hashes of the code behind the metrics, so that a changed scorer invalidates the cache."""
    found = {Path(inspect.getfile(type(scorer))) for scorer in scorers}
    for package in (bootstrap, base):
        found |= set(Path(inspect.getfile(package)).parent.glob("*.py"))
    return sorted(file_hash(path) for path in found)
