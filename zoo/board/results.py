"""Results: one model on one benchmark, as a JSON file and a table of predictions, both hashed.

``result.json`` names the SHA-256 of ``predictions.csv`` and closes with a seal over itself, so that
an edited prediction, label or metric is found when the result is read.
"""

from __future__ import annotations

import hashlib
import json
import math
import platform
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from affinity_zoo.plugins.contracts import Predictions, Scorer
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.board.schema import check_result
from affinity_zoo.zoo.judging import bootstrap
from affinity_zoo.zoo.judging.judge import Metric, judge, metric_key, plain
from affinity_zoo.zoo.judging.predictions import labels_hash, read_predictions, write_predictions
from affinity_zoo.zoo.runtime.backends import NAMES
from affinity_zoo.zoo.runtime.files import file_hash, whole
from affinity_zoo.zoo.runtime.notebook import ShownInNotebooks

FORMAT = "affinity-zoo result"
FORMAT_VERSION = 1
RESULT_NAME = "result.json"
PREDICTIONS_NAME = "predictions.csv"
ORIGIN_NAME = "origin.json"  #: beside results that were made elsewhere
LIBRARIES = (
    "affinity-zoo",
    "keras",
    *NAMES,
    "numpy",
    "scipy",
    "scikit-learn",
    "rdkit",
    "prody",
)


@dataclass(frozen=True, eq=False)
class Result(ShownInNotebooks):
    """A result file. ``data`` is the whole JSON; predictions are read on demand."""

    path: Path
    data: dict[str, Any]
    metrics: dict[str, Metric]
    judged: Callable[[Predictions], Predictions] | None = None  #: puts scores beside a benchmark's truths
    pairs: Predictions | None = None  #: the benchmark's pairs, whose texts need not be in memory twice
    verified: bool = (
        False  #: whether the metrics were recomputed with the true values of the benchmark's index
    )
    pairs_hash: str = ""  #: of everything but the scores
    unseen: Metric | None = None  #: the board's first figure on the rows without overlap with the training

    @property
    def kind(self) -> str:
        """``model``, ``baseline``, ``external`` (scores of another program) or ``consensus``."""
        return str(self.model.get("kind") or "model")

    @property
    def model(self) -> dict[str, Any]:
        """Name, featurizer, architecture, options, weights hash."""
        return self.data["model"]

    @property
    def benchmark(self) -> dict[str, Any]:
        """Name, content hash, path, rows, labels hash."""
        return self.data["benchmark"]

    @property
    def is_baseline(self) -> bool:
        """Whether the row is a baseline."""
        return self.kind == "baseline"

    @property
    def training_mean(self) -> float | None:
        """Mean pK of the pairs that the model was trained on; None: not known."""
        value = (self.data.get("training") or {}).get("mean_affinity")
        return float(value) if isinstance(value, int | float) and math.isfinite(value) else None

    def predictions(self) -> Predictions:
        """The stored scores, their hash checked again; of a verified result beside the benchmark's truths."""
        path = self.path.with_name(self.data["predictions"]["file"])
        _check_predictions(self.path, self.data, path)
        rows = read_predictions(path, self.pairs)
        return rows if self.judged is None else self.judged(rows)


def write_result(
    folder: Path,
    *,
    model: Mapping[str, Any],
    predictions: Predictions,
    benchmark: Mapping[str, Any],
    training: Mapping[str, Any] | None = None,
    seeds: Sequence[int] | int | None = None,
    views: int | None = None,
    command: str = "",
    wall_time_s: float | None = None,
    n_failed: int = 0,
    overlap: Mapping[str, Any] | None = None,
    scorers: Sequence[Scorer] | None = None,
    threshold: float | None = None,
    replicates: int = bootstrap.REPLICATES,
) -> Path:
    """Evaluate predictions and write ``result.json`` and ``predictions.csv`` into a folder.

    Args:
        folder: made where it is missing; one result each.
        model: ``name``, ``featurizer``, ``architecture``, ``options``, ``weights`` (a hash), ``kind``
            (``model`` or ``baseline``), and whatever else describes it.
        predictions: one row a pair.
        benchmark: ``name``, ``hash`` (content), ``path``.
        training: what the model was trained on: ``ids_hash``, ``path`` to the ids, epochs, ``mean_affinity`` (pK,
            what a missing affinity counts as), ...
        seeds: of training and views.
        views: rotations averaged for each pair.
        command: that makes this result again.
        wall_time_s: seconds that the scoring took.
        n_failed: inputs that never became a row.
        overlap: with the training set, from :func:`~affinity_zoo.zoo.board.overlap.as_dict`.
        scorers: None: those that fit the truths.
        threshold: for the confusion matrix, from validation.
        replicates: of the bootstrap.

    Returns:
        The path of the JSON file. An older result of the same model is replaced.

    Raises:
        AffinityZooError: the folder holds a result of another model.
    """
    folder = Path(folder)
    path = folder / RESULT_NAME
    _keep_others(path, model)
    mean = (training or {}).get("mean_affinity")
    metrics = judge(predictions, scorers, threshold=threshold, replicates=replicates, training_mean=mean)
    unscored = int((~np.isfinite(predictions.score)).sum())
    write_predictions(folder / PREDICTIONS_NAME, predictions)
    data: dict[str, Any] = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "model": {"kind": "model", **model},
        "benchmark": {**benchmark, "rows": len(predictions), "labels_hash": labels_hash(predictions)},
        "training": dict(training or {}),
        "seeds": seeds,
        "views": views,
        "command": command,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "wall_time_s": wall_time_s,
        "n_failed": n_failed,
        "n_unscored": unscored,
        "overlap": dict(overlap or {}),
        "versions": library_versions(),
        "predictions": {"file": PREDICTIONS_NAME, "sha256": file_hash(folder / PREDICTIONS_NAME)},
        "metrics": {key: metric.as_dict() for key, metric in metrics.items()},
    }
    write_sealed(path, data)
    return path


