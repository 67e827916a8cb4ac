"""Benchmarks: labelled rows with a name and hashes that identify them.

A benchmark is a sealed JSON file ``summaries/benchmarks/<name>.json``. It points at an index and says
which rows of it, and holds the hash of the index's content and that of the rows' ids and truths.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Predictions
from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.plugins.names import nearest
from affinity_zoo.zoo.board.results import seal_of, write_sealed
from affinity_zoo.zoo.board.schema import check_benchmark
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.judging.predictions import TRUTHS, from_dataset, labels_hash, read_predictions

FORMAT = "affinity-zoo benchmark"
FOLDER = "benchmarks"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


@dataclass(frozen=True)
class Benchmark:
    """Rows of an index, with their hashes at the time of registration."""

    name: str
    hash: str  #: content of the index: table and structures
    labels_hash: str  #: ids and truths of the rows
    path: str
    split: str = "all"
    sources: tuple[str, ...] = ()
    rows: int = 0
    targets: int = 0
    groups: int = 0
    counts: dict[str, dict[str, float]] = field(default_factory=dict)  #: by truth
    about: str = ""

    def as_result_entry(self) -> dict[str, Any]:
        """Return the description of the benchmark in a result."""
        return {
            "name": self.name,
            "hash": self.hash,
            "path": self.path,
            "split": self.split,
            "sources": self.sources,
        }


def select_rows(dataset: Dataset, split: str, sources: Sequence[str]) -> NDArray[np.int64]:
    """Select the rows of a split from some sources (empty: all).

    Args:
        dataset: The index.
        split: ``train``, ``validation``, ``test`` or ``all``.
        sources: Sources of the poses; empty: all.

    Raises:
        AffinityZooError: there are none, or the index has no pose from one of the sources.
    """
    rows = dataset.rows(split)
    if sources:
        rows = rows[np.isin(dataset.column("source")[rows], list(sources))]
    if not len(rows):
        wanted = f" from {', '.join(sources)}" if sources else ""
        raise AffinityZooError(f"{dataset.path}: no rows in the split {split!r}{wanted}; try `split='all'`")
    known = set(dataset.column("source").tolist()) if sources else set()
    if unknown := [source for source in sources if source not in known]:
        named = sorted(known - {""})
        raise AffinityZooError(
            f"{dataset.path}: no rows from the source {unknown[0]!r}{nearest(unknown[0], named)}: its sources are "
            f"{', '.join(named) or 'not stated'}"
        )
    return rows


def describe(
    name: str, dataset: Dataset, split: str = "all", sources: Sequence[str] = (), about: str = ""
) -> Benchmark:
    """Make a benchmark of some rows.

    Args:
        name: Name under which the benchmark is registered.
        dataset: The index.
        split: ``train``, ``validation``, ``test`` or ``all``.
        sources: Sources of the poses; empty: all.
        about: A description.

    Raises:
        UsageError: the name is not made of lower-case letters, digits, dots, dashes.
        AffinityZooError: there are no rows, or none has a truth.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"a benchmark's name has lower-case letters, digits, dots and dashes, not {name!r}")
    rows = select_rows(dataset, split, sources)
    table = from_dataset(dataset, rows, np.full(len(rows), np.nan))
    counted = {str(truth): _count(truth, getattr(table, truth)) for truth in TRUTHS}
    counts = {truth: count for truth, count in counted.items() if count}
    if not counts:
        raise AffinityZooError(
            f"{dataset.path} has no labels: a benchmark needs pose_label, active, affinity or rmsd"
        )
    return Benchmark(
        name, dataset.content_hash, labels_hash(table), str(dataset.path.resolve()), split, tuple(sources), len(rows),
        len(np.unique(table.target)), len(np.unique(table.group)), counts, about,
    )  # fmt: skip


def add(root: Path, benchmark: Benchmark, swap: bool = False) -> Path:
    """Write a benchmark below ``root`` (the summaries folder).

    Args:
        root: The summaries folder.
        benchmark: Registered set: its name, hash, rows and sources.
        swap: Replace a benchmark of the same name.

    Raises:
        AffinityZooError: another one has this name already.
    """
    path = Path(root) / FOLDER / f"{benchmark.name}.json"
    if path.is_file() and not swap:
        old = load(path)
        if (old.hash, old.labels_hash) != (benchmark.hash, benchmark.labels_hash):
            raise AffinityZooError(
                f"{path} already contains a benchmark {benchmark.name!r} with other content; choose another name, "
                "or give `replace=True`"
            )
    return write_sealed(path, {"format": FORMAT, "version": 1, **asdict(benchmark)})


