"""The registry: every featurizer, architecture, scorer and baseline that can be chosen by name.

Built-ins are looked up in a table and need one module each. Other plugins are loaded only if a name
is not a built-in or if everything is listed; their failures appear in the listing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

from affinity_zoo.plugins import settings as environment
from affinity_zoo.plugins.discovery import (
    Origin,
    Plugin,
    file_plugin,
    installed_plugins,
    load_plugin,
    module_plugin,
)
from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.plugins.kinds import KINDS, names_of
from affinity_zoo.plugins.names import canonical, nearest
from affinity_zoo.plugins.options import create
from affinity_zoo.plugins.settings import Settings

__all__ = ["PluginEntry", "Origin", "Plugin", "Registry"]


@dataclass(frozen=True)
class PluginEntry:
    """One entry of a listing."""

    kind: str
    name: str
    origin: Origin
    state: Literal["loaded", "failed", "conflict"]
    cls: Any = None  #: the class, None where it failed
    builtin: bool = False
    reason: str = ""
    remedy: str = ""

    @property
    def summary(self) -> str:
        """The summary of the class, or the reason why it is not available."""
        return self.cls.summary if self.cls is not None else self.reason

    @property
    def aliases(self) -> tuple[str, ...]:
        """Alternative names."""
        return names_of(self.cls)[1:] if self.cls is not None else ()


class Registry:
    """Built-ins and installed plugins, by kind and name. Safe to share between threads.

    Args:
        builtins: kind to name to the module that registers it.
        host: distribution and version of the built-ins.
        settings: which plugins are loaded.
        discover: returns the installed plugins, not imported.
    """

    def __init__(
        self,
        builtins: Mapping[str, Mapping[str, str]] | None = None,
        host: Origin = Origin("affinity-zoo", ""),
        settings: Settings = Settings(),
        discover: Callable[[], list[Plugin]] = installed_plugins,
    ) -> None:
        tables = builtins or {}
        self._tables = {kind: dict(tables.get(kind, {})) for kind in KINDS}
        modules = dict.fromkeys(module for table in self._tables.values() for module in table.values())
        self._builtins = {m: module_plugin(m, Origin(host.distribution, host.version, m)) for m in modules}
        self._host = host
        self._settings = settings
        self._discover = discover
        self._found: list[Plugin] | None = None
        self._loaded = False
        self._lock = threading.RLock()

    def get(self, kind: str, name: str) -> type:
        """Return the class with this name or alias.

        A built-in is returned without looking at any other plugin.

        Args:
            kind: ``featurizer``, ``architecture``, ``scorer`` or ``baseline``.
            name: Name or alias.

        Raises:
            UsageError: the name is unknown; the message has the nearest ones.
            AffinityZooError: two plugins claim the name, or the built-in cannot be loaded.
        """
        return self._find(kind, name)[1]

    def create(self, kind: str, name: str, options: Mapping[str, object] | None = None) -> Any:
        """Return an instance made from options given as text, TOML or Python values.

        Args:
            kind: ``featurizer``, ``architecture``, ``scorer`` or ``baseline``.
            name: Name or alias.
            options: Options of the class, by name.

        Raises:
            UsageError: an unknown name or option, or a value that does not fit.
        """
        return create(self.get(kind, name), options or {}, f"{kind} {name!r}")

    def origin(self, kind: str, name: str) -> Origin:
        """Return the distribution, its version and the module that a name comes from.

        Args:
            kind: ``featurizer``, ``architecture``, ``scorer`` or ``baseline``.
            name: Name of the class.
        """
        plugin, cls = self._find(kind, name)
        return Origin(plugin.origin.distribution, plugin.origin.version, cls.__module__)

    def require(self, kind: str, name: str, distribution: str, version: str) -> type:
        """Return the class that a model was made with, or report the missing distribution.

        Args:
            kind: ``featurizer``, ``architecture``, ``scorer`` or ``baseline``.
            name: Name or alias.
            distribution: Name of the distribution.
            version: Version of the distribution; empty: any.

        Raises:
            AffinityZooError: the class is missing, or its name now belongs to another distribution.
        """
        wanted = f"{distribution} {version}".strip()
        try:
            plugin, cls = self._find(kind, name)
        except UsageError as error:
            raise AffinityZooError(
                f"it needs the {kind} {name!r} of {wanted}, which is not installed or not loaded: "
                f"{_install(distribution, version)}; `affinity-zoo plugins list` shows details"
            ) from error
        if canonical(plugin.origin.distribution) != canonical(distribution) and "/" not in distribution:
            raise AffinityZooError(
                f"it needs the {kind} {name!r} of {wanted}, but {plugin.origin} provides this name here: "
                f"install {wanted} in an environment without {plugin.origin.distribution}"
            )
        return cls

    def names(self, kind: str) -> tuple[str, ...]:
        """Return every usable name of a kind, in alphabetical order, without aliases.

        Args:
            kind: ``featurizer``, ``architecture``, ``scorer`` or ``baseline``.
        """
        return tuple(entry.name for entry in self.entries(kind) if entry.state == "loaded")

    def entries(self, kind: str, pattern: str = "*") -> list[PluginEntry]:
        """Return the entries of a listing: built-ins first, failures and conflicts included.

        Args:
            kind: ``featurizer``, ``architecture``, ``scorer`` or ``baseline``.
            pattern: Shell pattern of names.
        """
        self._check_kind(kind)
        self._load_all()
        found = self._builtin_entries(kind)
        builtin_names = self._builtin_names(kind)
        for plugin in self._others():
            for cls in plugin.classes.get(kind, []):
                rivals = [
                    name for name in names_of(cls) if name in builtin_names or self._rivals(kind, name, cls)
                ]
                state: Literal["loaded", "conflict"] = "conflict" if rivals else "loaded"
                reason, remedy = (plugin.reason, plugin.remedy) if rivals else ("", "")
                found.append(PluginEntry(kind, cls.name, plugin.origin, state, cls, False, reason, remedy))  # type: ignore[attr-defined]
        ordered = sorted(found, key=lambda entry: (not entry.builtin, entry.name, entry.origin.distribution))
        return [entry for entry in ordered if fnmatchcase(entry.name, pattern)]

    def plugins(self, load: bool = True) -> list[Plugin]:
        """Return every plugin with its state: built-in modules first, then the installed ones.

        Args:
            load: False: import nothing, only report what was found.
        """
        if load:
            self._load_all(raise_if_strict=False)
        return [*self._builtins.values(), *self._others()]

    def blame(self, error: BaseException) -> Plugin | None:
        """Return the installed plugin whose code raised an error; None if no plugin did.

        Args:
            error: Exception with its traceback.
        """
        owners = {p.package: p for p in self._found or [] if p.state in ("loaded", "conflict")}
        found = None
        trace = error.__traceback__
        while trace is not None:
            package = str(trace.tb_frame.f_globals.get("__name__", "")).split(".")[0]
            found = owners.get(package, found)
            trace = trace.tb_next
        return found

    def problems(self) -> list[Plugin]:
        """Return the plugins that failed or conflict."""
        return [plugin for plugin in self.plugins() if plugin.state in ("failed", "conflict")]

    def _find(self, kind: str, name: str) -> tuple[Plugin, type]:
        self._check_kind(kind)
        if self._settings.strict:
            self._load_all()
        module = self._tables[kind].get(name)
        if module is not None:
            return self._builtin(kind, name, module)
        for plugin in self._load_builtins(kind):
            for cls in plugin.classes.get(kind, []):
                if name in names_of(cls):
                    return plugin, cls
        self._load_all()
        claims = self._claims(kind, name)
        if not claims:
            raise UsageError(self._unknown(kind, name))
        if len({id(cls) for _, cls in claims}) > 1:
            owners = " and ".join(str(plugin.origin) for plugin, _ in claims)
            raise AffinityZooError(
                f"the {kind} name {name!r} is claimed by {owners}: uninstall one of them, or choose with "
                f"{environment.ONLY}={claims[0][0].origin.distribution}"
            )
        return claims[0]

    def _builtin(self, kind: str, name: str, module: str) -> tuple[Plugin, type]:
        plugin = self._load_one(self._builtins[module])
        for cls in plugin.classes.get(kind, []):
            if name in names_of(cls):
                return plugin, cls
        reason = plugin.reason or f"{module} does not register it"
        raise AffinityZooError(
            f"the built-in {kind} {name!r} cannot be loaded: {reason}; reinstall affinity-zoo"
        )

    def _builtin_entries(self, kind: str) -> list[PluginEntry]:
        found = []
        for name, module in self._tables[kind].items():
            plugin = self._builtins[module]
            try:
                _, cls = self._builtin(kind, name, module)
            except AffinityZooError as error:
                reason = plugin.reason or str(error)
                found.append(
                    PluginEntry(kind, name, plugin.origin, "failed", None, True, reason, plugin.remedy)
                )
            else:
                found.append(PluginEntry(kind, name, plugin.origin, "loaded", cls, True))
        for plugin in self._load_builtins(kind):
            extra = [cls for cls in plugin.classes.get(kind, []) if cls.name not in self._tables[kind]]  # type: ignore[attr-defined]
            found += [PluginEntry(kind, cls.name, plugin.origin, "loaded", cls, True) for cls in extra]  # type: ignore[attr-defined]
        return found

    def _builtin_names(self, kind: str) -> set[str]:
        classes = (cls for plugin in self._load_builtins(kind) for cls in plugin.classes.get(kind, []))
        return set(self._tables[kind]).union(*(names_of(cls) for cls in classes))

    def _load_builtins(self, kind: str) -> list[Plugin]:
        return [self._load_one(self._builtins[m]) for m in dict.fromkeys(self._tables[kind].values())]

    def _load_one(self, plugin: Plugin) -> Plugin:
        with self._lock:
            if plugin.state == "found":
                load_plugin(plugin)
        return plugin

    def _others(self) -> list[Plugin]:
        """Return the plugins other than built-ins; the user's selection is applied before imports."""
        with self._lock:
            if self._found is None:
                self._found = _chosen(self._discover(), self._settings)
            return self._found

    def _load_all(self, raise_if_strict: bool = True) -> None:
        with self._lock:
            if not self._loaded:
                for plugin in [*self._builtins.values(), *self._others()]:
                    self._load_one(plugin)
                self._mark_conflicts()
                self._loaded = True
        if raise_if_strict and self._settings.strict:
            bad = [p for p in self.plugins() if p.state in ("failed", "conflict")]
            if bad:
                told = "; ".join(f"{p.name} ({p.origin}) {p.state}: {p.reason}" for p in bad)
                raise AffinityZooError(f"`strict=True`: {told}; see `affinity-zoo plugins list`")

    def _mark_conflicts(self) -> None:
        for kind in KINDS:
            builtin_names = self._builtin_names(kind)
            for plugin in self._others():
                for cls in plugin.classes.get(kind, []):
                    for name in names_of(cls):
                        if name in builtin_names:
                            _conflict(plugin, kind, name, [str(self._host)], "the built-in is used")
                        elif rivals := self._rivals(kind, name, cls):
                            _conflict(plugin, kind, name, [str(r.origin) for r in rivals], "neither is used")

    def _claims(self, kind: str, name: str) -> list[tuple[Plugin, type]]:
        return [(p, cls) for p in self._others() for cls in p.classes.get(kind, []) if name in names_of(cls)]

    def _rivals(self, kind: str, name: str, cls: type) -> list[Plugin]:
        return [plugin for plugin, other in self._claims(kind, name) if other is not cls]

    def _check_kind(self, kind: str) -> None:
        if kind not in KINDS:
            raise UsageError(
                f"there is no kind of plugin {kind!r}{nearest(kind, KINDS)}: use {', '.join(KINDS)}"
            )

    def _unknown(self, kind: str, name: str) -> str:
        entries = self.entries(kind)
        known = [text for entry in entries for text in (entry.name, *entry.aliases)]
        close = nearest(name, known)
        message = f"there is no {kind} {name!r}{close}"
        if not close:
            message += f": choose from {', '.join(known)}" if known else ""
        states = [plugin.state for plugin in self._others()]
        away = [f"{states.count(s)} plugin(s) {s}" for s in ("failed", "blocked") if s in states]
        if away:
            message += f"; {' and '.join(away)}, see `affinity-zoo plugins list`"
        return message


