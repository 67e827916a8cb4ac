"""Read scores of other programs: tables, SDF records, Boltz's JSON files, DiffDock's file names."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.plugins.names import nearest
from affinity_zoo.zoo.data.readers.base import ReadError
from affinity_zoo.zoo.data.readers.formats import read_bytes
from affinity_zoo.zoo.data.readers.sdf_records import split_records
from affinity_zoo.zoo.evaluation.score_formats import KnownScore, known_score, preferred

IDS = (
    "id",
    "pair",
    "name",
    "pose",
)  #: columns and properties that are read as the id; the first one present is used
_DIFFDOCK = re.compile(r"^(rank\d+)_confidence(-?\d+(?:\.\d+)?)$")
_BOLTZ = re.compile(r"^(affinity|confidence)_(.+?)(_model_\d+)?$")


class ExternalScore(NamedTuple):
    """One score and the ids that it may belong to."""

    id: str
    file: str  #: name of the file of the pose, empty for a table
    record: int  #: in that file, from 0
    score: float  #: NaN: none given
    where: str  #: for messages


@dataclass(frozen=True)
class ScoreFile:
    """Scores of a file or folder."""

    column: str
    known: KnownScore | None  #: None: the direction must be given
    rows: list[ExternalScore]


def read_scores(path: Path, column: str | None = None, id_column: str | None = None) -> ScoreFile:
    """Read the scores in a file or folder.

    Args:
        path: a CSV or TSV file, an SDF file, a folder of SDF files, or the output folder of Boltz or DiffDock.
        column: column or property that holds the score; None: ``score``, or the first that a known program writes.
        id_column: column or property that holds the id; None: the first of :data:`IDS`, in an SDF else its title.

    Raises:
        UsageError: there is no such column, or none is known; the message lists them.
        AffinityZooError: the file cannot be read, or a cell is no number.
    """
    if not path.exists():
        raise AffinityZooError(f"{path} does not exist: give a file or a folder of scores")
    if path.is_dir():
        return _from_folder(path, column, id_column)
    if path.name.lower().endswith((".sdf", ".sdf.gz", ".sd")):
        return _from_sdf([path], column, id_column)
    return _from_table(path, column, id_column)


def _from_table(path: Path, column: str | None, id_column: str | None) -> ScoreFile:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            first = file.readline()
            file.seek(0)
            reader = csv.reader(file, delimiter="\t" if "\t" in first and "," not in first else ",")
            names = [name.strip() for name in next(reader, [])]
            cells = [row for row in reader if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise AffinityZooError(f"{path} cannot be read as a table of scores: {error}") from error
    at, known = _column(path, names, column)
    key = _id_column(path, names, id_column)
    rows = []
    for number, row in enumerate(cells, 2):
        if len(row) != len(names):
            raise AffinityZooError(f"{path}: line {number} has {len(row)} cells, not {len(names)}")
        where = f"{path}, line {number}"
        rows.append(ExternalScore(row[key].strip(), "", 0, _number(row[at], where, names[at]), where))
    return ScoreFile(names[at], known, rows)


def _column(path: Path, names: Sequence[str], wanted: str | None) -> tuple[int, KnownScore | None]:
    """Return the number of the score's column and its known properties."""
    if wanted is None:
        found = "score" if "score" in names else getattr(preferred(list(names)), "name", None)
        if found is None:
            raise UsageError(
                f"{path} has no known column of scores ({', '.join(names)}): give its name with `column`"
            )
        wanted = found
    if wanted not in names:
        raise UsageError(
            f"{path} has no column {wanted!r}{nearest(wanted, names)}: it has {', '.join(names)}"
        )
    _once(path, names, wanted)
    return list(names).index(wanted), known_score(wanted)


def _id_column(path: Path, names: Sequence[str], wanted: str | None) -> int:
    found = wanted if wanted is not None else next((name for name in IDS if name in names), "")
    if found not in names:
        what = f"no column {wanted!r}" if wanted is not None else f"none of the columns {', '.join(IDS)}"
        raise UsageError(f"{path} has {what} that identifies the pairs: it has {', '.join(names)}")
    _once(path, names, found)
    return list(names).index(found)


def _once(path: Path, names: Sequence[str], wanted: str) -> None:
    if list(names).count(wanted) > 1:
        raise UsageError(f"{path} has two columns {wanted!r}: rename one")