def load(path: Path) -> Benchmark:
    """Read a benchmark's file.

    Args:
        path: The file.

    Raises:
        AffinityZooError: the file is not a benchmark, or was edited.
    """
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise AffinityZooError(f"{path} cannot be read as a benchmark: {error}; add it again") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise AffinityZooError(
            f"{path} is not a benchmark of affinity-zoo; `affinity-zoo benchmarks add` writes them"
        )
    if data.get("seal") != seal_of(data):
        raise AffinityZooError(
            f"{path} was edited after it was written (its checksum differs); add the benchmark again"
        )
    return from_dict(data, Path(path))


def from_dict(data: Any, path: Path) -> Benchmark:
    """A benchmark from what its file holds.

    Args:
        data: the JSON object.
        path: of the file, for messages.

    Raises:
        AffinityZooError: a field is missing or of another kind.
    """
    check_benchmark({"format": FORMAT, **data} if isinstance(data, dict) else data, path)
    known = {key: value for key, value in data.items() if key in Benchmark.__dataclass_fields__}
    return Benchmark(**{**known, "sources": tuple(known.get("sources", ()))})


def is_name(name: str) -> bool:
    """Return whether a name is allowed for a benchmark.

    Args:
        name: Name under which the benchmark is registered.
    """
    return _NAME.fullmatch(name) is not None


def is_table(benchmark: Benchmark) -> bool:
    """Return whether the benchmark was added from an archive, as a table without structures.

    Args:
        benchmark: Registered set: its name, hash, rows and sources.
    """
    return benchmark.path.endswith(".csv")


def pairs_of(benchmark: Benchmark) -> Predictions:
    """The pairs and truths of a benchmark, without scores.

    Args:
        benchmark: Registered set: its name, hash, rows and sources.

    Raises:
        AffinityZooError: its index or table cannot be read.
    """
    if is_table(benchmark):
        rows = read_predictions(Path(benchmark.path))
        return replace(rows, score=np.full(len(rows), np.nan))
    dataset = Dataset.open(benchmark.path)
    rows_ = select_rows(dataset, benchmark.split, benchmark.sources)
    return from_dataset(dataset, rows_, np.full(len(rows_), np.nan))


def load_all(root: Path) -> list[Benchmark]:
    """Return all benchmarks below ``root`` by name; an edited one raises an error.

    Args:
        root: The summaries folder.
    """
    return [load(path) for path in sorted((Path(root) / FOLDER).glob("*.json"))]


def find(root: Path, name: str) -> Benchmark:
    """The benchmark of this name.

    Args:
        root: The summaries folder.
        name: Name under which the benchmark is registered.

    Raises:
        AffinityZooError: there is none; the message says which there are.
    """
    path = Path(root) / FOLDER / f"{name}.json"
    if not path.is_file():
        known = ", ".join(p.stem for p in sorted((Path(root) / FOLDER).glob("*.json"))) or "none yet"
        raise AffinityZooError(
            f"there is no benchmark {name!r} in {root} (there are: {known}); `benchmarks add` makes one"
        )
    return load(path)


def check(benchmark: Benchmark) -> str:
    """Check that the index is unchanged; return an empty text, or a sentence on the change.

    Args:
        benchmark: Registered set: its name, hash, rows and sources.
    """
    try:
        if is_table(benchmark):
            same = labels_hash(pairs_of(benchmark)) == benchmark.labels_hash
            return "" if same else f"the ids or labels in {benchmark.path} are not those of the benchmark"
        dataset = Dataset.open(benchmark.path)
        now = describe(benchmark.name, dataset, benchmark.split, benchmark.sources)
    except AffinityZooError as error:
        return str(error)
    if now.labels_hash != benchmark.labels_hash:
        return f"the ids or labels in {benchmark.path} are not those of the benchmark any more"
    if now.hash != benchmark.hash:
        return f"the table or the structures in {benchmark.path} are not those of the benchmark any more"
    return ""


def _count(truth: str, values: NDArray[np.float64]) -> dict[str, float]:
    known = values[np.isfinite(values)]
    if not len(known):
        return {}
    if truth in ("pose_label", "active"):
        return {"P": float((known > 0.5).sum()), "N": float((known < 0.5).sum())}
    return {"rows": float(len(known)), "lowest": float(known.min()), "highest": float(known.max())}
