"""Rows of a table that give one pose two labels: the label is left out of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Final

from affinity_zoo.zoo.data.layouts.plan import Item
from affinity_zoo.zoo.data.layouts.table_rows import UNREAD

_LABELS: Final = ("pose_label", "active")


def without_contradictions(items: Sequence[Item]) -> tuple[list[Item], list[str]]:
    """Leave labels out that contradict each other.

    Args:
        items: Poses; those of one file are neighbours.

    Returns:
        The same poses, and notes for the user.
    """
    found: list[Item] = []
    lost: dict[str, list[str]] = {}
    for file, group in groupby(items, key=lambda item: item.ligand):
        poses = list(group)
        for name in _LABELS if len(poses) > 1 else ():
            labels: dict[tuple[str, int], set[object]] = {}
            for item in poses:
                if name in item.values:
                    labels.setdefault((item.receptor, item.record), set()).add(item.values[name])
            twice = {place for place, given in labels.items() if len(given) > 1}
            if twice:
                poses = [
                    _without(item, name) if (item.receptor, item.record) in twice else item for item in poses
                ]
                lost.setdefault(name, []).append(file)
        found += poses
    notes = [
        f"{name} left out where rows of one pose contradict each other: {files[0]}"
        f"{f' and {len(files) - 1} more files' if len(files) > 1 else ''}"
        for name, files in lost.items()
    ]
    return found, notes


def _without(item: Item, name: str) -> Item:
    values = {key: value for key, value in item.values.items() if key != name}
    reason = f"{name} left out: rows of this pose contradict each other"
    values[UNREAD] = "; ".join(text for text in (str(values.get(UNREAD, "")), reason) if text)
    return replace(item, values=values)
