"""Decoys for a whole index: the function under ``affinity-zoo decoys``."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from affinity_zoo import __version__
from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.decoys.cross import choose_guests
from affinity_zoo.zoo.decoys.displace import SIMILAR
from affinity_zoo.zoo.decoys.methods import method_of
from affinity_zoo.zoo.decoys.tasks import complex_names, crystal_rows, make_tasks, result_names
from affinity_zoo.zoo.decoys.work import Method, make_complex
from affinity_zoo.zoo.runtime.files import text_hash, write_csv, write_json
from affinity_zoo.zoo.runtime.parallel import Lost, ordered_map
from affinity_zoo.zoo.runtime.terminal import progress as progress_bar

COLUMNS = (
    "file", "record", "id", "complex", "kind", "pose_label", "target", "group", "molecule", "rmsd", "docking_score",
    "mismatch", "seed", "n_heavy",
)  # fmt: skip
#: the table that `affinity-zoo index` reads where one file holds the poses of a complex
INDEX_COLUMNS = (
    "id", "receptor", "ligand", "record", "target", "molecule", "pose_label", "rmsd", "docking_score", "group",
    "source",
)  # fmt: skip
PARTS = ".parts"


@dataclass(frozen=True)
class DecoySummary:
    """Summary of the generated decoys."""

    out: str
    method: str
    complexes: int  #: written
    decoys: int
    positives: dict[str, int]  #: poses by kind, decoys not among them
    fewer: dict[str, int]  #: complexes with fewer decoys than requested, and their numbers
    failed: dict[str, str]  #: complexes without a result, and the reason
    dropped: dict[str, int]  #: poses by the reason they were dropped
    resumed: int  #: complexes that an earlier run had finished
    seconds: float
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """Exit code. 0: success; 3: some complexes failed; 1: all failed."""
        return 1 if not self.complexes else 3 if self.failed else 0

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self)


def make_decoys(
    data: str | Path,
    out: str | Path,
    *,
    method: str | Method = "dock",
    per_ligand: int = 10,
    min_rmsd: float = 4.0,
    seed: int = 0,
    workers: int | None = None,
    timeout: float | None = 600.0,
    progress: bool = True,
    make_executor: Callable[[], Executor] | None = None,
) -> DecoySummary:
    """Make decoys for every crystal pose of an index, in the ancestor's folders, ready for ``index``.

    A run that was stopped continues: complexes that are finished are not made again.

    Args:
        data: a folder that ``affinity-zoo index`` made.
        out: the folder to write.
        method: ``dock`` (Vina, the ``[docking]`` extra), ``displace`` (moved and turned, matched on contacts and
            burial), or ``sample`` (Vina with small budgets: many poses at all distances, for training); or a method
            with options of its own.
        per_ligand: decoys wanted for each crystal pose.
        min_rmsd: Å; every decoy is farther from the crystal pose (the ancestor: 6).
        seed: each complex has its own, made from this and its id.
        workers: processes; None: one for each processor; 0: none.
        timeout: seconds for one complex.
        progress: show a bar where stderr is a terminal.
        make_executor: where to run instead of the local processes, for example a Dask cluster that sees the same
            folders.

    Raises:
        UsageError: a bad option, or ``out`` was made with other parameters.
        AffinityZooError: no index, no crystal pose in it, or the docking programs are missing.
    """
    begin = time.monotonic()
    if per_ligand < 1 or not min_rmsd > 0:
        raise UsageError(
            f"`per_ligand` is 1 or more and `min_rmsd` above 0 Å, not {per_ligand} and {min_rmsd}"
        )
    how = method_of(method) if isinstance(method, str) else method
    dataset, out = Dataset.open(data), Path(out)
    programs = how.programs()
    parameters = {
        "method": how.name, "per_ligand": per_ligand, "min_rmsd": min_rmsd, "seed": seed,
        "data_hash": dataset.content_hash, "affinity_zoo": __version__, **programs,
        "options": how.as_dict(),
        "similar": SIMILAR,
    }  # fmt: skip
    _claim(out, parameters)
    names = complex_names(dataset, crystal_rows(dataset))
    guests = choose_guests(dataset, names, how.guests, seed, workers) if how.guests else {}
    results = result_names(names, guests)
    done = {name: part for name in results if (part := _part(out, name)) is not None}
    resumed = len(done)
    tasks = make_tasks(
        dataset,
        names,
        guests,
        folder=out.resolve(),
        method=how,
        count=per_ligand,
        min_rmsd=min_rmsd,
        seed=seed,
    )
    tasks = (task for task in tasks if task.id not in done)
    failed: dict[str, str] = {}
    with progress_bar(how.name, len(results), "complexes") as advance:
        advance(resumed)
        for result in ordered_map(
            make_complex, tasks, workers=workers, chunk=1, timeout=timeout, make_executor=make_executor
        ):
            if isinstance(result.value, Lost):
                failed[result.item.id] = _why(result.value, timeout)
            else:
                write_json(out / PARTS / f"{result.item.id}.json", result.value)
                done[result.item.id] = result.value
            advance(1)
    parts = [done[name] for name in results if name in done]
    write_csv(out / "manifest.csv", COLUMNS, (row for part in parts for row in part["rows"]))
    if how.indexed:
        write_csv(
            out / "index.csv", INDEX_COLUMNS, (_index_row(row) for part in parts for row in part["rows"])
        )
    summary = _summary(out, how.kind, parts, failed, resumed, parameters, time.monotonic() - begin)
    write_json(out / "decoys.json", summary.as_dict())
    return summary


def _why(lost: Lost, timeout: float | None) -> str:
    if lost.stage in ("timeout", "crash"):
        limit = f"it took longer than {timeout:g} s or " if timeout is not None else ""
        return f"{limit}ended its worker process: raise `timeout`, or lower `exhaustiveness`"
    return lost.reason


def _index_row(row: dict[str, Any]) -> dict[str, Any]:
    source = "crystal" if row["kind"] == "crystal" else "sampled"
    return {**row, "receptor": f"receptors/{row['complex']}.pdb", "ligand": row["file"], "source": source}


def _claim(out: Path, parameters: dict[str, Any]) -> None:
    """Create the folder, or check that it is an earlier run with the same parameters."""
    path = out / "parameters.json"
    mark = text_hash(json.dumps(parameters, sort_keys=True))
    if path.is_file():
        try:
            same = json.loads(path.read_text(encoding="utf-8"))["hash"] == mark
        except (ValueError, KeyError, TypeError):
            same = False
        if not same:
            raise UsageError(
                f"{out} contains decoys made from other data or with other parameters: give a new folder"
            )
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is not empty and not a folder of decoys: give a new folder")
    write_json(path, {"hash": mark, "parameters": parameters})


def _part(out: Path, name: str) -> dict[str, Any] | None:
    """The result of an earlier run, if it is whole."""
    try:
        part = json.loads((out / PARTS / f"{name}.json").read_text(encoding="utf-8"))
        return part if all((out / row["file"]).is_file() for row in part["rows"]) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _summary(
    out: Path,
    kind: str,
    parts: list[dict[str, Any]],
    failed: dict[str, str],
    resumed: int,
    parameters: dict[str, Any],
    seconds: float,
) -> DecoySummary:
    kinds = Counter(row["kind"] for part in parts for row in part["rows"])
    dropped: Counter[str] = Counter()
    for part in parts:
        dropped.update(part["dropped"])
    wanted = parameters["per_ligand"]
    return DecoySummary(
        out=str(out),
        method=parameters["method"],
        complexes=len(parts),
        decoys=sum(part["decoys"] for part in parts),
        positives={k: n for k, n in sorted(kinds.items()) if k != kind},
        fewer={
            part["id"]: part["decoys"] for part in parts if part["decoys"] < wanted and not part.get("cross")
        },
        failed=failed,
        dropped=dict(dropped.most_common()),
        resumed=resumed,
        seconds=round(seconds, 2),
        parameters=parameters,
    )