def write_sealed(path: Path, data: Mapping[str, Any]) -> Path:
    """Write a JSON object with a seal over all of it.

    Args:
        path: The file.
        data: JSON object.
    """
    body = plain({key: value for key, value in data.items() if key != "seal"})
    body = json.loads(json.dumps(body, default=str))
    with whole(path) as file:
        json.dump({**body, "seal": seal_of(body)}, file, indent=1)
        file.write("\n")
    return path


def seal_of(data: Mapping[str, Any]) -> str:
    """SHA-256 of the object in canonical form, its ``seal`` left out.

    Args:
        data: JSON object.
    """
    body = {key: value for key, value in data.items() if key != "seal"}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def load_result(path: Path, *, recompute: bool = False) -> Result:
    """Read a result and refuse one that was edited.

    Args:
        path: the JSON file, or the folder that holds ``result.json``.
        recompute: take every value again from the stored predictions and compare. Truths of the benchmark are not
            looked at: :func:`~affinity_zoo.zoo.board.verify.believed` does.

    Raises:
        AffinityZooError: not a result, or its hashes do not fit; the message says what differs.
    """
    path = Path(path)
    if path.is_dir():
        path = path / RESULT_NAME
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        fits = isinstance(data, dict) and data.get("seal") == seal_of(data)
    except (OSError, ValueError, RecursionError) as error:
        raise AffinityZooError(f"{path} cannot be read as a result: {error}; run evaluate again") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise AffinityZooError(f"{path} is not a result of affinity-zoo; evaluate writes them")
    if isinstance(data.get("version"), int) and data["version"] > FORMAT_VERSION:
        raise AffinityZooError(
            f"{path} is of format {data['version']}; this affinity-zoo reads {FORMAT_VERSION}: upgrade"
        )
    if not fits:
        raise AffinityZooError(
            f"{path} was edited after it was written (its checksum differs); run evaluate again"
        )
    check_result(data, path)
    _check_predictions(path, data, path.with_name(data["predictions"]["file"]))
    metrics = {key: Metric.from_dict(metric) for key, metric in data["metrics"].items()}
    result = Result(path, data, metrics)
    if recompute:
        _check_metrics(result)
    return result


def origin_of(result: Result) -> str:
    """The archive or folder that a result was added from; empty: it was made here.

    Args:
        result: One model or baseline, judged on one benchmark.
    """
    for folder in list(result.path.parents)[:4]:
        try:
            return str(json.loads((folder / ORIGIN_NAME).read_text(encoding="utf-8"))["file"])[:200]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
    return ""


def command_line() -> str:
    """Return the running command line; empty if the package is used from Python."""
    if Path(sys.argv[0]).name not in ("affinity-zoo", "affinity-zoo.exe"):
        return ""
    return shlex.join(["affinity-zoo", *sys.argv[1:]])


def library_versions() -> dict[str, str]:
    """Return the versions of Python and of installed libraries that may affect a result."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _keep_others(path: Path, model: Mapping[str, Any]) -> None:
    """Refuse to replace the result of another model; the same one may have been trained or evaluated again."""
    try:
        old = json.loads(path.read_text(encoding="utf-8"))
        other = str(old["model"].get("name"))
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return  # not there or not readable: nothing to lose
    if other != str(model.get("name")):
        raise AffinityZooError(
            f"{path} already contains the result of {other}: write this result into another folder"
        )


def _check_predictions(path: Path, data: Mapping[str, Any], predictions: Path) -> None:
    if not predictions.is_file():
        raise AffinityZooError(f"{path}: its predictions {predictions.name} are missing; run evaluate again")
    if file_hash(predictions) != data["predictions"]["sha256"]:
        raise AffinityZooError(
            f"{predictions} was edited: it differs from the scores and labels that {path.name} was computed from; "
            "run evaluate again"
        )


def scorers_of(result: Result) -> dict[str, Scorer]:
    """Return the scorers of a result's metrics; scorers of missing plugins are omitted.

    Args:
        result: One model or baseline, judged on one benchmark.

    Raises:
        AffinityZooError: a metric has the name of another one, or its scorer has no such options.
    """
    from affinity_zoo.zoo.catalog.registry import catalog

    known = catalog().names("scorer")
    found: dict[str, Scorer] = {}
    for key, metric in result.metrics.items():
        if metric.name not in known:
            continue
        try:
            scorer = catalog().create("scorer", metric.name, metric.options)
        except AffinityZooError as error:
            raise AffinityZooError(f"{result.path}: {key}: {error}") from error
        if metric_key(scorer) != key:
            raise AffinityZooError(
                f"{result.path}: {key} contains the metric {metric_key(scorer)}; run evaluate again"
            )
        found[key] = scorer
    return found


def _check_metrics(result: Result) -> None:
    predictions = result.predictions()
    if labels_hash(predictions) != result.benchmark.get("labels_hash"):
        raise AffinityZooError(
            f"{result.path}: the labels are not those of its benchmark; run evaluate again"
        )
    for key, scorer in scorers_of(result).items():
        again = judge(predictions, [scorer], replicates=0, training_mean=result.training_mean)
        value = next(iter(again.values())).value if again else np.nan
        stated = result.metrics[key].value
        if not np.isclose(value, stated, rtol=1e-9, atol=1e-12, equal_nan=True):
            raise AffinityZooError(
                f"{result.path}: {key} is stated as {stated:.6g} but is {value:.6g} when computed from "
                "its predictions; "
                "run evaluate again"
            )
