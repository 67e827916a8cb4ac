"""Shell completion: models, runs, benchmarks, and names of parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from glob import escape, glob
from pathlib import Path

RUNS = Path("summaries")  #: default folder of the runs; completion cannot see --runs


def models(incomplete: str) -> list[str]:
    """Names of models and numbers of runs that begin with a text, and folders."""
    from affinity_zoo.zoo.models.cards import listing

    names = [row["name"] for row in listing("*", None)]
    return _matching([*names, *_run_numbers()], incomplete) + _paths(incomplete, folders_only=True)


def models_and_files(incomplete: str) -> list[str]:
    """Complete ``predict MODEL RECEPTOR POSES...``: models, files and folders."""
    return [*models(incomplete), *(path for path in _paths(incomplete) if not path.endswith("/"))]


def runs(incomplete: str) -> list[str]:
    """Numbers of runs that begin with a text, and folders."""
    return _matching(_run_numbers(), incomplete) + _paths(incomplete, folders_only=True)


def benchmarks(incomplete: str) -> list[str]:
    """Names of benchmarks that begin with a text."""
    from affinity_zoo.zoo.board.benchmarks import FOLDER

    return _matching(sorted(path.stem for path in (RUNS / FOLDER).glob("*.json")), incomplete)


def data_or_benchmarks(incomplete: str) -> list[str]:
    """Folders, and names of benchmarks."""
    return [*benchmarks(incomplete), *_paths(incomplete, folders_only=True)]


def parts(incomplete: str) -> list[str]:
    """Names of all parts, built in and of plugins."""
    from affinity_zoo.plugins.kinds import KINDS

    return sorted({name for kind in KINDS for name in _names_of(kind)(incomplete)})


def _names_of(kind: str) -> Callable[[str], list[str]]:
    def complete(incomplete: str) -> list[str]:
        from affinity_zoo.zoo.catalog.registry import catalog

        return _matching((entry.name for entry in catalog().entries(kind)), incomplete)

    return complete


featurizers = _names_of("featurizer")
architectures = _names_of("architecture")
scorers = _names_of("scorer")


def _run_numbers() -> list[str]:
    if not RUNS.is_dir():
        return []
    return sorted(path.name.removesuffix("_logs") for path in RUNS.glob("[0-9]*_logs"))


def _matching(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def _paths(incomplete: str, folders_only: bool = False) -> list[str]:
    found = sorted(glob(escape(incomplete) + "*"))
    folders = [f"{path}/" for path in found if Path(path).is_dir()]
    return folders if folders_only else [*folders, *(path for path in found if not Path(path).is_dir())]
