"""Output of `list`, `show` and `plugins list` as JSON-ready values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from affinity_zoo.plugins.contracts import Box
from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.plugins.kinds import KINDS, names_of
from affinity_zoo.plugins.names import canonical, nearest
from affinity_zoo.plugins.options import REQUIRED, option_help, options_of
from affinity_zoo.plugins.registry import Plugin, PluginEntry, Registry


def entry_summary(entry: PluginEntry) -> dict[str, Any]:
    """Return one row of `list`.

    Args:
        entry: Name, kind and class of one part.
    """
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


def entry_details(entry: PluginEntry) -> dict[str, Any]:
    """Return the output of `show`: summary, options, input, output and origin.

    Args:
        entry: Name, kind and class of one part.
    """
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
    """Return one row of `plugins list`.

    Args:
        plugin: Installed plugin, loaded or not.
    """
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


def conformance(
    registry: Registry, name: str | None = None, start: Callable[[], object] = lambda: None
) -> list[dict[str, Any]]:
    """Run the conformance checks; a plugin that cannot be loaded gives a failed report.

    Args:
        registry: registry of the classes.
        name: a class's name or alias, a plugin or a distribution; None: all plugins.
        start: called before the first check of a class, to start Keras.

    Raises:
        UsageError: no plugin has this name.
    """
    from affinity_zoo.plugins.testing import check

    reports: list[dict[str, Any]] = []
    plugins = [p for p in registry.plugins() if not p.builtin or name is not None]
    wanted = None if name is None else canonical(name)
    for plugin in plugins:
        whole = wanted is None or (
            not plugin.builtin and wanted in (plugin.origin.distribution, canonical(plugin.name))
        )
        if whole and plugin.state == "failed":
            said = f"{plugin.reason} ({plugin.remedy})"
            loads = {"check": "It can be loaded", "state": "failed", "message": said}
            reports.append({"kind": "plugin", "name": plugin.name, "ok": False, "results": [loads]})
        for kind, classes in plugin.classes.items():
            for cls in classes:
                if whole or wanted in names_of(cls):
                    start()
                    report = check(kind, cls)
                    results = [asdict(result) for result in report.results]
                    reports.append({"kind": kind, "name": report.name, "ok": report.ok, "results": results})
    if name is not None and not reports:
        known = [text for p in plugins for text in (p.name, p.origin.distribution)]
        known += [text for p in plugins for names in p.provides().values() for text in names]
        raise UsageError(
            f"no plugin is called {name!r}{nearest(name, known)}: see `affinity-zoo plugins list`"
        )
    return reports


def singular(plural: str) -> str:
    """Return the kind that a plural names.

    Args:
        plural: For example ``featurizers``.
    """
    return next(kind.name for kind in KINDS.values() if kind.plural == plural)


def _box_text(box: Box | None) -> str:
    return "any box" if box is None else f"{box.side}^3 voxels of {box.spacing:g} Å"


def _featurizer(cls: Any) -> tuple[str, str]:
    try:
        names = cls().channels
        channels = f"{len(names)} channels: {', '.join(names)}"
    except Exception as error:  # an option without a default, or an error of the plugin
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
        "(batch, outputs) float32: a logit for pose and activity, pK for affinity, Å for rmsd",
    )


def _scorer(cls: Any) -> tuple[str, str]:
    direction = {"higher": "higher is better", "lower": "lower is better", "none": "no direction"}[
        cls.direction
    ]
    return (
        f"scored rows with true values in one of the columns {', '.join(cls.truths)}",
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
