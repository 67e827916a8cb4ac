"""The leaderboard, built from result files."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.board.results import RESULT_NAME, Result, load_result, origin_of
from affinity_zoo.zoo.board.standing import is_rival
from affinity_zoo.zoo.board.trainings import families, output_of
from affinity_zoo.zoo.board.truths import Truths
from affinity_zoo.zoo.board.verify import believed
from affinity_zoo.zoo.judging.judge import Metric, plain

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
class BoardRow:
    """One model or baseline on one benchmark."""

    name: str
    featurizer: str
    architecture: str
    baseline: bool
    metrics: dict[str, Metric]
    results: list[Result]
    overlap: str = ""
    kind: str = "model"  #: model, baseline, external or consensus
    coverage: float = 1.0  #: share of the pairs that have a score; of several trainings the smallest
    notes: list[str] = field(default_factory=list)
    unseen: Metric | None = None  #: the board's first figure on the rows without overlap with the training


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


def merge_seeds(results: Sequence[Result]) -> list[BoardRow]:
    """One row for each model; trainings that differ in their seed only are one row, the mean of each figure.

    The interval is then the mean interval of the seeds, widened by half their spread on each side;
    ``details["seeds"]`` holds the single values.

    Args:
        results: Results of one benchmark; several may be trainings of one recipe.
    """
    return [_row(members) for members in families(results)]


def _row(members: list[Result]) -> BoardRow:
    first = members[0]
    metrics = (
        first.metrics
        if len(members) == 1
        else {
            key: _mean([m.metrics[key] for m in members])
            for key in first.metrics
            if all(key in m.metrics for m in members)
        }
    )
    notes = [f"{len(members)} trainings"] if len(members) > 1 else []
    failed = max(int(m.data.get("n_failed") or 0) for m in members)
    if failed:
        notes.append(f"{failed} inputs failed in indexing")
    training = first.data.get("training") or {}
    if training.get("epochs"):
        notes.append(f"{training['epochs']} epoch{'s' if training['epochs'] != 1 else ''}")
    if training.get("shuffled_labels"):
        notes.append("control: labels shuffled")
    notes += [f"added from {origin}" for origin in dict.fromkeys(map(origin_of, members)) if origin]
    model = first.model
    if model.get("note"):
        notes.append(str(model["note"]))
    return BoardRow(
        row_name(members), _featurizer(first) or _origin(first), str(model.get("architecture") or ""),
        first.is_baseline, metrics, members, _overlap(members),
        first.kind, min(_coverage(member) for member in members), notes, _unseen(members),
    )  # fmt: skip


def _unseen(members: Sequence[Result]) -> Metric | None:
    """The figure of a row on what its trainings have not seen; None: not known for one of them."""
    found = [member.unseen for member in members if member.unseen is not None]
    if len(found) < len(members):
        return None
    return found[0] if len(found) == 1 else _mean(found)


def _origin(result: Result) -> str:
    """Placeholder for the featurizer of a row whose scores come from elsewhere."""
    if result.kind == "external":
        program = str(result.model.get("program") or "")
        return f"external ({program})" if program else "external"
    if result.kind == "consensus":
        return "consensus"
    return ""


def _overlap(members: Sequence[Result]) -> str:
    """Return the overlap of the trainings of a row: the first that is not none."""
    said = [str((member.data.get("overlap") or {}).get("verdict", "")) for member in members]
    return next((words for words in said if not words.startswith("none")), said[0])


def _coverage(result: Result) -> float:
    """Share of the benchmark's pairs that a result has a score for."""
    rows = int(result.benchmark.get("rows") or 0)
    return 1.0 - int(result.data.get("n_unscored") or 0) / rows if rows else 1.0


def rivals_of(rows: Sequence[BoardRow]) -> list[BoardRow]:
    """The rows of baselines that models are compared with, in the order of the board.

    Args:
        rows: Best first, as on the board.
    """
    return [row for row in rows if row.baseline and is_rival(row.results[0])]


def row_name(members: Sequence[Result]) -> str:
    """Return the name of a row: the model's name, or for several trainings featurizer+architecture(options).

    Args:
        members: Results of the row.
    """
    model = members[0].model
    changed = _changed_options(
        str(model.get("architecture") or ""), dict(model.get("architecture_options") or {})
    )
    combination = f"{_featurizer(members[0])}+{model.get('architecture', '')}{changed}"
    if output := output_of(members[0]):
        combination += f" by {output}"
    return combination if len(members) > 1 else str(model.get("name") or combination)


def _changed_options(architecture: str, options: dict[str, Any]) -> str:
    """``(filters=16)``: the options that are not the defaults; empty where the architecture is not installed."""
    from affinity_zoo.zoo.catalog.registry import catalog

    if not options:
        return ""
    try:
        usual = catalog().create("architecture", architecture, {}).options()
    except AffinityZooError:
        return ""
    changed = [
        f"{key}={value}" for key, value in options.items() if plain(usual.get(key, value)) != plain(value)
    ]
    return f"({', '.join(changed)})" if changed else ""


def _featurizer(result: Result) -> str:
    """The featurizer of a result's model, and which part of the complex it sees where that is not both."""
    parts = dict(result.model.get("featurizer_options") or {}).get("parts", "both")
    return str(result.model.get("featurizer") or "") + (
        f" ({parts} only)" if parts not in ("both", "") else ""
    )


def _mean(metrics: Sequence[Metric]) -> Metric:
    values = [m.value for m in metrics]
    mean = sum(values) / len(values)
    spread = math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1))
    low = sum(m.low for m in metrics) / len(metrics) - spread / 2
    high = sum(m.high for m in metrics) / len(metrics) + spread / 2
    details = {"seeds": values, "spread": spread}
    return replace(metrics[0], value=mean, low=low, high=high, details=details)
