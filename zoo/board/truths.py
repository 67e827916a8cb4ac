"""True values of a benchmark's pairs, read from its index instead of result files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import UNSCORED, Predictions
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.board.benchmarks import FOLDER, Benchmark, is_table, load, pairs_of, select_rows
from affinity_zoo.zoo.board.results import Result
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.judging.predictions import from_dataset, hash_texts, labels_hash
from affinity_zoo.zoo.scorers.rescored import OF_BENCHMARK

LEVELS = 5  #: folders above a result in which benchmarks are looked for

_Key: TypeAlias = tuple[str, str, tuple[str, ...], str]


@dataclass(frozen=True, eq=False)
class Truth:
    """The pairs of a benchmark: truths, groups, molecules, targets and sources; the scores are NaN."""

    name: str
    labels_hash: str
    pairs: Predictions
    dataset: Dataset | None  #: None: the benchmark travelled without its structures
    rows: NDArray[np.int64]  #: of the index

    def judged(self, scored: Predictions) -> Predictions:
        """Combine scores by id with the pairs of the benchmark; an unlisted pair has no score.

        Args:
            scored: of a model, in any order.

        Raises:
            AffinityZooError: an id occurs twice or does not belong to the benchmark.
        """
        if len(scored) == len(self.pairs) and np.array_equal(scored.id, self.pairs.id):
            # as the index has them: the ids of a benchmark are unique
            given = {k: v for k, v in scored.extra.items() if k not in (*OF_BENCHMARK, UNSCORED)}
            return replace(self.pairs, score=scored.score, extra={**given, **self.pairs.extra})
        if len(np.unique(scored.id)) < len(scored):
            raise AffinityZooError("an id occurs more than once")
        foreign = scored.id[~np.isin(scored.id, self.pairs.id)]
        if len(foreign):
            raise AffinityZooError(
                f"{len(foreign)} of its {len(scored)} pairs do not belong to the benchmark {self.name} "
                f"(such as {foreign[0]})"
            )
        if not len(scored):
            raise AffinityZooError("it contains no pair")
        order = np.argsort(scored.id, kind="stable")
        place = np.searchsorted(scored.id, self.pairs.id, sorter=order)
        place = order[np.minimum(place, len(order) - 1)]
        found = scored.id[place] == self.pairs.id
        extra = {
            name: _taken(column[place], found)
            for name, column in scored.extra.items()
            if name not in (*OF_BENCHMARK, UNSCORED)
        }
        score = np.where(found, scored.score[place], np.nan)
        return replace(self.pairs, score=score, extra={**extra, **self.pairs.extra})


def _taken(column: NDArray[Any], found: NDArray[np.bool_]) -> NDArray[Any]:
    if column.dtype.kind in "US":
        return np.where(found, column, "")
    return column if found.all() else np.where(found, column.astype(np.float64), np.nan)


@dataclass(eq=False)
class Truths:
    """Finds the truths of results: from benchmarks that were added, else from the index that a result names."""

    benchmarks: dict[tuple[str, str], Benchmark] = field(default_factory=dict)  #: by content and labels hash
    _datasets: dict[tuple[str, str], Dataset | None] = field(default_factory=dict)
    _known: dict[_Key, Truth | None] = field(default_factory=dict)
    _folders: set[Path] = field(default_factory=set)

    @classmethod
    def beside(cls, paths: Iterable[Path]) -> Truths:
        """Return the benchmarks in these folders or their parents.

        Args:
            paths: Files and folders.
        """
        made = cls()
        for path in paths:
            made.look(Path(path))
        return made

    def look(self, path: Path) -> None:
        """Find benchmarks in a folder and its parents; damaged files are ignored.

        Args:
            path: The file.
        """
        resolved = path.resolve()
        for folder in [resolved, *list(resolved.parents)[:LEVELS]]:
            if folder in self._folders:
                continue
            self._folders.add(folder)
            for file in sorted((folder / FOLDER).glob("*.json")):
                try:
                    found = load(file)
                except AffinityZooError:
                    continue
                self.benchmarks.setdefault((found.hash, found.labels_hash), found)

    def of(self, result: Result) -> Truth | None:
        """Return the truths of a result's benchmark; None: its index is missing or has changed.

        Args:
            result: One model or baseline, judged on one benchmark.
        """
        self.look(result.path)
        entry = result.benchmark
        content, labels = str(entry["hash"]), str(entry["labels_hash"])
        known = self.benchmarks.get((content, labels)) or next(
            (b for b in self.benchmarks.values() if (b.hash, b.name) == (content, entry["name"])), None
        )
        if known is not None and (
            found := self._truth(known.name, content, known.path, known.split, known.sources)
        ):
            return found if found.labels_hash == known.labels_hash else None
        sources = tuple(entry.get("sources") or ())
        paths = dict.fromkeys(
            [str(entry.get("path") or ""), *(b.path for b in self.benchmarks.values() if b.hash == content)]
        )
        split = str(entry.get("split") or "all")
        truths = (self._truth(str(entry["name"]), content, path, split, sources) for path in paths if path)
        return next((truth for truth in truths if truth is not None), None)

    def _truth(
        self, name: str, content: str, path: str, split: str, sources: tuple[str, ...]
    ) -> Truth | None:
        key = (content, split, sources, path)
        if key not in self._known:
            self._known[key] = self._read(name, content, path, split, sources)
        return self._known[key]

    def _read(self, name: str, content: str, path: str, split: str, sources: tuple[str, ...]) -> Truth | None:
        known = next((b for b in self.benchmarks.values() if b.path == path and is_table(b)), None)
        if known is not None:
            return self._from_table(known)
        dataset = self._dataset(content, path)
        if dataset is None:
            return None
        try:
            rows = select_rows(dataset, split, sources)
            pairs = from_dataset(dataset, rows, np.full(len(rows), np.nan))
        except AffinityZooError:
            return None
        return Truth(name, labels_hash(pairs), pairs, dataset, rows)

    @staticmethod
    def _from_table(benchmark: Benchmark) -> Truth | None:
        """The pairs of a benchmark that travelled; only one that was added here is read."""
        try:
            pairs = pairs_of(benchmark)
        except AffinityZooError:
            return None
        return Truth(benchmark.name, labels_hash(pairs), pairs, None, np.arange(len(pairs)))

    def _dataset(self, content: str, path: str) -> Dataset | None:
        """The index in a folder, if it is there and holds this content."""
        if (content, path) not in self._datasets:
            try:
                dataset = Dataset.open(path)
                self._datasets[content, path] = dataset if dataset.content_hash == content else None
            except (AffinityZooError, OSError):
                self._datasets[content, path] = None
        return self._datasets[content, path]


def pairs_hash(predictions: Predictions) -> str:
    """Return a hash of everything except scores: ids, truths, groups, molecules, targets, sources.

    Args:
        predictions: Scores and truths of N rows.
    """
    order = np.argsort(predictions.id, kind="stable")
    digest = hashlib.sha256(labels_hash(predictions).encode())
    for column in (predictions.group, predictions.target, predictions.molecule, predictions.source):
        hash_texts(digest, column, order)
        digest.update(b"\0")
    return digest.hexdigest()
