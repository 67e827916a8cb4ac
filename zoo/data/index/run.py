"""Indexing of a folder of structures: the function behind ``affinity-zoo index``."""

from __future__ import annotations

import csv
import re
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from affinity_zoo import __version__
from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.data.index.build import FAILURE_COLUMNS, Builder, table_columns
from affinity_zoo.zoo.data.index.publish import BUILDING, check_out, parts_of, publish, set_aside_failures
from affinity_zoo.zoo.data.layouts.plan import Plan
from affinity_zoo.zoo.data.layouts.recognise import Hints, recognise
from affinity_zoo.zoo.data.readers import ReadOptions
from affinity_zoo.zoo.data.readers.bond_templates import smiles_of
from affinity_zoo.zoo.data.splits.groups import (
    DEFAULT_FRACTIONS,
    check_fractions,
    split_groups,
    write_index_splits,
)
from affinity_zoo.zoo.data.store.columns import write_columns
from affinity_zoo.zoo.data.store.dataset import (
    FORMAT,
    INDEX_FILE,
    INTEGERS,
    MANIFEST_FILE,
    NUMBERS,
    Dataset,
)
from affinity_zoo.zoo.runtime.files import csv_lines, csv_rows, whole, write_json
from affinity_zoo.zoo.runtime.notebook import ShownInNotebooks
from affinity_zoo.zoo.runtime.parallel import ordered_map
from affinity_zoo.zoo.runtime.terminal import progress as progress_bar


@dataclass(frozen=True)
class IndexSummary(ShownInNotebooks):
    """Summary of an indexing."""

    out: str  #: the folder
    layout: str  #: recognised layout of the source
    rows: int  #: pairs in the index
    failed: int  #: rows of failures.csv
    receptors: int  #: receptor structures
    by_label: dict[str, int]  #: rows by source and pose_label
    reasons: dict[str, int]  #: failures by reason
    splits: dict[str, int]  #: rows of each split
    untyped_atoms: int
    seconds: float
    resumed: bool = False  #: whether it continued a stopped run
    notes: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """Exit code. 0: all inputs were read; 3: some failed; 1: no input is usable."""
        return 1 if not self.rows else 3 if self.failed else 0

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return asdict(self)


def build_index(
    source: str | Path,
    out: str | Path,
    *,
    workers: int | None = None,
    npy: bool = False,
    options: ReadOptions | None = None,
    progress: bool = True,
    fractions: Sequence[float] = DEFAULT_FRACTIONS,
    seed: int = 0,
    timeout: float | None = 120.0,
    overwrite: bool = False,
    hints: Hints | None = None,
    make_executor: Callable[[], Executor] | None = None,
    keep_failures: bool = True,
) -> IndexSummary:
    """Read every complex of a source and write an index.

    Args:
        source: a folder (or file) in one of the layouts of ``docs/formats.md``.
        out: the folder to make: store, ``database_index.csv``, ``failures.csv``, the three sets.
        workers: processes; None: one for each processor, 0: none.
        npy: also write the ancestor's arrays of four columns under ``out/npy``.
        options: What is kept of waters, alternate locations and models, and how atoms are typed.
        progress: show a bar where stderr is a terminal.
        fractions: of train, validation and test, by group.
        seed: of the split.
        timeout: seconds that one file may take.
        overwrite: replace an index that is already there.
        hints: information that the source lacks: names of columns, the receptor, the ligand's residue.
        make_executor: factory of an executor other than the local pool (see :func:`ordered_map`).
        keep_failures: write the list of failures where no file could be read.

    Returns:
        The counts. An interrupted run continues at the next call.

    Raises:
        AffinityZooError: no layout fits, no file could be read, or ``out`` holds something else.
    """
    started = time.monotonic()
    options = options or ReadOptions()
    fractions = check_fractions(fractions)
    if workers is not None and workers < 0:
        raise UsageError(f"`workers` is 0 or more, not {workers}")
    source, out = Path(source), Path(out)
    hints = hints or Hints()
    plan = replace(recognise(source, hints), smiles=smiles_of(hints.smiles))
    check_out(out, source, overwrite)
    builder = Builder(plan, out / BUILDING, options, table_columns(plan))
    resumed = builder.state.receptors_done
    run = partial(ordered_map, workers=workers, timeout=timeout, make_executor=make_executor)
    total = len(plan.receptors()) + len(plan.items)
    with _bar(progress, total) as advance:
        builder.receptors(run, advance)
        if resumed:
            advance(len(plan.receptors()))
        if not builder.state.complete:
            builder.poses(run, advance)
    _finish(builder, plan, options)
    if not builder.state.rows:
        reasons = _reasons(builder.folder / "failures.csv")
        listed = set_aside_failures(builder.folder, out) if keep_failures else None
        shutil.rmtree(builder.folder, ignore_errors=True)
        most = f"; most often: {next(iter(reasons))}" if reasons else ""
        where = f"; see {listed}" if listed else ""
        raise AffinityZooError(f"nothing in {source} could be read ({plan.layout}){most}{where}")
    write_columns(builder.folder, builder.folder / INDEX_FILE, INTEGERS, NUMBERS)
    publish(builder.folder, out)
    data = Dataset.open(out)
    if npy:
        from affinity_zoo.zoo.data.index.npy import write_npy

        write_npy(data)
    count = split_dataset(data, fractions=fractions, seed=seed)
    return IndexSummary(
        out=str(out),
        layout=plan.layout,
        rows=len(data),
        failed=builder.state.failures + len(plan.failures),
        receptors=data.store.receptors,
        by_label=_by_label(data),
        reasons=_reasons(out / "failures.csv"),
        splits=count,
        untyped_atoms=builder.state.untyped,
        seconds=time.monotonic() - started,
        resumed=resumed,
        notes=[*plan.notes, *_empty_sets(count, fractions)],
    )


