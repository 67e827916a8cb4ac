"""Properties of a baseline's row from its class: whether models are compared with it, its name on a card."""

from __future__ import annotations

from affinity_zoo.plugins.contracts import Baseline
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.board.results import Result


def baseline_class(result: Result) -> type[Baseline] | None:
    """The class that a baseline's result was made by; None: a model, or the plugin is not installed.

    Args:
        result: One model or baseline, judged on one benchmark.
    """
    from affinity_zoo.zoo.catalog.registry import catalog

    if not result.is_baseline:
        return None
    # results of version 0.1.0 hold the row's name only: "ligand-only of data"
    name = str(result.model.get("baseline") or str(result.model.get("name")).partition(" ")[0])
    try:
        found: type[Baseline] = catalog().get("baseline", name)
    except AffinityZooError:
        return None
    return found


def is_rival(result: Result) -> bool:
    """Whether models are compared with this baseline; True where its class is not known.

    Args:
        result: One model or baseline, judged on one benchmark.
    """
    found = baseline_class(result)
    return found is None or found.rival


def is_chance(result: Result) -> bool:
    """Return whether the row shows the chance level.

    Args:
        result: One model or baseline, judged on one benchmark.
    """
    found = baseline_class(result)
    return found is not None and found.chance


def spoken(result: Result, docking_program: str = "") -> str:
    """Return the name of a baseline in the first line of a card; empty: it is not mentioned.

    Args:
        result: of the baseline.
        docking_program: program of the scores in the files of the benchmark.
    """
    found = baseline_class(result)
    if found is None:
        return ""
    return found.spoken.format(docking_program=docking_program or "the docking program")
