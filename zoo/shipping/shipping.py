"""From several trainings of one recipe to a model that is given away: the function behind ``models ship``.

The best by validation is taken; its card gains what a user must know before trusting it: on which benchmarks it
loses against what, with paired intervals, what it was trained on, its limits, and the commands that make it again.
Figures come from result files, never from hand.
"""

from __future__ import annotations

import csv
import json
import math
import shutil
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from affinity_zoo.plugins.contracts import Scorer
from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.plugins.names import is_canonical
from affinity_zoo.zoo.board.comparison import Difference, compare
from affinity_zoo.zoo.board.leaderboard import load_all
from affinity_zoo.zoo.board.results import Result
from affinity_zoo.zoo.board.standing import is_rival, spoken
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.judging.judge import plain
from affinity_zoo.zoo.models.candidates import recipe_hash
from affinity_zoo.zoo.models.loading import plugins_of, read_card, read_model_recipe
from affinity_zoo.zoo.models.recipe import Recipe
from affinity_zoo.zoo.models.run_folder import RunFolder
from affinity_zoo.zoo.runtime.files import whole_folder

LOWER = ("loss", "rmse")  #: validation figures of which less is better
FIGURES = 4  #: figures of each benchmark on the card, in the order of a leaderboard


@dataclass(frozen=True)
class Notes:
    """What figures cannot say; read from a TOML file that is kept in the repository."""

    about: str
    licence: str
    data_licence: str
    data_source: str
    headline_benchmark: str  #: whose comparison the first line tells
    limits: tuple[str, ...]
    cite: tuple[str, ...]
    commands: tuple[str, ...]  #: that make the model again
    hardware: str = ""
    headline_name: str = ""  #: how the first line calls that benchmark; its name by default
    docking_program: str = ""  #: whose score stands in the files of that benchmark


def read_notes(path: Path) -> Notes:
    """Read the notes.

    Raises:
        UsageError: it is not TOML, a field is missing or unknown.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: cannot be read ({error}); see benchmarks/shipped_pose.toml") from error
    known = {field.name for field in fields(Notes)}
    optional = {"hardware", "headline_name", "docking_program"}
    wrong = sorted(set(table) - known) or sorted(known - optional - set(table))
    if wrong:
        what = "unknown" if wrong[0] in table else "missing"
        raise UsageError(f"{path}: the field {wrong[0]!r} is {what}; see benchmarks/shipped_pose.toml")
    given: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in table.items()
    }
    return Notes(**given)


def ship(
    trainings: Sequence[str | int], out: Path, notes: Notes, *, runs: Path, replicates: int = 1000
) -> Path:
    """Make a model directory to give away out of the best of several trainings.

    Args:
        trainings: runs of one recipe that differ in their seed; each evaluated on the same benchmarks.
        out: the folder to make; its name is the model's.
        notes: limits, licences, commands.
        runs: folder of the runs, with the baselines' results.
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
    baselines = load_all([runs / "baselines"])[0] if (runs / "baselines").is_dir() else []
    others = [load_all([run.logs])[0] for run in found if run is not chosen]
    entries, headline = [], ""
    for result in sorted(results, key=lambda r: r.benchmark["name"] != notes.headline_benchmark):
        rivals = [b for b in baselines if _same_benchmark(b, result)]
        differences = _differences(result, rivals, replicates)
        twins = [r for member in others for r in member if _same_benchmark(r, result)]
        entries.append(_entry(out.name, result, rivals, differences, twins))
        if result.benchmark["name"] == notes.headline_benchmark:
            names = _spoken(rivals, notes)
            headline = first_line(result, differences, names, notes.headline_name)
            named = [rival for rival in rivals if str(rival.model["name"]) in names]
            headline += second_line(_differences(result, named, replicates, place=1), names)
    if not headline:
        raise AffinityZooError(
            f"run {chosen.x} has no result on {notes.headline_benchmark}, the first line's benchmark: evaluate it there"
        )
    card = _card(out.name, chosen, notes, headline, seeds, entries)
    _write(out, chosen, card)
    return out


