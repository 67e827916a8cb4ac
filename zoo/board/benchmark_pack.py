"""Benchmark archives: pairs and labels, or only ids and hashes, without structures."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.board.benchmarks import (
    FOLDER,
    Benchmark,
    add,
    check,
    find,
    from_dict,
    is_name,
    pairs_of,
    select_rows,
)
from affinity_zoo.zoo.board.pack import unpack, write_archive
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.judging.predictions import from_dataset, labels_hash, write_predictions
from affinity_zoo.zoo.runtime.files import whole

FORMAT = "affinity-zoo benchmark pack"
TABLE = "pairs.csv"
IDS = "ids.txt"
ABOUT = "benchmark.json"


def pack_benchmark(name: str, out: Path, *, root: Path, ids_only: bool = False) -> Benchmark:
    """Write a benchmark into an archive.

    Args:
        name: of the benchmark.
        out: the ZIP file.
        root: the summaries folder.
        ids_only: only the ids and hashes, if labels must not be passed on.

    Raises:
        AffinityZooError: there is no such benchmark, or its index changed.
    """
    benchmark = find(root, name)
    if changed := check(benchmark):
        raise AffinityZooError(f"benchmark {name!r} cannot be packed: {changed}")
    pairs = pairs_of(benchmark)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        about = {key: value for key, value in asdict(benchmark).items() if key != "path"}
        (folder / ABOUT).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
        files = {ABOUT: folder / ABOUT}
        if ids_only:
            (folder / IDS).write_text("\n".join(pairs.id.tolist()) + "\n", encoding="utf-8")
            files[IDS] = folder / IDS
        else:
            files[TABLE] = write_predictions(folder / TABLE, pairs)
        write_archive(out, files, {"format": FORMAT, "version": 1})
    return benchmark


def add_benchmark(
    source: Path, *, root: Path, name: str | None = None, data: Path | None = None, swap: bool = False
) -> Benchmark:
    """Register a benchmark from an archive.

    Args:
        source: what :func:`pack_benchmark` wrote.
        root: the summaries folder.
        name: what it will be called here; None: as it was.
        data: the same index on this machine, where it is here; needed where only ids travelled.
        swap: take the name from another content.

    Raises:
        UsageError: only ids travelled and no index is named.
        AffinityZooError: the archive is damaged, or the index is not the benchmark's.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        unpack(source, folder, FORMAT, (ABOUT, TABLE, IDS))
        try:
            about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise AffinityZooError(f"{source} contains no benchmark: {error}") from error
        benchmark = from_dict({**about, "path": ""}, source)
        if not is_name(name or benchmark.name):
            raise UsageError(
                f"{name or benchmark.name!r} is not a valid name of a benchmark: use lower-case letters, "
                "digits, dots and dashes"
            )
        benchmark = replace(benchmark, name=name or benchmark.name)
        if data is not None:
            return _of_index(benchmark, data, root, swap)
        if not (folder / TABLE).is_file():
            raise UsageError(f"{source} contains ids only: give the index that they belong to (`data`)")
        place = root / FOLDER / f"{benchmark.name}.{TABLE}"
        made = replace(benchmark, path=str(place.resolve()))
        if wrong := check(replace(made, path=str(folder / TABLE))):
            raise AffinityZooError(f"{source}: {wrong}; get the file again")
        add(root, made, swap)
        with (folder / TABLE).open("rb") as read, whole(place, "wb") as write:
            shutil.copyfileobj(read, write)
    return made


def _of_index(benchmark: Benchmark, data: Path, root: Path, swap: bool) -> Benchmark:
    """Return the benchmark of a local index, if it is the same."""
    dataset = Dataset.open(data)
    made = replace(benchmark, path=str(dataset.path.resolve()))
    if dataset.content_hash != benchmark.hash:
        raise AffinityZooError(
            f"{data} is not the index of the benchmark {benchmark.name!r}: its content differs"
        )
    rows = select_rows(dataset, made.split, made.sources)
    if labels_hash(from_dataset(dataset, rows, np.full(len(rows), np.nan))) != benchmark.labels_hash:
        raise AffinityZooError(
            f"{data} has other rows in the split {made.split!r} than the benchmark {made.name!r}"
        )
    add(root, made, swap)
    return made
