"""Shipping: from several trainings of one recipe to a distributed model; the function behind ``models ship``.

The best by validation is taken; its card gains what a user must know before trusting it: on which benchmarks it
loses against what, with paired intervals, what it was trained on, its limits, and the commands that make it again.
All figures come from result files.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.plugins.names import is_canonical
from affinity_zoo.zoo.board.leaderboard import load_all
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.models.loading import read_model_recipe
from affinity_zoo.zoo.models.readme import README, readme_text
from affinity_zoo.zoo.models.run_folder import RunFolder
from affinity_zoo.zoo.runtime.files import whole_folder
from affinity_zoo.zoo.shipping.card import benchmark_entry, differences_of, make_card, same_benchmark
from affinity_zoo.zoo.shipping.choose import choose
from affinity_zoo.zoo.shipping.headline import first_line, names_of, second_line
from affinity_zoo.zoo.shipping.notes import Notes


def ship(
    trainings: Sequence[str | int], out: Path, notes: Notes, *, runs: Path, replicates: int = 1000
) -> Path:
    """Make a model directory for distribution from the best of several trainings.

    Args:
        trainings: runs of one recipe that differ in their seed; each evaluated on the same benchmarks.
        out: the folder to make; its name is the model's.
        notes: limits, licences, commands.
        runs: folder of the runs, with the results of baselines and of other models that were evaluated there
            (a teacher, gnina's networks): the card compares with all of them.
        replicates: of the bootstrap behind each comparison.

    Raises:
        UsageError: the name is not made of lower-case letters, digits and dashes.
        AffinityZooError: the runs are not of one recipe, have no validation figure, or lack results.
    """
    if not is_canonical(out.name):
        raise UsageError(
            f"a shipped model's name has lower-case letters, digits and dashes, not {out.name!r}"
        )
    found = [RunFolder.find(run, runs) for run in trainings]
    chosen, seeds = choose(found)
    results, _ = load_all([chosen.logs])
    if not results:
        raise AffinityZooError(
            f"run {chosen.x} has no results: `affinity-zoo evaluate {chosen.x} BENCHMARK` first"
        )
    beside = [runs / name for name in ("baselines", "models") if (runs / name).is_dir()]
    all_rivals = load_all(beside)[0] if beside else []
    others = [load_all([run.logs])[0] for run in found if run is not chosen]
    entries, headline = [], ""
    for result in sorted(results, key=lambda r: r.benchmark["name"] != notes.headline_benchmark):
        rivals = [other for other in all_rivals if same_benchmark(other, result)]
        differences = differences_of(result, rivals, replicates)
        twins = [r for member in others for r in member if same_benchmark(r, result)]
        entries.append(benchmark_entry(out.name, result, rivals, differences, twins))
        if result.benchmark["name"] == notes.headline_benchmark:
            names = names_of(rivals, notes)
            headline = first_line(result, differences, names, notes.headline_name)
            named = [rival for rival in rivals if str(rival.model["name"]) in names]
            headline += second_line(differences_of(result, named, replicates, place=1), names)
    if not headline:
        raise AffinityZooError(
            f"run {chosen.x} has no result on {notes.headline_benchmark}, the benchmark of the first "
            "sentence of the card: evaluate it there"
        )
    card = make_card(out.name, chosen, notes, headline, seeds, entries)
    _write(out, chosen, card)
    return out


def _write(out: Path, chosen: RunFolder, card: dict[str, Any]) -> None:
    with whole_folder(out) as folder:
        for name in ("model.keras", "recipe.toml", "training_pairs.csv", "reference.json"):
            if (chosen.model / name).is_file():
                shutil.copyfile(chosen.model / name, folder / name)
        (folder / "card.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
        (folder / README).write_text(readme_text(card), encoding="utf-8")
        _what_was_seen(chosen, folder)


def _what_was_seen(chosen: RunFolder, folder: Path) -> None:
    """Fingerprints of the ligands and chains of the proteins trained on; from the index where the run has none."""
    import numpy as np

    from affinity_zoo.zoo.models import training_ligands, training_sequences

    writers = {
        training_ligands.FILE: training_ligands.write_training_ligands,
        training_sequences.FILE: training_sequences.write_training_sequences,
    }
    missing = []
    for name, write in writers.items():
        if (chosen.model / name).is_file():
            shutil.copyfile(chosen.model / name, folder / name)
        else:
            missing.append(write)
    # what a model had seen that training started from is known to the run alone
    if not missing or read_model_recipe(chosen.model).start.model:
        return
    try:
        dataset = Dataset.open(
            Path(json.loads((chosen.logs / "run.json").read_text(encoding="utf-8"))["data"])
        )
        with (folder / "training_pairs.csv").open(newline="", encoding="utf-8") as file:
            ids = [row["id"] for row in csv.DictReader(file)]
    except (AffinityZooError, OSError, ValueError, KeyError):
        return
    rows = np.flatnonzero(np.isin(dataset.column("id"), ids))
    for write in missing:
        write(folder, dataset, rows)