def choose(found: Sequence[RunFolder]) -> tuple[RunFolder, list[dict[str, Any]]]:
    """Choose the run that is best by its own monitor on validation; say what each reached.

    Raises:
        AffinityZooError: the runs differ in more than their seed, or a validation figure is missing.
    """
    recipes = [read_model_recipe(run.model) for run in found]
    if len({recipe_hash(_resolved(recipe)) for recipe in recipes}) > 1:
        raise AffinityZooError("the runs differ in more than their seed: give trainings of one recipe")
    metric = recipes[0].training.monitor
    seeds = []
    for run, recipe in zip(found, recipes, strict=True):
        card = read_card(run.model)
        value = (card.get("validation") or {}).get(metric)
        if value is None:
            raise AffinityZooError(f"run {run.x} has no {metric} on validation: nothing to choose by")
        seeds.append(
            {
                "run": run.x,
                "seed": recipe.training.seed,
                "epoch": card["epoch"],
                "metric": metric,
                "validation": value,
            }
        )
    sign = -1.0 if metric in LOWER else 1.0
    best = max(range(len(seeds)), key=lambda i: sign * float(seeds[i]["validation"]))
    return found[best], [{**seed, "chosen": i == best} for i, seed in enumerate(seeds)]


def _resolved(recipe: Recipe) -> Recipe:
    """The recipe with every option of today's plugins in it: one that was added since stands at its default."""
    featurizer, architecture = plugins_of(recipe, "the recipe")
    return replace(
        recipe,
        featurizer=replace(recipe.featurizer, options=featurizer.options()),
        architecture=replace(recipe.architecture, options=architecture.options()),
    )


def first_line(
    result: Result, differences: dict[str, Difference], names: Mapping[str, str], where: str = ""
) -> str:
    """Say in a sentence what the model wins and loses against on a benchmark; losses first.

    Args:
        result: of the model.
        differences: from each baseline, by the name of its row.
        names: how the sentence calls a baseline, by the name of its row; others are not mentioned.
        where: how it calls the benchmark; empty: by its name.
    """
    where = where or result.benchmark["name"]
    if not differences:
        return f"On {where} nothing stands beside it: what it is worth is not known."
    one = next(iter(differences.values()))
    metric = result.metrics[one.metric]
    verdicts: dict[str, list[str]] = {"loses": [], "level": [], "wins": []}
    for words, difference in _named(differences, names):
        key = {"a": "wins", "b": "loses", "": "level"}[difference.winner]
        verdicts[key].append(f"{words} ({_number(difference.b)})")
    said = []
    if verdicts["loses"]:
        said.append(f"loses against {_and(verdicts['loses'])}")
    if verdicts["level"]:
        said.append(f"is not told apart from {_and(verdicts['level'])}")
    if verdicts["wins"]:
        said.append(f"{'but ' if verdicts['loses'] else ''}beats {_and(verdicts['wins'])}")
    value = f"{_number(metric.value)} [{_number(metric.low)}, {_number(metric.high)}]"
    return f"On {where} ({one.metric} {value}) it {', '.join(said) or 'stands alone'}."


def second_line(differences: dict[str, Difference], names: Mapping[str, str]) -> str:
    """What the model loses against by the benchmark's second figure; empty: nothing."""
    lost = [(words, one) for words, one in _named(differences, names) if one.winner == "b"]
    if not lost:
        return ""
    first = lost[0][1]
    against = _and([f"{words} ({_number(one.b)})" for words, one in lost])
    return f" By {first.metric} ({_number(first.a)}) it loses against {against}."


def _named(differences: dict[str, Difference], names: Mapping[str, str]) -> list[tuple[str, Difference]]:
    """The rivals of the first line as it calls them."""
    return [(words, differences[name]) for name, words in names.items() if name in differences]


def _spoken(rivals: Sequence[Result], notes: Notes) -> dict[str, str]:
    """How the first line calls the baselines, by the name of their rows.

    Of a baseline that learns, the row that learnt from the training data stands for the cross-validated one.
    """
    found: dict[str, Result] = {}
    for rival in sorted(rivals, key=lambda r: bool((r.model.get("options") or {}).get("training"))):
        words = spoken(rival, notes.docking_program)
        if words:
            found[words] = rival
    return {str(rival.model["name"]): words for words, rival in sorted(found.items())}


def _differences(
    result: Result, rivals: Sequence[Result], replicates: int, place: int = 0
) -> dict[str, Difference]:
    """The model against each baseline by the benchmark's first figure, or by that of another place."""
    finite = [key for key, metric in result.metrics.items() if math.isfinite(metric.value)]
    first = finite[place] if place < len(finite) else ""
    made = {}
    for rival in rivals:
        name = str(rival.model["name"])
        if not is_rival(rival) or not math.isfinite(_value(rival, first)):
            continue
        scorers = [_scorer(result, first)]
        found = [
            d
            for d in compare(result, rival, scorers=scorers, replicates=replicates).differences
            if d.metric == first
        ]
        if found:
            made[name] = found[0]
    return made


def _scorer(result: Result, key: str) -> Scorer:
    from affinity_zoo.zoo.catalog.registry import catalog

    metric = result.metrics[key]
    scorer: Scorer = catalog().create("scorer", metric.name, metric.options)
    return scorer


