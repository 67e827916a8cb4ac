"""gnina's ``.types`` lists: one line per pose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from affinity_zoo.zoo.data.layouts.plan import Item, Plan
from affinity_zoo.zoo.data.layouts.recognise import Hints
from affinity_zoo.zoo.data.layouts.table_rows import MASKED, read_label, target_of
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
    extra = (MASKED,) if masked else ()
    return Plan(f"types list {source.name}", source.parent, in_file_order(items), failures, notes, extra)


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
    if len(numbers) > 1 and numbers[1]:
        values |= {"affinity": numbers[1]} if numbers[1] > 0 else {MASKED: -numbers[1]}
    if len(numbers) > 2:
        values["rmsd"] = numbers[2]
    said = [float(w) for w in comment.split() if _is_number(w)]
    if said:
        values["docking_score"] = said[-1]
    if len(said) > 1:
        values.setdefault("rmsd", said[0])
    return Item(words[1], words[0], target_of(words[0]), values=values)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
