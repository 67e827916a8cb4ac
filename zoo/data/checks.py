"""Checks of an index: oddities of complexes, and properties that predict the label without chemistry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.data.check_rows import Finding, RowRange, look
from affinity_zoo.zoo.data.index.run import build_index
from affinity_zoo.zoo.data.layouts.recognise import Hints
from affinity_zoo.zoo.data.readers import ReadOptions
from affinity_zoo.zoo.data.readers.formats import suffix_of
from affinity_zoo.zoo.data.store.dataset import MANIFEST_FILE, Dataset
from affinity_zoo.zoo.runtime.files import file_hash, read_csv
from affinity_zoo.zoo.runtime.parallel import Lost, ordered_map

ROWS_AT_ONCE: Final = 512  #: rows per task of a worker
SUSPICIOUS: Final = 0.6  #: AUC above which a property predicts the label


@dataclass(frozen=True)
class Predictor:
    """Predictive power of a property unrelated to binding for the label."""

    truth: str
    what: str
    auc: float  #: 0.5: no prediction; 1: perfect prediction (in either direction)
    detail: str = ""

    @property
    def suspicious(self) -> bool:
        """Whether a network could learn this property instead of binding."""
        return self.auc > SUSPICIOUS


@dataclass(frozen=True)
class CheckReport:
    """Result of :func:`check`."""

    rows: int
    failed: int
    layout: str
    findings: list[Finding] = field(default_factory=list)
    predictors: list[Predictor] = field(default_factory=list)
    failures: list[dict[str, str]] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """Number of complexes by kind of finding."""
        found: dict[str, int] = {}
        for finding in self.findings:
            found[finding.what] = found.get(finding.what, 0) + 1
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return asdict(self) | {"counts": self.counts()}


def check(
    path: str | Path,
    *,
    hints: Hints | None = None,
    options: ReadOptions | None = None,
    workers: int | None = None,
    make_executor: Callable[[], Executor] | None = None,
) -> CheckReport:
    """Check an index, or a source as ``index`` would read it; nothing is written.

    Args:
        path: of the index or the source.
        hints, options: as for :func:`build_index`.
        workers: processes; None: one for each processor; 0: none.
        make_executor: factory of an executor other than the local pool (see :func:`ordered_map`).

    Raises:
        AffinityZooError: the path holds neither an index nor a known layout, or no readable file.
    """
    if (Path(path) / MANIFEST_FILE).is_file():
        return check_dataset(Dataset.open(path), workers=workers, make_executor=make_executor)
    with TemporaryDirectory(prefix="affinity-zoo-check-") as folder:
        data = Path(folder) / "data"
        build_index(
            path,
            data,
            workers=workers,
            options=options,
            hints=hints,
            make_executor=make_executor,
            keep_failures=False,
        )
        # other hosts of a cluster cannot read this folder
        return check_dataset(Dataset.open(data), workers=workers)


def check_dataset(
    data: Dataset, *, workers: int | None = 0, make_executor: Callable[[], Executor] | None = None
) -> CheckReport:
    """Check an open index.

    Args:
        workers: processes, used from a few thousand pairs on.
        make_executor: factory of an executor other than the local pool.
    """
    names, rows = read_csv(data.path / "failures.csv")
    failures = [dict(zip(names, row, strict=False)) for row in rows]
    if len(data) < 4 * ROWS_AT_ONCE and make_executor is None:
        workers = 0
    mark = file_hash(data.path / MANIFEST_FILE)
    pieces = (
        RowRange(str(data.path.resolve()), mark, first, min(first + ROWS_AT_ONCE, len(data)))
        for first in range(0, len(data), ROWS_AT_ONCE)
    )
    findings: list[Finding] = []
    digests: list[bytes] = []
    for done in ordered_map(look, pieces, workers=workers, chunk=1, make_executor=make_executor):
        if isinstance(done.value, Lost):
            raise AffinityZooError(
                f"rows {done.item.first} to {done.item.last - 1} of {data.path} cannot be checked: {done.value.reason}"
            )
        findings += done.value[0]
        digests += done.value[1]
    labels = list(zip(*(data.column(name).tolist() for name in ("pose_label", "active")), strict=True))
    findings += _duplicates(data.column("id").tolist(), digests, labels)
    return CheckReport(len(data), len(failures), data.layout, findings, list(_predictors(data)), failures)


def _duplicates(ids: list[str], digests: list[bytes], labels: list[tuple[float, ...]]) -> Iterator[Finding]:
    """Find ids and complexes that occur twice, and labels that contradict each other."""
    seen: dict[bytes, int] = {}
    for row, (name, key) in enumerate(zip(ids, digests, strict=True)):
        if "~" in name and name.rpartition("~")[2].isdigit():
            yield Finding(name, "duplicate id", name.rpartition("~")[0])
        if key not in seen:
            seen[key] = row
            continue
        yield Finding(name, "duplicate coordinates", f"as {ids[seen[key]]}")
        pairs = list(zip(labels[seen[key]], labels[row], strict=True))
        if any(abs(first - second) > 0 for first, second in pairs):  # a NaN contradicts nothing
            yield Finding(name, "contradicting labels", f"the same pose as {ids[seen[key]]}")


def _predictors(data: Dataset) -> Iterator[Predictor]:
    suffixes = [suffix_of(Path(f)) for f in data.column("ligand").tolist()]
    receptors = [_receptor_kind(f) for f in data.column("receptor").tolist()]
    notes = data.column("notes").tolist()
    hydrogens = data.column("hydrogens").astype(float) if "hydrogens" in data.columns else np.zeros(len(data))
    sizes = data.store.sizes().astype(float)
    numbers: dict[str, NDArray[np.float64]] = {
        "ligand atom count": sizes[data.ligand_structure],
        "hydrogens in the ligand's file": (hydrogens > 0).astype(float),
        "typing fallback": np.array(["typed from geometry" in n for n in notes], float),
        "receptor atom count": sizes[data.receptor_structure],
    }
    for truth in ("pose_label", "active"):
        label = data.column(truth)
        known = ~np.isnan(label)
        if len(set(label[known].tolist())) < 2:
            continue
        for what, values in numbers.items():
            yield Predictor(
                truth, what, _two_sided(values[known], label[known]), _means(values[known], label[known])
            )
        for what, kinds in (("format of the ligand", suffixes), ("kind of receptor file", receptors)):
            chosen = np.array(kinds)[known]
            best = max(
                (
                    (_two_sided((chosen == kind).astype(float), label[known]), kind)
                    for kind in sorted(set(kinds))
                ),
                key=lambda found: found[0],
            )
            yield Predictor(truth, what, *best)


def _receptor_kind(file: str) -> str:
    name = Path(file).name.lower()
    kind = next((k for k in ("pocket", "protein", "receptor") if k in name), "")
    return f"{kind} {suffix_of(Path(file))}".strip()


def _two_sided(values: NDArray[np.float64], label: NDArray[np.float64]) -> float:
    """AUC of the better direction; ties count half."""
    _, inverse, count = np.unique(values, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[inverse]
    positive = label == 1
    p, n = int(positive.sum()), int((~positive).sum())
    auc = (rank[positive].sum() - p * (p + 1) / 2) / (p * n)
    return float(max(auc, 1 - auc))


def _means(values: NDArray[np.float64], label: NDArray[np.float64]) -> str:
    return f"mean {values[label == 1].mean():.3g} where 1, {values[label == 0].mean():.3g} where 0"
