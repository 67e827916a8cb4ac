"""Every way a plugin breaks is a listed state with a reason; all built-ins stay usable."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from affinity_zoo.plugins.discovery import Origin, Plugin, load_plugin
from affinity_zoo.plugins.registry import Registry
from affinity_zoo.zoo.catalog.registry import BUILTINS

Distribute = Callable[..., Path]
Source = Callable[..., str]

BROKEN: dict[str, tuple[str, str]] = {
    "syntax error": ("def broken(:", "SyntaxError"),
    "missing dependency": ("import no_such_dependency", "No module named 'no_such_dependency'"),
    "exception at import": ("raise RuntimeError('out of order')", "RuntimeError: out of order"),
    "sys.exit at import": ("import sys; sys.exit(3)", "SystemExit: 3"),
    "KeyboardInterrupt at import": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "exception in a hook": (
        "{head}\n@hookimpl\ndef register_scorers():\n    return 1 / 0",
        "ZeroDivisionError",
    ),
    "KeyboardInterrupt in a hook": (
        "{head}\n@hookimpl\ndef register_scorers():\n    raise KeyboardInterrupt",
        "KeyboardInterrupt",
    ),
    "hook returns None": (
        "{head}\n@hookimpl\ndef register_scorers():\n    pass",
        "returned None, not a list",
    ),
    "hook returns a class": ("{good}|return [S0]|return S0", "not a list of classes"),
    "hook returns an instance": ("{good}|return [S0]|return [S0()]", "which is not a class"),
    "hook returns a stranger": ("{good}|return [S0]|return [int]", "is not a subclass of"),
    "misspelt hook": (
        "{good}|register_scorers|register_scorer",
        "unknown hook 'register_scorer' (did you mean",
    ),
    "hook with arguments": ("{good}|register_scorers()|register_scorers(config)", "its hook does not fit"),
    "no hook": ("{good}|@hookimpl|", "registers nothing"),
    "newer contract": ("{good}|api_version = 1|api_version = 99", "version 99 of the contracts"),
    "older contract": ("{good}|api_version = 1|api_version = 0", "version 0 of the contracts"),
    "bad name": ('{good}|name = "x"|name = "X_y"', "the name 'X_y' is not lower-case"),
    "no name": ('{good}|name = "x"|', "the name None"),
    "no summary": ('{good}|summary = "Scores."|', "has no summary"),
    "no unit": ('{good}|unit = "fraction"|', "does not state unit"),
    "no direction": (
        '{good}|direction = "higher"|direction = "up"',
        "direction is one of higher, lower, none",
    ),
    "unknown truth": ('{good}|("active",)|("activity",)', "truths is a tuple of"),
    "abstract": ("{good}|def score(|def scores(", "does not implement score"),
    "unsupported option": ("{good}|fraction: float = 0.1|fraction: dict = None", "option 'fraction'"),
    "one name twice": ("{good}|return [S0]|return [S0, S0]", "the scorer name 'x' twice"),
}


def _source(template: str, good: str) -> str:
    head = good.split("@dataclass", maxsplit=1)[0]
    text, *change = template.split("|")
    text = text.replace("{head}", head).replace("{good}", good)
    return text.replace(*change) if change else text


def _builtins_work(registry: Registry) -> None:
    for kind, table in BUILTINS.items():
        for name in table:
            assert registry.get(kind, name).name  # type: ignore[attr-defined]


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_plugin_is_listed_and_harms_nobody(
    how: str, distribute: Distribute, scorer_source: Source
) -> None:
    template, reason = BROKEN[how]
    distribute("zoo-broken", _source(template, scorer_source("x")))
    distribute("zoo-fine", scorer_source("fine"))
    registry = Registry(BUILTINS)
    _builtins_work(registry)
    state = next(p for p in registry.plugins() if p.origin.distribution == "zoo-broken")
    assert state.state == "failed"
    assert reason in state.reason
    assert state.remedy
    assert str(state.origin) == "zoo-broken 1.0"
    assert not state.provides()
    assert registry.get("scorer", "fine").__module__ == "zoo_fine"
    _builtins_work(registry)


def test_one_that_prints_does_not_reach_the_output(
    distribute: Distribute, scorer_source: Source, capsys: pytest.CaptureFixture[str]
) -> None:
    distribute("zoo-loud", "print('hello, world')\n" + scorer_source("loud"))
    registry = Registry()
    assert registry.get("scorer", "loud")
    assert capsys.readouterr().out == ""
    (loud,) = (p for p in registry.plugins() if p.origin.distribution == "zoo-loud")
    assert any("hello, world" in note for note in loud.notes)


def test_one_that_imports_something_heavy_is_told_so(
    distribute: Distribute, scorer_source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "prody", raising=False)
    site = distribute("zoo-heavy", "import prody\n" + scorer_source("heavy"))
    (site / "prody.py").write_text("import time; time.sleep(0.1)\n")
    (heavy,) = (p for p in Registry().plugins() if p.origin.distribution == "zoo-heavy")
    assert heavy.state == "loaded" and heavy.seconds >= 0.1
    assert any("prody" in note for note in heavy.notes)


def test_unreadable_metadata_is_a_state(distribute: Distribute, scorer_source: Source) -> None:
    site = distribute("zoo-bad", scorer_source("bad"))
    (site / "zoo_bad-1.0.dist-info" / "METADATA").unlink()
    distribute("zoo-fine", scorer_source("fine"))
    registry = Registry(BUILTINS)
    assert registry.get("scorer", "fine")
    (bad,) = (p for p in registry.plugins() if "zoo_bad" in p.origin.distribution)
    assert bad.state == "failed" and "metadata" in bad.reason


@pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(), reason="signals reach the main thread only"
)
def test_ctrl_c_by_the_user_is_not_the_plugins_failure() -> None:
    def slow() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)

    # a shell that starts the tests in the background has SIGINT ignored
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            load_plugin(Plugin("slow", Origin("zoo-slow", "1"), slow))
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
