"""Checks of an index: oddities of complexes, and properties that predict the label without chemistry."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import UNTYPED, Atoms
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.chem.geometry import close_contacts, shortest_distance
from affinity_zoo.zoo.data.index.run import build_index
from affinity_zoo.zoo.data.layouts.recognise import Hints
from affinity_zoo.zoo.data.readers import ReadOptions
from affinity_zoo.zoo.data.readers.formats import suffix_of
from affinity_zoo.zoo.data.store.dataset import MANIFEST_FILE, Dataset
from affinity_zoo.zoo.runtime.files import file_hash, read_csv
from affinity_zoo.zoo.runtime.parallel import Lost, ordered_map

FAR: Final = 6.0  #: Å; a ligand whose nearest receptor atom is beyond is not bound
CUT: Final = 15.0  #: Å; a receptor with no atom beyond this from the ligand is a cut-out
ROWS_AT_ONCE: Final = 512  #: rows per task of a worker
SUSPICIOUS: Final = 0.6  #: AUC above which a property predicts the label


@dataclass(frozen=True)
class Finding:
    """One finding about one complex."""

    id: str
    what: str
    detail: str = ""


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
    findings += _duplicates(data.column("id").tolist(), digests)
    return CheckReport(len(data), len(failures), data.layout, findings, list(_predictors(data)), failures)


@dataclass(frozen=True)
class RowRange:
    """Rows that one worker looks at."""

    data: str
    mark: str  #: hash of the manifest
    first: int
    last: int


def look(piece: RowRange) -> tuple[list[Finding], list[bytes]]:
    """Return the findings of some rows, and a digest of each row's coordinates.

    Args:
        piece: Range of rows.
    """
    data, known = _opened(piece.data, piece.mark)
    findings: list[Finding] = []
    digests: list[bytes] = []
    for i in range(piece.first, piece.last):
        findings += _of_row(data, i)
        digests.append(
            b"".join(
                _digest(data, int(number), known)
                for number in (data.receptor_structure[i], data.ligand_structure[i])
            )
        )
    return findings, digests


@lru_cache(maxsize=1)
def _opened(folder: str, mark: str) -> tuple[Dataset, dict[int, bytes]]:
    return Dataset.open(folder), {}


def _of_row(data: Dataset, i: int) -> Iterator[Finding]:
    name, note = str(data.column("id")[i]), str(data.column("notes")[i])
    receptor = data.store.atoms(int(data.receptor_structure[i]))
    ligand = data.store.atoms(int(data.ligand_structure[i]))
    for what, detail in _geometry(receptor, ligand):
        yield Finding(name, what, detail)
    for role, atoms in (("receptor", receptor), ("ligand", ligand)):
        untyped = int((atoms.atom_type == UNTYPED).sum())
        if untyped == len(atoms):
            yield Finding(name, f"nothing typed in the {role}")
        elif untyped:
            yield Finding(name, f"untyped atoms in the {role}", str(untyped))
    if all(np.isnan(data.column(truth)[i]) for truth in ("pose_label", "active", "affinity", "rmsd")):
        yield Finding(name, "no truth")
    for part in note.split("; "):
        if (shown := next((w for mark, w in _NOTES.items() if mark in part), None)) is not None:
            yield Finding(name, shown, part)


#: part of a note of the readers -> what it shows
_NOTES: Final = {
    "typed from geometry": "typing fallback",
    "repaired:": "bonds repaired",
    "the ligand is in": "disconnected ligand",
    "amino acids in the ligand": "amino acids in the ligand",
    "cannot have: are the elements right": "impossible bond lengths",
    "closer than 0.8": "atoms on top of each other",
    "is in no residue template": "receptor in no template",
    "atoms of lipids": "frame of a simulation",
    "waters: a frame of a simulation": "frame of a simulation",
    "where the pose lies": "ligand in the receptor",
    "elements taken from": "elements guessed",
    "pseudo-atoms left out": "pseudo-atoms left out",
    "flexible residues left out": "flexible residues left out",
    "other residues could be the ligand": "other candidates for the ligand",
    "left out: ": "truth left out",
}


def _geometry(receptor: Atoms, ligand: Atoms) -> Iterator[tuple[str, str]]:
    distance = shortest_distance(receptor, ligand)
    if not distance <= FAR:
        yield "ligand far away", f"{distance:.1f} Å"
        return
    close = close_contacts(receptor, ligand)
    if len(close.clash):
        yield "clash", f"{len(close.clash)} pairs, nearest {distance:.2f} Å"
    if len(close.covalent):
        atom = int(close.covalent[0, 0])
        names = (receptor.residue_name[atom], receptor.chain[atom], receptor.insertion[atom])
        name, chain, code = (bytes(n).decode("utf-8", "replace") for n in names)
        residue = f"{name} {chain}{receptor.residue_number[atom]}{code}"
        yield "covalent link", f"to {residue}"
    reach = float(np.sqrt(((receptor.xyz - ligand.xyz.mean(0)) ** 2).sum(1).max()))
    if reach < CUT:
        yield "cut pocket", f"the receptor ends {reach:.1f} Å from the ligand's centre"


def _duplicates(ids: list[str], digests: list[bytes]) -> Iterator[Finding]:
    seen: dict[bytes, str] = {}
    for name, key in zip(ids, digests, strict=True):
        if "~" in name and name.rpartition("~")[2].isdigit():
            yield Finding(name, "duplicate id", name.rpartition("~")[0])
        if key in seen:
            yield Finding(name, "duplicate coordinates", f"as {seen[key]}")
        seen.setdefault(key, name)


def _digest(data: Dataset, number: int, known: dict[int, bytes]) -> bytes:
    """Return a hash of elements and positions, to 0.01 Å, independent of the order of the atoms."""
    if number not in known:
        atoms = data.store.atoms(number)
        table = np.column_stack([np.round(atoms.xyz * 100).astype(np.int64), atoms.element.astype(np.int64)])
        table = table[np.lexsort(table.T)]
        value = hashlib.blake2b(table.tobytes(), digest_size=16).digest()
        if number >= data.store.receptors:
            return value  # read each ligand once
        known[number] = value
    return known[number]


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
