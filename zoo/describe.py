"""What `list`, `show` and `plugins list` say, as JSON-ready values."""

from __future__ import annotations

from typing import Any

from affinity_zoo.plugins.contracts import Box
from affinity_zoo.plugins.kinds import KINDS
from affinity_zoo.plugins.options import REQUIRED, option_help, options_of
from affinity_zoo.plugins.registry import Entry, Plugin


def entry_summary(entry: Entry) -> dict[str, Any]:
    """Return one row of `list`."""
    return {
        "name": entry.name,
        "aliases": list(entry.aliases),
        "summary": entry.summary,
        "state": entry.state,
        "distribution": entry.origin.distribution,
        "version": entry.origin.version,
        "builtin": entry.builtin,
        "reason": entry.reason,
        "remedy": entry.remedy,
    }


def entry_details(entry: Entry) -> dict[str, Any]:
    """Return everything `show` says: summary, options, input, output and where it comes from."""
    shown = {"kind": entry.kind, **entry_summary(entry)}
    if entry.cls is None:
        return shown
    sentences = option_help(entry.cls)
    shown["module"] = f"{entry.cls.__module__}.{entry.cls.__qualname__}"
    shown["reference"] = entry.cls.reference
    shown["options"] = [
        {
            "name": option.name,
            "type": option.type_text,
            "default": None if option.default is REQUIRED else option.default,
            "required": option.default is REQUIRED,
            "help": sentences.get(option.name, ""),
        }
        for option in options_of(entry.cls)
    ]
    shown["input"], shown["output"] = _DESCRIBERS[entry.kind](entry.cls)
    return shown


def plugin_state(plugin: Plugin) -> dict[str, Any]:
    """Return one row of `plugins list`."""
    return {
        "name": plugin.name,
        "state": plugin.state,
        "reason": plugin.reason,
        "remedy": plugin.remedy,
        "distribution": plugin.origin.distribution,
        "version": plugin.origin.version,
        "module": plugin.origin.module,
        "builtin": plugin.builtin,
        "import_seconds": round(plugin.seconds, 4),
        "provides": plugin.provides(),
        "notes": plugin.notes,
    }


def singular(plural: str) -> str:
    """Return the kind that a plural names."""
    return next(kind.name for kind in KINDS.values() if kind.plural == plural)


def _box_text(box: Box | None) -> str:
    return "any box" if box is None else f"{box.side}^3 voxels of {box.spacing:g} Å"


def _featurizer(cls: Any) -> tuple[str, str]:
    try:
        names = cls().channels
        channels = f"{len(names)} channels: {', '.join(names)}"
    except Exception as error:  # an option without a default, or the plugin's own fault
        channels = f"channels depend on the options ({error})"
    default = _box_text(cls.default_box)
    return (
        "the heavy atoms of a receptor and a ligand pose",
        f"image (D, D, D, C) float32, {cls.voxelization}, {default} by default; {channels}",
    )


def _architecture(cls: Any) -> tuple[str, str]:
    made_for = "any box" if cls.default_box is None else f"made for {_box_text(cls.default_box)}"
    return (
        f"image (batch, D, D, D, C) float32, {made_for}, any number of channels",
        "(batch, outputs) float32: a logit for pose and activity, pK for affinity",
    )


def _scorer(cls: Any) -> tuple[str, str]:
    direction = {"higher": "higher is better", "lower": "lower is better", "none": "no direction"}[
        cls.direction
    ]
    return (
        f"a ranking with one of the truths {', '.join(cls.truths)}",
        f"one number in {cls.unit}, {direction}",
    )


def _baseline(cls: Any) -> tuple[str, str]:
    return (
        "a receptor, a ligand pose and its row of the index",
        f"one number in {cls.unit}, {cls.direction} ranks first",
    )


_DESCRIBERS = {
    "featurizer": _featurizer,
    "architecture": _architecture,
    "scorer": _scorer,
    "baseline": _baseline,
}
