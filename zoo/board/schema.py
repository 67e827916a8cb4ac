"""Schema of result and benchmark files, checked before use."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from affinity_zoo.plugins.errors import AffinityZooError

_Text = Annotated[str, msgspec.Meta(max_length=20_000)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=400)]
_Hash = Annotated[str, msgspec.Meta(max_length=200)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=10**12)]


class MetricEntry(msgspec.Struct):
    """One metric."""

    name: _Name
    unit: _Text
    direction: Literal["higher", "lower", "none"]
    truth: Literal["pose_label", "active", "affinity", "rmsd"]
    rows: _Count
    value: float | None = None
    low: float | None = None
    high: float | None = None
    missing: _Count = 0
    n: _Count = 0
    of: _Count = 0
    what: _Text = "pairs"
    options: dict[str, Any] = {}
    details: dict[str, Any] = {}
    note: _Text = ""
    interval: dict[str, Any] = {}
    seconds: float = 0.0


class ModelEntry(msgspec.Struct):
    """The evaluated model."""

    name: str = ""
    kind: Literal["model", "baseline", "external", "consensus"] = "model"
    baseline: str = ""
    featurizer: str | None = ""
    architecture: str | None = ""
    featurizer_options: dict[str, Any] | None = None
    architecture_options: dict[str, Any] | None = None
    options: dict[str, Any] | None = None
    weights: str | None = ""
    recipe_hash: str | None = ""
    output: str | None = ""
    note: _Text | None = ""


class BenchmarkEntry(msgspec.Struct):
    """The benchmark."""

    name: _Name
    hash: _Hash
    labels_hash: _Hash
    rows: _Count
    path: str = ""
    split: str = "all"
    sources: list[str] = []


class PredictionsEntry(msgspec.Struct):
    """The file of predictions."""

    file: _Name
    sha256: _Hash


class ResultFile(msgspec.Struct):
    """``result.json``; further fields are allowed."""

    model: ModelEntry
    benchmark: BenchmarkEntry
    predictions: PredictionsEntry
    metrics: dict[str, MetricEntry]
    format: Literal["affinity-zoo result"]
    version: Annotated[int, msgspec.Meta(ge=1)]
    training: dict[str, Any] | None = None
    overlap: dict[str, Any] | None = None
    seeds: list[int] | int | None = None
    views: int | None = None
    command: _Text | None = ""
    n_failed: _Count | None = 0
    n_unscored: _Count | None = 0


class BenchmarkFile(msgspec.Struct):
    """``benchmarks/<name>.json``; further fields are allowed."""

    format: Literal["affinity-zoo benchmark"]
    name: _Name
    hash: _Hash
    labels_hash: _Hash
    path: str
    split: str = "all"
    sources: list[str] = []
    rows: _Count = 0
    targets: _Count = 0
    groups: _Count = 0
    counts: dict[str, dict[str, float]] = {}
    about: _Text = ""


def check_result(data: Any, path: Path) -> None:
    """Refuse a result that lacks a field, holds another kind of value, or names a file elsewhere.

    Args:
        data: what the JSON file holds.
        path: of the file, for the message.

    Raises:
        AffinityZooError: with the field that is wrong.
    """
    found = _convert(data, ResultFile, path, "a result", "run evaluate again")
    file = found.predictions.file
    if Path(file).name != file or file in (".", "..") or "\\" in file:
        raise AffinityZooError(
            f"{path} names predictions outside its folder ({file!r}): refused; run evaluate again"
        )
    for text in (found.model.name, found.benchmark.name, *found.metrics):
        if any(unicodedata.category(letter) in ("Cc", "Cf", "Zl", "Zp") for letter in text):
            raise AffinityZooError(f"{path} holds a name with control characters ({text!r}): refused")


def check_benchmark(data: Any, path: Path) -> None:
    """Refuse a benchmark's file that lacks a field or holds another kind of value.

    Args:
        data: what the JSON file holds.
        path: of the file, for the message.

    Raises:
        AffinityZooError: with the field that is wrong.
    """
    _convert(data, BenchmarkFile, path, "a benchmark", "add it again")


def _convert(data: Any, form: Any, path: Path, what: str, remedy: str) -> Any:
    try:
        return msgspec.convert(data, form)
    except (msgspec.ValidationError, RecursionError) as error:
        raise AffinityZooError(f"{path} is damaged: not {what} ({error}); {remedy}") from error
