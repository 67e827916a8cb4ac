"""Decoys for a whole index: the function under ``affinity-zoo decoys``."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo import __version__
from affinity_zoo.plugins.contracts import AtomFlag, Atoms
from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.chem import symmetry
from affinity_zoo.zoo.chem.geometry import within_xyz
from affinity_zoo.zoo.data.readers.formats import stem
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.decoys.displace import SIMILAR, DisplaceOptions
from affinity_zoo.zoo.decoys.dock import DockOptions
from affinity_zoo.zoo.decoys.methods import method_of
from affinity_zoo.zoo.decoys.sample import SampleOptions
from affinity_zoo.zoo.decoys.work import DecoyTask, make_complex, residue_index, safe_name
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
    method: str = "dock",
    per_ligand: int = 10,
    min_rmsd: float = 4.0,
    seed: int = 0,
    dock: DockOptions | None = None,
    displace: DisplaceOptions | None = None,
    sample: SampleOptions | None = None,
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
            burial), or ``sample`` (Vina with small budgets: many poses at all distances, for training).
        per_ligand: decoys wanted for each crystal pose.
        min_rmsd: Å; every decoy is farther from the crystal pose (the ancestor: 6).
        seed: each complex has its own, made from this and its id.
        dock, displace, sample: options of the methods; None: the defaults.
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
    displace = displace or DisplaceOptions(count=per_ligand, min_rmsd=min_rmsd)
    how = method_of(method, {"dock": dock, "displace": displace, "sample": sample}.get(method))
    dataset, out = Dataset.open(data), Path(out)
    programs = how.programs()
    parameters = {
        "method": method, "per_ligand": per_ligand, "min_rmsd": min_rmsd, "seed": seed,
        "data_hash": dataset.content_hash, "affinity_zoo": __version__, **programs,
        "options": how.as_dict(),
        "similar": SIMILAR,
    }  # fmt: skip
    _claim(out, parameters)
    crystals = _crystals(dataset)
    template = DecoyTask("", out.resolve(), *_NOTHING, how, per_ligand, min_rmsd, seed, {})
    names = _names(dataset, crystals)
    done = {name: part for name in names.values() if (part := _part(out, name)) is not None}
    resumed = len(done)
    tasks = (t for t in _tasks(dataset, crystals, names, template) if t.id not in done)
    failed: dict[str, str] = {}
    with progress_bar(method, len(names), "complexes") as advance:
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
    parts = [done[name] for name in names.values() if name in done]
    write_csv(out / "manifest.csv", COLUMNS, (row for part in parts for row in part["rows"]))
    if method == "sample":
        write_csv(
            out / "index.csv", INDEX_COLUMNS, (_index_row(row) for part in parts for row in part["rows"])
        )
    summary = _summary(out, parts, failed, resumed, parameters, time.monotonic() - begin)
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


_NOTHING: tuple[Any, Any, list[NDArray[Any]]] = (None, None, [])


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
                f"{out} holds decoys made from other data or with other parameters: name a new folder"
            )
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is not empty and not a folder of decoys: name a new folder")
    write_json(path, {"hash": mark, "parameters": parameters})


def _crystals(dataset: Dataset) -> NDArray[np.int64]:
    """Rows that are crystal poses.

    Raises:
        AffinityZooError: there is none, or receptors are pockets.
    """
    source, label = dataset.column("source"), dataset.column("pose_label")
    rows = np.flatnonzero((source == "crystal") | ((source == "") & (label == 1)))
    if not len(rows):
        raise AffinityZooError(
            f"{dataset.path} has no crystal pose (source crystal, or pose_label 1 without a source): index a folder "
            "with crystal_ligands, or a table with a column pose_label"
        )
    receptors = dataset.column("receptor")[rows]
    pockets = [str(r) for r in receptors if re.search(r"pocket", Path(str(r)).name, re.IGNORECASE)]
    if pockets:
        raise AffinityZooError(
            f"{len(pockets)} receptors are cut pockets (the first is {pockets[0]}): decoys would lie in the cut: "
            "index the whole proteins"
        )
    return rows


def _names(dataset: Dataset, rows: NDArray[np.int64]) -> dict[int, str]:
    """Row -> name of the complex, each once."""
    found: dict[int, str] = {}
    taken: Counter[str] = Counter()
    ligand, target = dataset.column("ligand"), dataset.column("target")
    for row in rows.tolist():
        name, own = (
            safe_name(stem(Path(str(ligand[row])))).removesuffix("_crystal"),
            safe_name(str(target[row])),
        )
        name = name if name.startswith(own) else f"{own}_{name}"
        taken[name] += 1
        found[row] = name if taken[name] == 1 else f"{name}-{taken[name]}"
    return found


def _part(out: Path, name: str) -> dict[str, Any] | None:
    """The result of an earlier run, if it is whole."""
    try:
        part = json.loads((out / PARTS / f"{name}.json").read_text(encoding="utf-8"))
        return part if all((out / row["file"]).is_file() for row in part["rows"]) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _tasks(
    dataset: Dataset, rows: NDArray[np.int64], names: dict[int, str], template: DecoyTask
) -> Iterator[DecoyTask]:
    place = [_structure_key(dataset, row) for row in rows.tolist()]
    text = {c: dataset.column(c) for c in ("target", "group", "molecule")}
    files, records = dataset.column("ligand"), dataset.column("record")
    root = Path(str(dataset.manifest["source"]))
    for number, row in enumerate(rows.tolist()):
        ligand = dataset.store.atoms(int(dataset.ligand_structure[row]))
        receptor = dataset.store.atoms(int(dataset.receptor_structure[row]))
        same = [rows[k] for k in range(len(rows)) if place[k] == place[number] and k != number]
        mates = [dataset.store.atoms(int(dataset.ligand_structure[k])) for k in same]
        receptor, others = without_copies(receptor, ligand, mates)
        columns = {c: str(values[row]) for c, values in text.items()}
        source = (str(root / str(files[row])), int(records[row]))
        yield DecoyTask(**{**vars(template), "id": names[row], "receptor": receptor, "ligand": ligand, "others": others,
                      "columns": columns, "source": source})  # fmt: skip


def _structure_key(dataset: Dataset, row: int) -> str:
    """Rows with the same key lie in one crystal structure: a receptor file, or receptors named by one PDB id."""
    name = Path(str(dataset.column("receptor")[row])).name
    match = re.match(r"[1-9][a-z0-9]{3}(?=[_.-])", name, re.IGNORECASE)
    return match[0].lower() if match else f"#{dataset.receptor_structure[row]}"


def without_copies(
    receptor: Atoms, ligand: Atoms, mates: list[Atoms]
) -> tuple[Atoms, list[NDArray[np.float32]]]:
    """Remove the ligand and similar ligands from its receptor.

    Args:
        receptor: as read; it may still hold the ligand, other copies of it and cofactors.
        ligand: the crystal pose.
        mates: other crystal ligands of the same structure.

    Returns:
        The receptor without groups that lie on the ligand or are similar to it, and the positions of all similar
        ligands, other than this one, whose places a decoy must not take.
    """
    mine = _print(ligand)
    xyz = np.asarray(ligand.xyz)
    others = [m.xyz for m in mates if symmetry.similarity(mine, _print(m)) > SIMILAR and _apart(m.xyz, xyz)]
    number = residue_index(receptor)
    keep = np.ones(len(receptor), bool)
    for group in np.unique(number[(receptor.flags & AtomFlag.COFACTOR) > 0]):
        atoms = np.flatnonzero(number == group)
        part = take(receptor, atoms)
        if not _apart(part.xyz, xyz):
            keep[atoms] = False
        elif len(part) >= 6 and symmetry.similarity(mine, _print(part)) > SIMILAR:
            keep[atoms] = False
            others.append(part.xyz)
    return (receptor if keep.all() else take(receptor, np.flatnonzero(keep))), others


def _apart(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Return whether two groups are at different places: under half of the atoms of ``a`` within 1 Å of ``b``."""
    return float(within_xyz(a, b, 1.0).mean()) < 0.5


def _print(atoms: Atoms) -> Any:
    bonds = symmetry.bonds_from_distances(np.asarray(atoms.xyz, np.float64), atoms.element)
    return symmetry.fingerprint(symmetry.skeleton(atoms.element, bonds))


def take(atoms: Atoms, which: NDArray[np.int64]) -> Atoms:
    """Some atoms of a structure.

    Args:
        atoms: The atoms.
        which: Mask or atom numbers; None: all.
    """
    return Atoms(**{k: v if k == "role" else v[which] for k, v in vars(atoms).items()})


def _summary(
    out: Path,
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
        positives={k: n for k, n in sorted(kinds.items()) if k not in ("docked", "displaced")},
        fewer={part["id"]: part["decoys"] for part in parts if part["decoys"] < wanted},
        failed=failed,
        dropped=dict(dropped.most_common()),
        resumed=resumed,
        seconds=round(seconds, 2),
        parameters=parameters,
    )
