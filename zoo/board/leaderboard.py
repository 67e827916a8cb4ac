"""The leaderboard, built from result files."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.board.results import RESULT_NAME, Result, load_result
from affinity_zoo.zoo.board.rows import BoardRow, merge_seeds
from affinity_zoo.zoo.board.truths import Truths
from affinity_zoo.zoo.board.verify import believed

ARROWS = {"higher": "↑", "lower": "↓", "none": ""}


@dataclass(frozen=True, eq=False)
class MetricColumn:
    """One metric of a board."""

    key: str
    unit: str
    direction: str
    truth: str
    counted: str = ""  #: number of units behind the metrics: "314 of 388 complexes"

    @property
    def heading(self) -> str:
        """Name, unit and which way is better: ``roc-auc, fraction ↑``."""
        unit = f", {self.unit}" if self.unit else ""
        return f"{self.key}{unit} {ARROWS[self.direction]}".rstrip()


@dataclass(frozen=True, eq=False)
class Board:
    """All rows of one benchmark, best first by the first column."""

    benchmark: str
    content_hash: str
    rows: list[BoardRow]
    columns: list[MetricColumn]
    labels: str = ""  #: hash of ids and truths
    pairs: int = 0
    sorted_by: str = ""
    intervals: str = ""  #: what the bootstrap drew: "60 groups"
    left_out: dict[str, str] = field(
        default_factory=dict
    )  #: metrics without a value in any row, and the reason
    refused: list[str] = field(default_factory=list)  #: files that were not believed, with the reason
    verified: bool = False  #: every figure was computed again, by the truths of the benchmark's index

    @property
    def checked(self) -> str:
        """State in a sentence the data behind the metrics."""
        if self.verified:
            return "Every figure and interval was computed from the scores and the benchmark's own labels."
        return "The benchmark's index is not available: labels and groups are taken from the results."


def find_results(paths: Iterable[Path]) -> list[Path]:
    """Find all ``result.json`` below files and folders, sorted, without duplicates.

    Args:
        paths: Files and folders.
    """
    found: set[Path] = set()
    for path in map(Path, paths):
        if not path.exists():
            raise AffinityZooError(
                f"{path} does not exist: give a run folder, a summaries folder or a result file"
            )
        found.update([path] if path.is_file() else path.rglob(RESULT_NAME))
    return sorted(found)


def load_all(paths: Iterable[Path], *, recompute: bool = False) -> tuple[list[Result], list[str]]:
    """Read every result, and recompute its metrics if its benchmark is available.

    Args:
        paths: result files and folders.
        recompute: compute again even what was computed on this machine before.

    Returns:
        The results, and a sentence for each that is refused: edited, damaged, or with wrong statements.
    """
    read: list[Result] = []
    refused: list[str] = []
    for path in find_results(paths):
        try:
            read.append(load_result(path))
        except AffinityZooError as error:
            refused.append(str(error))
    truths = Truths.beside(paths)
    for result in read:  # an index that one result names serves the others
        truths.of(result)
    results: list[Result] = []
    for result in read:
        try:
            results.append(believed(result, truths, thorough=recompute))
        except AffinityZooError as error:
            refused.append(str(error))
    return results, refused


def build_boards(
    paths: Iterable[Path],
    *,
    benchmark: str | None = None,
    sort_by: str | None = None,
    recompute: bool = False,
) -> list[Board]:
    """Build one board per benchmark.

    Args:
        paths: result files, run folders, summaries folders.
        benchmark: this one only, by name or by the start of its hash.
        sort_by: a metric; None: the first.
        recompute: recompute every metric even if the benchmark is not available, or where that was done on
            this machine before.

    Raises:
        AffinityZooError: no result was found, or none is usable, or the benchmark or metric is unknown.
    """
    paths = list(paths)
    results, refused = load_all(paths, recompute=recompute)
    if not results:
        places = ", ".join(map(str, paths))
        why = f": {refused[0]}" if refused else f" was found in {places}"
        raise AffinityZooError(f"no usable result{why}; `affinity-zoo evaluate RUN` makes one")
    groups: dict[tuple[str, str, str], list[Result]] = {}
    for result in results:
        entry = result.benchmark
        labels = "" if result.verified else result.pairs_hash
        groups.setdefault((str(entry["name"]), str(entry["hash"]), labels), []).append(result)
    boards = [_board(key[0], members, refused, sort_by) for key, members in groups.items()]
    boards = _told_apart(boards)
    if benchmark is not None:
        wanted = [b for b in boards if b.benchmark == benchmark or b.content_hash.startswith(benchmark)]
        if not wanted:
            known = ", ".join(sorted(b.benchmark for b in boards))
            raise AffinityZooError(
                f"no result is on a benchmark {benchmark!r}; there are results on: {known}"
            )
        boards = wanted
    return sorted(boards, key=lambda board: board.benchmark)


def _told_apart(boards: list[Board]) -> list[Board]:
    """Warn on boards of one name with different truths or groups."""
    names = [board.benchmark for board in boards]
    return [
        replace(board, benchmark=f"{board.benchmark} (labels {board.labels[:8]})")
        if names.count(board.benchmark) > 1
        else board
        for board in boards
    ]


def _board(name: str, results: Sequence[Result], refused: list[str], sort_by: str | None) -> Board:
    merged = merge_seeds(results)
    columns: dict[str, MetricColumn] = {}
    left_out: dict[str, str] = {}
    for row in sorted(merged, key=lambda r: r.baseline):
        for key, m in row.metrics.items():
            if math.isfinite(m.value):
                columns.setdefault(key, MetricColumn(key, m.unit, m.direction, m.truth, m.counted))
            elif m.note:
                left_out.setdefault(key, m.note)
    order = list(dict.fromkeys(key for row in merged for key in row.metrics))
    shown = sorted(columns.values(), key=lambda column: order.index(column.key))
    key = sort_by or (shown[0].key if shown else "")
    if key not in columns:
        raise AffinityZooError(f"no result has the metric {key!r}; there are: {', '.join(columns) or 'none'}")
    merged.sort(key=lambda row: _order(row, columns[key]))
    first = results[0].benchmark
    return Board(
        benchmark=name,
        content_hash=str(first.get("hash", "")),
        rows=merged,
        columns=shown,
        labels=str(first.get("labels_hash", "")),
        pairs=int(first.get("rows") or 0),
        sorted_by=columns[key].heading,
        intervals=_intervals(merged, key),
        left_out={name: note for name, note in left_out.items() if name not in columns},
        refused=refused,
        verified=all(result.verified for result in results),
    )


def _intervals(rows: Sequence[BoardRow], key: str) -> str:
    """Return the resampled units of the first column."""
    made: dict[str, Any] = next(
        (row.metrics[key].interval for row in rows if key in row.metrics and row.metrics[key].interval), {}
    )
    return f"{made['drawn']:,} {made['over']}" if made else ""


def _order(row: BoardRow, column: MetricColumn) -> tuple[float, str]:
    value = row.metrics[column.key].value if column.key in row.metrics else math.nan
    if not math.isfinite(value):
        return math.inf, row.name
    return (value if column.direction == "lower" else -value), row.name
