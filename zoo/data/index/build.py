"""Building of an index: shards and tables in order, written atomically and resumable.

All files are built in ``DATA/.building``. Its ``state.json`` lists finished parts: receptor shards
first, then one ligand shard with its part of the table for each fixed range of rows. Unlisted parts are
built again, with the same bytes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.zoo.data.index.work import ItemPose, PoseTask, ReceptorTask, do_poses, do_receptor, untyped
from affinity_zoo.zoo.data.layouts.plan import Plan
from affinity_zoo.zoo.data.readers import Failure, PoseRecord, ReadOptions
from affinity_zoo.zoo.data.readers.bound import Foreign, foreign_residues, lying_on
from affinity_zoo.zoo.data.readers.formats import stem
from affinity_zoo.zoo.data.readers.records import molecule_of
from affinity_zoo.zoo.data.store.dataset import COLUMNS
from affinity_zoo.zoo.data.store.shards import Store, write_shard
from affinity_zoo.zoo.runtime.files import csv_lines, file_hash, write_bytes, write_json
from affinity_zoo.zoo.runtime.parallel import Done, Lost

RECEPTORS_PER_SHARD: Final = 64
ROWS_PER_SHARD: Final = 2048
_FOREIGN: Final = 256  #: receptors of which residues that may be ligands are kept
FAILURE_COLUMNS: Final = ("file", "record", "stage", "reason")

Map = Callable[..., Iterator[Done[Any, Any]]]


@dataclass
class State:
    """Progress of the building, stored in ``state.json``."""

    fingerprint: str
    receptor_shards: list[dict[str, Any]] = field(default_factory=list)
    receptors_done: bool = False
    ligand_shards: list[dict[str, Any]] = field(default_factory=list)
    task: int = 0  #: next task
    skip: int = 0  #: finished poses of that task
    rows: int = 0
    failures: int = 0
    untyped: int = 0
    complete: bool = False


class Builder:
    """Builds the store and the parts of the table of one plan."""

    def __init__(self, plan: Plan, folder: Path, options: ReadOptions, columns: tuple[str, ...]) -> None:
        self.plan, self.folder, self.options, self.columns = plan, folder, options, columns
        self.receptor_numbers: dict[str, int] = {}
        self.receptor_failures: dict[str, Failure] = {}
        self.receptor_findings: dict[str, list[str]] = {}
        self._foreign: dict[str, list[Foreign]] = {}
        self.state = self._resume()

    def _resume(self) -> State:
        fingerprint = self.plan.fingerprint(self.options.as_dict())
        path = self.folder / "state.json"
        if path.is_file():
            try:
                state = State(**json.loads(path.read_text(encoding="utf-8")))
                if state.fingerprint == fingerprint:
                    return state
            except (ValueError, TypeError):
                pass
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "store").mkdir(parents=True)
        return State(fingerprint)

    def _save(self) -> None:
        write_json(self.folder / "state.json", asdict(self.state))

    # -- receptors -------------------------------------------------------------------------------

    def receptors(self, run: Map, advance: Callable[[int], None]) -> None:
        """Read all receptors into their shards. They are few, so an unfinished phase restarts.

        Args:
            run: Map over a pool or a cluster.
            advance: Called with the number of finished items.
        """
        table = self.folder / "receptors.json"
        if not self.state.receptors_done:
            self._read_receptors(run, advance)
            write_json(
                table,
                {
                    "numbers": self.receptor_numbers,
                    "failures": _plain(self.receptor_failures),
                    "findings": self.receptor_findings,
                },
            )
            self.state.receptors_done = True
            self._save()
        known = json.loads(table.read_text(encoding="utf-8"))
        self.receptor_numbers = known["numbers"]
        self.receptor_failures = {file: Failure(**f) for file, f in known["failures"].items()}
        self.receptor_findings = known.get("findings", {})

    def _read_receptors(self, run: Map, advance: Callable[[int], None]) -> None:
        pending: list[Atoms] = []
        self.state.receptor_shards = []
        self.state.untyped = 0
        root = self.plan.root.resolve()  # a worker of a cluster has another working folder
        tasks = (ReceptorTask(root, file, self.options, self.plan.split) for file in self.plan.receptors())
        for done in run(do_receptor, tasks, chunk=2):
            atoms, findings, failure = _receptor_result(done)
            if failure is not None:
                self.receptor_failures[done.item.file] = failure
            else:
                assert atoms is not None
                self.receptor_numbers[done.item.file] = len(self.receptor_numbers)
                self.state.untyped += untyped(atoms)
                pending.append(atoms)
                if findings:
                    self.receptor_findings[done.item.file] = findings
            if len(pending) == RECEPTORS_PER_SHARD:
                self._receptor_shard(pending)
                pending = []
            advance(1)
        if pending:
            self._receptor_shard(pending)

    def _receptor_shard(self, atoms: list[Atoms]) -> None:
        name = f"receptors-{len(self.state.receptor_shards):05d}.shard"
        self.state.receptor_shards.append(self._shard(name, atoms))

    def _shard(self, name: str, atoms: list[Atoms]) -> dict[str, Any]:
        path = self.folder / "store" / name
        write_shard(path, atoms)
        return {"file": name, "structures": len(atoms), "sha256": file_hash(path)}

    # -- poses -----------------------------------------------------------------------------------

    def poses(self, run: Map, advance: Callable[[int], None]) -> None:
        """Read all poses into shards and parts of the table, starting at the saved state.

        Args:
            run: Map over a pool or a cluster.
            advance: Called with the number of finished items.
        """
        state = self.state
        skip, part = state.skip, _Part()
        groups = self.plan.groups()
        root = self.plan.root.resolve()
        numbered = enumerate(self.plan.tasks())
        tasks = (
            PoseTask(
                root,
                tuple(task.items),
                self.options,
                self.plan.split,
                task.first,
                task.last,
                self.plan.smiles,
            )
            for number, task in numbered
            if number >= state.task
        )
        for number, done in enumerate(run(do_poses, tasks, chunk=16), state.task):
            found = _pose_results(done)
            for i, pose in enumerate(found):
                if i < skip:
                    continue
                self._add(part, pose, groups)
                if len(part.atoms) == ROWS_PER_SHARD:
                    self._close(part, number, i + 1)
                    part = _Part()
            skip = 0
            advance(0 if done.item.first else len(done.item.items))
        if part.atoms or part.failures or not state.ligand_shards:
            self._close(part, -1, 0)
        state.complete = True
        self._save()

    def _add(self, part: _Part, found: ItemPose, groups: dict[str, str]) -> None:
        item, pose = found.item, found.pose
        failure = pose.failure
        lost = self.receptor_failures.get(item.receptor)
        if failure is None and lost is not None:
            failure = Failure(
                item.ligand, pose.record, "receptor", f"its receptor {lost.file} failed: {lost.reason}"
            )
        if failure is not None or pose.atoms is None:
            part.failures.append(asdict(failure) if failure else {})
            return
        truths = [str(item.values["_notes"])] if item.values.get("_notes") else []
        part.rows.append(
            {
                "molecule": molecule_of(
                    pose.name, stem(Path(item.ligand)) if self.plan.by_file else item.target
                ),
                "docking_score": pose.docking_score,
                "group": groups[item.receptor],
                **item.values,
                "id": found.row_id,
                "receptor": item.receptor,
                "ligand": item.ligand,
                "record": pose.record,
                "target": item.target,
                "receptor_structure": self.receptor_numbers[item.receptor],
                "ligand_structure": len(self.receptor_numbers) + self.state.rows + len(part.atoms),
                "notes": "; ".join([*truths, *pose.notes, *self._of_receptor(item.receptor, pose.atoms)]),
                "hydrogens": pose.hydrogens if pose.hydrogens >= 0 else None,
            }
        )
        part.untyped += untyped(pose.atoms)
        part.atoms.append(pose.atoms)

    def _of_receptor(self, file: str, ligand: Atoms) -> list[str]:
        """Anomalies of a row's receptor, and residues of it that overlap with the pose."""
        found = [f"receptor: {note}" for note in self.receptor_findings.get(file, [])]
        if file not in self._foreign:
            if len(self._foreign) >= _FOREIGN:
                self._foreign.clear()
            shards = {"receptors": self.state.receptor_shards, "ligands": []}
            atoms = Store(self.folder / "store", shards).atoms(self.receptor_numbers[file])
            self._foreign[file] = foreign_residues(atoms)
        return [*found, *(str(bound) for bound in lying_on(self._foreign[file], ligand)[:1])]

    def _close(self, part: _Part, task: int, skip: int) -> None:
        state, number = self.state, len(self.state.ligand_shards)
        if part.atoms:
            state.ligand_shards.append(self._shard(f"ligands-{number:05d}.shard", part.atoms))
        write_bytes(
            self.folder / f"rows-{number:05d}.csv", csv_lines(self.columns, part.rows, False).encode()
        )
        failures = csv_lines(FAILURE_COLUMNS, part.failures, False)
        write_bytes(self.folder / f"failures-{number:05d}.csv", failures.encode())
        state.rows += len(part.atoms)
        state.failures += len(part.failures)
        state.untyped += part.untyped
        state.task, state.skip = task, skip
        self._save()


@dataclass
class _Part:
    """The rows of one ligand shard during collection."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    atoms: list[Atoms] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    untyped: int = 0


def table_columns(plan: Plan) -> tuple[str, ...]:
    """Our columns and further columns of the source.

    Args:
        plan: Files, poses and further columns of the source.
    """
    return COLUMNS + tuple(c for c in plan.extra if c not in COLUMNS)


def _receptor_result(done: Done[Any, Any]) -> tuple[Atoms | None, list[str], Failure | None]:
    if isinstance(done.value, Lost):
        return None, [], Failure(done.item.file, -1, done.value.stage, done.value.reason)
    return done.value


def _pose_results(done: Done[Any, Any]) -> list[ItemPose]:
    if not isinstance(done.value, Lost):
        return done.value
    return [
        ItemPose(
            item,
            "",
            PoseRecord(
                item.record,
                "",
                failure=Failure(item.ligand, item.record, done.value.stage, done.value.reason),
            ),
        )
        for item in done.item.items
    ]


def _plain(failures: dict[str, Failure]) -> dict[str, dict[str, Any]]:
    return {file: asdict(f) for file, f in failures.items()}
