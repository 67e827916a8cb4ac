"""gnina's ``.types`` lists: one line per pose."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from affinity_zoo.zoo.data.layouts.affinity import RANGE
from affinity_zoo.zoo.data.layouts.contradictions import without_contradictions
from affinity_zoo.zoo.data.layouts.plan import Item, Plan
from affinity_zoo.zoo.data.layouts.recognise import Hints
from affinity_zoo.zoo.data.layouts.table_rows import MASKED, UNREAD, read_label, read_rmsd, target_of
from affinity_zoo.zoo.data.layouts.tables import in_file_order, notes_of
from affinity_zoo.zoo.data.readers.base import Failure


def types(source: Path, hints: Hints) -> Plan | None:
    """gnina's ``.types`` list: label, affinity and RMSD where given, receptor, ligand, then a comment.

    Args:
        source: Folder or file.
        hints: Information that the source lacks.
    """
    if not source.is_file() or source.suffix.lower() != ".types":
        return None
    items: list[Item] = []
    failures: list[Failure] = []
    for number, line in enumerate(source.read_text(encoding="utf-8", errors="replace").splitlines()):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            items.append(_types_line(line))
        except ValueError as error:
            failures.append(
                Failure(source.name, number, "label", f"line {number + 1} of {source.name}: {error}")
            )
    masked = sum(MASKED in item.values for item in items)
    notes = ["pose_label is the first number of a line; the comment's last number is the docking score"]
    notes += notes_of({}, masked)
    lost = [str(item.values[UNREAD]) for item in items if UNREAD in item.values]
    notes += [f"{lost[0]}{f' and {len(lost) - 1} more lines' if len(lost) > 1 else ''}"] if lost else []
    extra = (MASKED,) if masked else ()
    items, contradictions = without_contradictions(in_file_order(items))
    return Plan(f"types list {source.name}", source.parent, items, failures, [*notes, *contradictions], extra)


def _types_line(line: str) -> Item:
    body, _, comment = line.partition("#")
    words = body.split()
    numbers: list[float] = []
    while words:
        try:
            numbers.append(float(words[0]))
        except ValueError:
            break
        words.pop(0)
    if len(words) < 2 or not numbers:
        raise ValueError("it has no label, receptor and ligand")
    values: dict[str, Any] = {"pose_label": read_label(f"{numbers[0]:g}", "1")}
    wrong: list[str] = []
    if len(numbers) > 1 and numbers[1]:
        if not 0 < abs(numbers[1]) <= RANGE[1]:
            wrong.append(f"affinity left out: {numbers[1]:g} is no pK")
        else:
            values |= {"affinity": numbers[1]} if numbers[1] > 0 else {MASKED: -numbers[1]}
    said = [float(w) for w in comment.split() if _is_number(w)]
    rmsd = numbers[2] if len(numbers) > 2 else said[0] if len(said) > 1 else None
    if rmsd is not None:
        try:
            values["rmsd"] = read_rmsd(f"{rmsd!r}", "3" if len(numbers) > 2 else "of the comment")
        except ValueError as error:
            wrong.append(f"rmsd left out: {error}")
    if said:
        values["docking_score"] = said[-1]
    if wrong:
        values[UNREAD] = "; ".join(wrong)
    return Item(words[1], words[0], target_of(words[0]), values=values)


def _is_number(word: str) -> bool:
    try:
        return math.isfinite(float(word))
    except ValueError:
        return False
