"""Discovery and isolated loading of plugins.

pluggy's own loader of entry points stops at the first plugin that fails and drops one of two
with the same name, so plugins are discovered here, each one is loaded alone, and a failure is recorded in its state.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.metadata
import importlib.util
import io
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pluggy

from affinity_zoo.plugins import hookspecs
from affinity_zoo.plugins.kinds import KINDS, InvalidClass, check_class, names_of
from affinity_zoo.plugins.names import canonical, nearest

State = Literal["found", "loaded", "failed", "blocked", "conflict"]

#: modules that take a second or more to import: a plugin that needs one imports it where it uses it
HEAVY = ("keras", "tensorflow", "torch", "jax", "numpy", "scipy", "sklearn", "numba", "rdkit", "prody")


@dataclass(frozen=True)
class Origin:
    """Origin of a class: distribution, version and module."""

    distribution: str
    version: str
    module: str = ""

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}".strip()


@dataclass
class Plugin:
    """One plugin: its origin and its state."""

    name: str  #: the entry point's name, the module's or the file's
    origin: Origin
    load: Callable[[], Any]  #: imports the plugin and returns the object with its hooks
    builtin: bool = False
    state: State = "found"
    reason: str = ""  #: why it is not (fully) usable
    remedy: str = ""  #: what the user can do
    seconds: float = 0.0  #: time to import and register it
    notes: list[str] = field(default_factory=list)  #: notes for its author
    classes: dict[str, list[type]] = field(default_factory=dict)  #: registered classes by kind

    def provides(self) -> dict[str, list[str]]:
        """Return the names it registered, by kind."""
        return {kind: [cls.name for cls in found] for kind, found in self.classes.items() if found}  # type: ignore[attr-defined]

    @property
    def package(self) -> str:
        """The top-level name of its module."""
        return self.origin.module.split(":")[0].split(".")[0].strip()

    def fail(self, reason: str, remedy: str) -> None:
        """Mark the plugin as failed; it provides nothing.

        Args:
            reason: Reason for the user.
            remedy: What the user can do.
        """
        self.state, self.reason, self.remedy = "failed", reason, remedy
        self.classes = {}

    def block(self, reason: str) -> None:
        """Mark the plugin as blocked by the user; it is not loaded.

        Args:
            reason: Reason for the user.
        """
        self.state, self.reason = "blocked", reason


def installed_plugins() -> list[Plugin]:
    """Return every plugin of the installed distributions, without importing any.

    A distribution that occurs twice on the import path counts once (the first, as for imports). Two
    distributions with the same entry-point name are two plugins.
    """
    found: list[Plugin] = []
    seen: set[str] = set()
    for distribution in importlib.metadata.distributions():
        try:
            text = distribution.read_text("entry_points.txt") or ""
        except Exception:  # an unreadable distribution must not affect the others
            continue
        if hookspecs.PROJECT_NAME not in text:
            continue
        plugins = _plugins_of(distribution)
        if plugins and plugins[0].origin.distribution not in seen:
            seen.add(plugins[0].origin.distribution)
            found += plugins
    return sorted(found, key=lambda plugin: (plugin.origin.distribution, plugin.name))


def file_plugin(path: Path) -> Plugin:
    """Return the plugin in a single file, without importing it. Its version is a hash of its text.

    Args:
        path: Python file.
    """
    path = path.resolve()
    try:
        version = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    except OSError as error:
        plugin = Plugin(path.stem, Origin(str(path), ""), lambda: None)
        plugin.fail(f"cannot read {path}: {error.strerror}", "give `plugin_file` a Python file")
        return plugin
    module = f"affinity_zoo_plugin_file_{canonical(path.stem).replace('-', '_')}"
    return Plugin(path.stem, Origin(str(path), version, module), lambda: _load_file(path, module))


def module_plugin(module: str, origin: Origin) -> Plugin:
    """Return the built-in plugin in a module, without importing it.

    Args:
        module: Name of the module.
        origin: Distribution of the module.
    """
    name = module.rpartition(".")[2].replace("_", "-")
    return Plugin(name, origin, lambda: importlib.import_module(module), builtin=True)


def object_plugin(holder: Any, distribution: str = "test") -> Plugin:
    """Return a plugin from a module or object that holds hooks (for tests).

    Args:
        holder: Module or object with hooks.
        distribution: Name of the distribution.
    """
    name = getattr(holder, "__name__", type(holder).__name__)
    return Plugin(name, Origin(distribution, "0", name), lambda: holder)


def load_plugin(plugin: Plugin) -> None:
    """Import a plugin, call its hooks and check its classes; errors of the plugin are recorded, not raised.

    Args:
        plugin: The plugin; its state is updated.
    """
    before = set(sys.modules)
    printed = io.StringIO()
    start = time.perf_counter()
    try:
        # Output of the plugin must not mix with the machine-readable output of a command.
        with _own_interrupts(), contextlib.redirect_stdout(printed):
            plugin.classes = _registered(plugin.load())
        plugin.state = "loaded"
    except InvalidClass as error:
        plugin.fail(str(error), error.remedy)
    except _UserInterrupt:
        raise KeyboardInterrupt from None
    except ImportError as error:
        missing = getattr(error, "name", None) or ""
        install = f"install {missing.split('.')[0]}, or reinstall" if missing else "reinstall"
        plugin.fail(f"import error: {error}", f"{install} or uninstall {plugin.origin.distribution}")
    except BaseException as error:  # SystemExit and KeyboardInterrupt raised by a plugin count as failures
        where = _last_line(error)
        plugin.fail(
            f"{type(error).__name__}: {error or 'no message'}{where}",
            f"upgrade or uninstall {plugin.origin.distribution}, or use `no_plugins=True`",
        )
    plugin.seconds = time.perf_counter() - start
    if printed.getvalue().strip():
        plugin.notes.append(f"it prints while it is imported: {printed.getvalue().strip()[:80]!r}")
    heavy = [name for name in HEAVY if name in sys.modules and name not in before]
    if heavy:
        plugin.notes.append(f"its import pulls in {', '.join(heavy)}: import them inside the methods")


def _plugins_of(distribution: importlib.metadata.Distribution) -> list[Plugin]:
    try:
        name, version = canonical(distribution.name), str(distribution.version)
        points = [p for p in distribution.entry_points if p.group == hookspecs.PROJECT_NAME]
    except Exception as error:
        path = str(getattr(distribution, "_path", "an installed distribution"))
        plugin = Plugin(Path(path).stem, Origin(Path(path).stem, ""), lambda: None)
        plugin.fail(f"its metadata cannot be read: {error}", f"reinstall it ({path})")
        return [plugin]
    return [Plugin(p.name, Origin(name, version, p.value), p.load) for p in points]


def _load_file(path: Path, module: str) -> Any:
    spec = importlib.util.spec_from_file_location(module, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file (its name must end in .py)")
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[module] = loaded  # dataclasses and Keras look the module up by its name
    try:
        spec.loader.exec_module(loaded)
    except BaseException:
        del sys.modules[module]
        raise
    return loaded


def _registered(holder: Any) -> dict[str, list[type]]:
    """Register one holder of hooks alone and collect its classes by kind."""
    manager = pluggy.PluginManager(hookspecs.PROJECT_NAME)
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(holder)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise InvalidClass(*_explain(error, manager)) from error
    callers = {kind: getattr(manager.hook, spec.hook) for kind, spec in KINDS.items()}
    used = {kind: caller for kind, caller in callers.items() if caller.get_hookimpls()}
    if not used:
        hooks = ", ".join(spec.hook for spec in KINDS.values())
        raise InvalidClass("it registers nothing", f"its module needs one of {hooks}, marked with @hookimpl")
    return {kind: _call(kind, caller) for kind, caller in used.items()}


def _call(kind: str, caller: Any) -> list[type]:
    results = caller()
    result = results[0] if results else None
    if not isinstance(result, list | tuple):
        raise InvalidClass(f"{KINDS[kind].hook} returned {_short(result)}, not a list of classes")
    taken: dict[str, type] = {}
    for cls in result:
        check_class(KINDS[kind], cls)
        for name in names_of(cls):
            if name in taken:
                raise InvalidClass(f"{KINDS[kind].hook} returned the {kind} name {name!r} twice")
            taken[name] = cls
    return list(result)


def _explain(error: pluggy.PluginValidationError, manager: pluggy.PluginManager) -> tuple[str, str]:
    hooks = [spec.hook for spec in KINDS.values()]
    for name in vars(manager.hook):
        if not name.startswith("_") and name not in hooks:
            return (
                f"it implements an unknown hook {name!r}{nearest(name, hooks)}",
                f"the hooks are {', '.join(hooks)}",
            )
    return f"its hook does not fit: {' '.join(str(error).split())}", "the hooks take no arguments"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _last_line(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or trace.tb_frame.f_code.co_filename == __file__:
        return ""
    return f" ({Path(trace.tb_frame.f_code.co_filename).name}, line {trace.tb_lineno})"


class _UserInterrupt(BaseException):
    """Ctrl-C pressed by the user while a plugin was being loaded."""


@contextlib.contextmanager
def _own_interrupts() -> Iterator[None]:
    """Tell the user's Ctrl-C from a KeyboardInterrupt that a plugin raises."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupted(signum: int, frame: object) -> None:
        raise _UserInterrupt

    previous = signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous if previous is not None else signal.SIG_DFL)