def _number(text: str, where: str, column: str) -> float:
    text = text.strip()
    if text.lower() in ("", "nan", "na", "n/a", "none", "null"):
        return math.nan
    try:
        value = float(text)
        if "_" in text:  # Python reads 1_000 as a number
            raise ValueError
    except ValueError:
        raise AffinityZooError(f"{where}: {column} is {text!r}, which is not a number") from None
    if math.isinf(value):
        raise AffinityZooError(f"{where}: {column} is infinite: leave the cell empty where there is no score")
    return value


def _from_folder(path: Path, column: str | None, id_column: str | None) -> ScoreFile:
    for read in (_from_boltz, _from_diffdock):
        if (found := read(path, column)) is not None:
            return found
    files = sorted(file for file in path.rglob("*") if file.name.lower().endswith((".sdf", ".sdf.gz", ".sd")))
    if not files:
        raise AffinityZooError(f"{path} contains no SDF file and is not an output of Boltz or DiffDock")
    return _from_sdf(files, column, id_column)


def _from_sdf(files: Sequence[Path], column: str | None, id_column: str | None) -> ScoreFile:
    """Properties of SDF records; the id is a property, else the title."""
    rows: list[ExternalScore] = []
    known = known_score(column) if column is not None else None
    for file in files:
        for record, properties in enumerate(_sdf_records(file)):
            if column is None:
                known = preferred(list(properties))
                column = known.name if known is not None else "score" if "score" in properties else None
                if column is None:
                    listed = ", ".join(name for name in properties if name != "_Name") or "none"
                    raise UsageError(
                        f"{file} has no known property with a score ({listed}): give its name with `column`"
                    )
            where = f"{file}, record {record + 1}"
            key = id_column or next((name for name in IDS if name in properties), "_Name")
            value = _number(properties.get(column, ""), where, column)
            rows.append(ExternalScore(properties.get(key, ""), file.name, record, value, where))
    if column is None:
        raise AffinityZooError(f"{files[0]} contains no record")
    if all(math.isnan(row.score) for row in rows):
        raise UsageError(f"no record of {files[0]} has the property {column!r}")
    return ScoreFile(column, known, rows)


def _sdf_records(path: Path) -> Iterator[dict[str, str]]:
    """The properties of each record, its title as ``_Name``; structures are not read.

    Records are cut as :mod:`~affinity_zoo.zoo.data.readers.sdf_records` cuts them for the readers of structures.
    """
    if not path.stat().st_size:
        return
    try:
        data = read_bytes(path)
    except ReadError as error:
        raise AffinityZooError(f"{path} cannot be read as an SDF file: {error.reason}") from error
    for record in split_records(data):
        lines = record.decode("utf-8", "replace").split("\n")
        properties, name = {"_Name": lines[0].strip()}, ""
        for text in lines:
            if text.startswith(">") and "<" in text:
                name = text[text.index("<") + 1 : text.rindex(">")] if ">" in text[1:] else ""
            elif name:
                properties[name] = text.strip()
                name = ""
        yield properties


def _from_boltz(path: Path, column: str | None) -> ScoreFile | None:
    """``affinity_<id>.json`` and ``confidence_<id>_model_0.json``, as Boltz writes them."""
    tables: dict[str, dict[str, Any]] = {}
    for file in sorted(path.rglob("*.json")):
        match = _BOLTZ.match(file.stem)
        if match is None or match[3] not in (None, "_model_0"):
            continue
        try:
            data = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise AffinityZooError(f"{file} cannot be read: {error}") from error
        if isinstance(data, Mapping):
            numbers = {key: value for key, value in data.items() if isinstance(value, int | float)}
            tables.setdefault(match[2], {}).update(numbers)
    if not tables:
        return None
    names = list(dict.fromkeys(name for table in tables.values() for name in table))
    at, known = _column(path, names, column)
    rows = [
        ExternalScore(
            key, "", 0, _number(str(table.get(names[at], "")), f"{path}, {key}", names[at]), f"{path}, {key}"
        )
        for key, table in tables.items()
    ]
    return ScoreFile(names[at], known, rows)


def _from_diffdock(path: Path, column: str | None) -> ScoreFile | None:
    """``<complex>/rank1_confidence-0.53.sdf``: the id is ``<complex>/rank1``, of the first rank ``<complex>`` too."""
    rows = []
    for file in sorted(path.rglob("*.sdf")):
        if match := _DIFFDOCK.match(file.stem):
            rows.append(
                ExternalScore(f"{file.parent.name}/{match[1]}", file.name, 0, float(match[2]), str(file))
            )
    if not rows or column not in (None, "confidence"):
        return None
    return ScoreFile("confidence", known_score("confidence"), rows)