def split_dataset(
    data: Dataset, *, fractions: Sequence[float] = DEFAULT_FRACTIONS, seed: int = 0
) -> dict[str, int]:
    """Split an index by its column ``group`` and write the three sets; return the rows of each.

    Args:
        data: The index.
        fractions: Fractions of train, validation and test.
        seed: Seed of the random order.
    """
    column = data.column("group")
    # share one text per group
    groups = [sys.intern(g) for k in range(0, len(data), 65536) for g in column[k : k + 65536].tolist()]
    places = split_groups(groups, fractions, seed)
    how = {"by": "receptor", "fractions": list(fractions), "seed": seed, "groups": len(set(groups))}
    return write_index_splits(data.path, places, how)


def _bar(shown: bool, total: int) -> Any:
    from contextlib import nullcontext

    return progress_bar("indexing", total, "structures") if shown else nullcontext(lambda n=1: None)


def _finish(builder: Builder, plan: Plan, options: ReadOptions) -> None:
    """Join the parts and write the manifest in the building folder."""
    folder, state = builder.folder, builder.state
    with whole(folder / INDEX_FILE) as handle:
        handle.write(csv_lines(builder.columns, []))
        for line in _unique_ids(parts_of(folder, "rows")):
            handle.write(line)
    with whole(folder / "failures.csv") as handle:
        handle.write(csv_lines(FAILURE_COLUMNS, [asdict(f) for f in plan.failures]))
        for path in sorted(folder.glob("failures-*.csv")):
            handle.write(path.read_text(encoding="utf-8"))
    manifest = {
        "format": FORMAT,
        "made_by": f"affinity-zoo {__version__}",
        "layout": plan.layout,
        "source": str(plan.root.resolve()),
        "rows": state.rows,
        "failures": state.failures + len(plan.failures),
        "untyped_atoms": state.untyped,
        "read_options": options.as_dict(),
        "split_complexes": plan.split,
        "bond_templates": plan.smiles,
        "notes": plan.notes,
        "store": {"receptors": state.receptor_shards, "ligands": state.ligand_shards},
    }
    write_json(folder / MANIFEST_FILE, manifest)


def _unique_ids(rows: Iterator[list[str]]) -> Iterator[str]:
    """Yield CSV lines; a repeated id gets a number."""
    import io

    seen: set[str] = set()
    for row in rows:
        name, n = row[0], 2
        while row[0] in seen:
            row[0] = f"{name}~{n}"
            n += 1
        seen.add(row[0])
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerow(row)
        yield out.getvalue()


def _by_label(data: Dataset) -> dict[str, int]:
    count: Counter[str] = Counter()
    for source, pose, active, affinity in csv_rows(
        data.path / INDEX_FILE, ["source", "pose_label", "active", "affinity"]
    ):
        said = [f"pose_label {pose}"] if pose else []
        said += [f"active {active}"] if active else []
        said += ["affinity"] if affinity else []
        count[", ".join([source or "poses", *(said or ["no label"])])] += 1
    return dict(sorted(count.items()))


def _empty_sets(count: dict[str, int], fractions: Sequence[float]) -> list[str]:
    empty = [name for name, share in zip(count, fractions, strict=True) if share > 0 and not count[name]]
    return [f"too few groups to split: no rows for {' and '.join(empty)}"] if empty else []


def _reasons(path: Path) -> dict[str, int]:
    """Count failures of one kind, most frequent first; each kind is named by its first reason."""
    count: Counter[str] = Counter()
    first: dict[str, str] = {}
    with open(path, encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            kind = re.sub(r"'[^']*'|\S*/\S*", "...", row["reason"])
            kind = f"{row['stage']}: {re.sub(r'[-0-9.]*[0-9]', 'N', kind)}"
            first.setdefault(kind, f"{row['stage']}: {row['reason']}")
            count[kind] += 1
    return {first[kind]: n for kind, n in count.most_common()}