def _value(result: Result, key: str) -> float:
    return result.metrics[key].value if key in result.metrics else math.nan


def _entry(
    name: str,
    result: Result,
    rivals: Sequence[Result],
    differences: dict[str, Difference],
    twins: Sequence[Result],
) -> dict[str, Any]:
    """What the card says of one benchmark."""
    shown = [key for key, metric in result.metrics.items() if math.isfinite(metric.value)]
    shown = [key for i, key in enumerate(shown) if i < FIGURES or type(_scorer(result, key)).on_cards]
    overlap = result.data.get("overlap") or {}
    return _rounded(
        {
            "benchmark": result.benchmark["name"],
            "hash": result.benchmark["hash"],
            "labels_hash": result.benchmark["labels_hash"],
            "pairs": result.benchmark["rows"],
            "views": result.data["views"],
            "overlap": overlap.get("verdict", "cannot know"),
            "name": name,
            "metrics": {key: _figure(result, key) for key in shown},
            "seeds": {
                key: [_value(result, key), *(_value(twin, key) for twin in twins)] for key in shown[:2]
            },
            "others": [
                {"name": str(r.model["name"]), "metrics": {k: _figure(r, k) for k in shown if k in r.metrics}}
                for r in sorted(rivals, key=lambda r: str(r.model["name"]))
            ],
            "verdicts": [_verdict(name, other, difference) for other, difference in differences.items()],
        }
    )


def _verdict(name: str, other: str, difference: Difference) -> str:
    size = f"{difference.difference:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]"
    said = {"a": f"{name} is better than", "b": f"{name} loses against", "": f"{name} is not told apart from"}
    return f"{difference.metric}: {said[difference.winner]} {other}, {size}"


def _figure(result: Result, key: str) -> dict[str, Any]:
    metric = result.metrics[key]
    return {
        "value": metric.value, "low": metric.low, "high": metric.high,
        "unit": metric.unit, "direction": metric.direction,
    }  # fmt: skip


def _card(
    name: str,
    chosen: RunFolder,
    notes: Notes,
    headline: str,
    seeds: list[dict[str, Any]],
    entries: list[dict[str, Any]],
) -> dict[str, Any]:
    card, recipe = dict(read_card(chosen.model)), read_model_recipe(chosen.model)
    data = recipe.data
    return {
        **card,
        "name": name,
        "headline": headline,
        "about": notes.about,
        "trained_on": {
            "name": data.name,
            "source": notes.data_source,
            "licence": notes.data_licence,
            "content_hash": data.content_hash,
            "ids_hash": data.ids_hash,
            "poses": data.n_train,
            "positive": data.n_positive,
            "validation_poses": data.n_validation,
            "sources": ", ".join(recipe.training.sources),
        },
        "recipe_hash": recipe_hash(recipe),
        "hardware": notes.hardware or card.get("device", ""),
        "seeds": seeds,
        "results": entries,
        "licence": notes.licence,
        "limits": list(notes.limits),
        "cite": list(notes.cite),
        "commands": list(notes.commands),
    }


def _write(out: Path, chosen: RunFolder, card: dict[str, Any]) -> None:
    with whole_folder(out) as folder:
        for name in ("model.keras", "recipe.toml", "training_pairs.csv", "reference.json"):
            if (chosen.model / name).is_file():
                shutil.copyfile(chosen.model / name, folder / name)
        (folder / "card.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
        _training_ligands(chosen, folder)


def _training_ligands(chosen: RunFolder, folder: Path) -> None:
    """Fingerprints of the ligands trained on, where the index is still at hand."""
    import numpy as np

    from affinity_zoo.zoo.models.training_ligands import FILE, write_training_ligands

    if (chosen.model / FILE).is_file():
        shutil.copyfile(chosen.model / FILE, folder / FILE)
        return
    try:
        dataset = Dataset.open(
            Path(json.loads((chosen.logs / "run.json").read_text(encoding="utf-8"))["data"])
        )
        with (folder / "training_pairs.csv").open(newline="", encoding="utf-8") as file:
            ids = [row["id"] for row in csv.DictReader(file)]
    except (AffinityZooError, OSError, ValueError, KeyError):
        return
    write_training_ligands(folder, dataset, np.flatnonzero(np.isin(dataset.column("id"), ids)))


def _rounded(value: Any) -> Any:
    """JSON's types, numbers to six digits: more is not known."""
    value = plain(value)
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _same_benchmark(one: Result, other: Result) -> bool:
    return all(one.benchmark.get(key) == other.benchmark.get(key) for key in ("hash", "labels_hash"))


def _number(value: float) -> str:
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
