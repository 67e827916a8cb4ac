"""The registry: discovery, isolation, conflicts, choosing, listing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from affinity_zoo.plugins.discovery import Origin, Plugin
from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.plugins.registry import Registry
from affinity_zoo.plugins.settings import Settings

Distribute = Callable[..., Path]
Source = Callable[..., str]

BUILTINS = {"scorer": {"built-in": "zoo_test_builtin", "other": "zoo_test_builtin"}}


@pytest.fixture
def builtin(distribute: Distribute, scorer_source: Source, tmp_path: Path) -> None:
    """A built-in module with two scorers, one of them with an alias."""
    source = scorer_source("built-in", "other").replace(
        'name = "other"', 'name = "other"; aliases = ("alias",)'
    )
    (tmp_path / "site" / "zoo_test_builtin.py").write_text(source)


def plugin(registry: Registry, name: str) -> Plugin:
    """Return the plugin of a distribution."""
    return next(p for p in registry.plugins() if p.origin.distribution == name)


def test_a_plugin_is_found_loaded_and_used_by_name(distribute: Distribute, scorer_source: Source) -> None:
    distribute("zoo-good", scorer_source("good"), version="2.5")
    registry = Registry()
    made = registry.create("scorer", "good", {"fraction": "0.25"})
    assert made.options() == {"fraction": 0.25}
    assert registry.origin("scorer", "good") == Origin("zoo-good", "2.5", "zoo_good")
    assert "good" in registry.names("scorer")
    assert plugin(registry, "zoo-good").state == "loaded"
    assert plugin(registry, "zoo-good").provides() == {"scorer": ["good"]}
    assert plugin(registry, "zoo-good").seconds > 0


@pytest.mark.usefixtures("builtin")
def test_a_builtin_by_name_loads_no_other_plugin(distribute: Distribute) -> None:
    distribute("zoo-never", "raise SystemExit('must not be imported')")
    registry = Registry(BUILTINS)
    assert registry.get("scorer", "built-in").__module__ == "zoo_test_builtin"
    assert registry.get("scorer", "alias") is registry.get("scorer", "other")
    assert "zoo_never" not in sys.modules
    assert plugin(registry, "zoo-never").state == "failed"
    assert registry.names("scorer")[:2] == ("built-in", "other")


@pytest.mark.usefixtures("builtin")
def test_a_builtin_is_not_taken_over(distribute: Distribute, scorer_source: Source) -> None:
    distribute("zoo-thief", scorer_source("alias", "mine"))
    registry = Registry(BUILTINS, Origin("affinity-zoo", "9"))
    assert registry.get("scorer", "alias").__module__ == "zoo_test_builtin"
    assert registry.get("scorer", "mine").__module__ == "zoo_thief"
    thief = plugin(registry, "zoo-thief")
    assert thief.state == "conflict"
    assert "'alias' is also that of affinity-zoo 9: the built-in is used" in thief.reason
    states = {entry.name: entry.state for entry in registry.entries("scorer") if not entry.builtin}
    assert states["alias"] == "conflict" and states["mine"] == "loaded"


def test_two_plugins_with_one_name_fail_only_where_it_is_asked_for(
    distribute: Distribute, scorer_source: Source
) -> None:
    distribute("zoo-one", scorer_source("same", "first"), version="1.1")
    distribute("zoo-two", scorer_source("same", "second"), version="2.2")
    registry = Registry()
    assert registry.get("scorer", "first").__module__ == "zoo_one"
    assert registry.get("scorer", "second").__module__ == "zoo_two"
    with pytest.raises(
        AffinityZooError, match=r"zoo-one 1\.1 and zoo-two 2\.2.*AFFINITY_ZOO_PLUGINS=zoo-one"
    ):
        registry.get("scorer", "same")
    assert plugin(registry, "zoo-one").state == plugin(registry, "zoo-two").state == "conflict"
    assert "same" not in registry.names("scorer")
    chosen = Registry(settings=Settings(only=("zoo-two",)))
    assert chosen.get("scorer", "same").__module__ == "zoo_two"


def test_two_distributions_with_one_entry_point_name_both_load(
    distribute: Distribute, scorer_source: Source
) -> None:
    distribute("zoo-one", scorer_source("first"), entry="plugin")
    distribute("zoo-two", scorer_source("second"), entry="plugin")
    registry = Registry()
    assert {"first", "second"} <= set(registry.names("scorer"))


def test_a_distribution_seen_twice_counts_once(distribute: Distribute, scorer_source: Source) -> None:
    site = distribute("zoo-good", scorer_source("good"))
    sys.path.append(str(site))
    try:
        assert [p.origin.distribution for p in Registry().plugins()].count("zoo-good") == 1
    finally:
        sys.path.remove(str(site))


@pytest.mark.usefixtures("builtin")
def test_no_plugins_imports_none_and_lists_them_as_blocked(distribute: Distribute) -> None:
    distribute("zoo-never", "raise SystemExit('must not be imported')")
    registry = Registry(BUILTINS, settings=Settings(enabled=False))
    assert registry.names("scorer") == ("built-in", "other")
    assert plugin(registry, "zoo-never").state == "blocked"
    with pytest.raises(UsageError, match=r"1 plugin\(s\) blocked"):
        registry.get("scorer", "something")


def test_only_the_named_plugins_are_imported(distribute: Distribute, scorer_source: Source) -> None:
    distribute("zoo-never", "raise SystemExit('must not be imported')")
    distribute("Zoo.Good", scorer_source("good"), module="zoo_good_module", entry="short")
    for choice in ("zoo-good", "short", "ZOO_good"):
        registry = Registry(settings=Settings.from_environment({"AFFINITY_ZOO_PLUGINS": choice}))
        assert registry.names("scorer") == ("good",)
        assert plugin(registry, "zoo-never").state == "blocked"
    assert Registry(settings=Settings.from_environment({"AFFINITY_ZOO_PLUGINS": ""})).names("scorer") == ()


def test_a_chosen_plugin_that_is_not_there_is_listed() -> None:
    registry = Registry(settings=Settings(only=("zoo-absent",)))
    absent = plugin(registry, "zoo-absent")
    assert (absent.state, absent.remedy) == ("failed", "pip install zoo-absent, or correct the name")


@pytest.mark.usefixtures("builtin")
def test_strict_makes_any_problem_an_error(distribute: Distribute) -> None:
    distribute("zoo-bad", "import no_such_module_anywhere")
    registry = Registry(BUILTINS, settings=Settings(strict=True))
    with pytest.raises(AffinityZooError, match=r"`strict=True`: zoo-bad .*no_such_module_anywhere"):
        registry.get("scorer", "built-in")
    assert plugin(registry, "zoo-bad").state == "failed"
    assert Registry(BUILTINS, settings=Settings(strict=True, only=())).get("scorer", "built-in")


def test_unknown_names_get_the_nearest_ones(distribute: Distribute, scorer_source: Source) -> None:
    distribute("zoo-good", scorer_source("r-precision", "roc-auc"))
    registry = Registry()
    with pytest.raises(UsageError, match="did you mean 'r-precision'"):
        registry.get("scorer", "R_Precision")
    with pytest.raises(UsageError, match=r"choose from .*roc-auc"):
        registry.get("scorer", "zzzzzz")
    with pytest.raises(UsageError, match="did you mean 'scorer'"):
        registry.get("scorers", "roc-auc")


def test_a_missing_builtin_is_a_listed_failure() -> None:
    registry = Registry(
        {"scorer": {"gone": "affinity_zoo.not_written_yet"}}, settings=Settings(enabled=False)
    )
    (entry,) = registry.entries("scorer")
    assert entry.state == "failed" and "not_written_yet" in entry.reason
    with pytest.raises(AffinityZooError, match="built-in scorer 'gone' cannot be loaded"):
        registry.get("scorer", "gone")


def test_a_model_says_which_distribution_it_misses(distribute: Distribute, scorer_source: Source) -> None:
    with pytest.raises(AffinityZooError, match=r"featurizer 'x' of zoo-x 1\.2.*pip install zoo-x==1\.2"):
        Registry(settings=Settings(enabled=False)).require("featurizer", "x", "zoo-x", "1.2")
    distribute("zoo-good", scorer_source("good"))
    assert Registry().require("scorer", "good", "Zoo_Good", "0.9").name == "good"
    with pytest.raises(AffinityZooError, match=r"of zoo-other 3, but zoo-good 1\.0 provides this name here"):
        Registry().require("scorer", "good", "zoo-other", "3")


def test_a_single_file_is_a_plugin(tmp_path: Path, scorer_source: Source) -> None:
    file = tmp_path / "my plugin.py"
    file.write_text(scorer_source("from-file"))
    registry = Registry(settings=Settings(files=(file,)))
    assert registry.create("scorer", "from-file", {}).options() == {"fraction": 0.1}
    origin = registry.origin("scorer", "from-file")
    assert origin.distribution == str(file.resolve()) and len(origin.version) == 12
    missing = Registry(settings=Settings(files=(tmp_path / "none.py", tmp_path)))
    assert [p.state for p in missing.plugins() if p.origin.distribution.startswith(str(tmp_path))] == [
        "failed"
    ] * 2


def test_threads_load_a_plugin_once(distribute: Distribute, scorer_source: Source, tmp_path: Path) -> None:
    log = tmp_path / "log"
    slow = f"import time; time.sleep(0.05); open({str(log)!r}, 'a').write('x')\n"
    distribute("zoo-slow", slow + scorer_source("slow"))
    registry = Registry()
    with ThreadPoolExecutor(8) as pool:
        classes = list(pool.map(lambda _: registry.get("scorer", "slow"), range(16)))
    assert len(set(classes)) == 1
    assert log.read_text() == "x"


def test_a_class_registered_by_two_entry_points_is_no_conflict(
    distribute: Distribute, scorer_source: Source
) -> None:
    site = distribute("zoo-good", scorer_source("good"))
    points = site / "zoo_good-1.0.dist-info" / "entry_points.txt"
    points.write_text("[affinity_zoo]\na = zoo_good\nb = zoo_good\n")
    registry = Registry()
    assert registry.get("scorer", "good").__module__ == "zoo_good"
    assert {p.state for p in registry.plugins()} == {"loaded"}