def _chosen(found: Iterable[Plugin], chosen: Settings) -> list[Plugin]:
    """Apply the user's selection: block unselected plugins, and add selected but missing ones."""
    plugins = list(found)
    files = [file_plugin(path) for path in chosen.files]
    if not chosen.enabled:
        for plugin in [*plugins, *files]:
            plugin.block("`no_plugins=True`: built-ins only")
        return [*plugins, *files]
    if chosen.only is not None:
        present = set()
        for plugin in plugins:
            names = {canonical(plugin.name), canonical(plugin.origin.distribution)}
            present |= names
            if not names & set(chosen.only):
                plugin.block(f"not named in {environment.ONLY}")
        for name in sorted(set(chosen.only) - present):
            absent = Plugin(name, Origin(name, ""), lambda: None)
            absent.fail(
                f"named in {environment.ONLY} but not installed", f"pip install {name}, or correct the name"
            )
            plugins.append(absent)
    return [*plugins, *files]


def _conflict(plugin: Plugin, kind: str, name: str, rivals: list[str], outcome: str) -> None:
    told = f"the {kind} name {name!r} is also that of {' and '.join(rivals)}: {outcome}"
    plugin.reason = f"{plugin.reason}; {told}" if plugin.state == "conflict" else told
    plugin.state = "conflict"
    plugin.remedy = (
        f"ask the author of {plugin.origin.distribution} for another name"
        if outcome.startswith("the built-in")
        else f"uninstall one of them, or set {environment.ONLY}={plugin.origin.distribution}"
    )


def _install(distribution: str, version: str) -> str:
    if "/" in distribution or distribution.endswith(".py"):
        return f"give `plugin_file={distribution}`"
    return f"pip install {distribution}{f'=={version}' if version else ''}"
