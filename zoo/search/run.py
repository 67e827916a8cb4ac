"""Search with Optuna: each trial is an ordinary run with its recipe; a stopped search can be resumed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.evaluation.run import evaluate
from affinity_zoo.zoo.models.candidates import SEARCH_FILE
from affinity_zoo.zoo.models.loading import read_card
from affinity_zoo.zoo.models.recipe import Recipe, read_recipe
from affinity_zoo.zoo.models.run_folder import RunFolder
from affinity_zoo.zoo.runtime.files import write_json
from affinity_zoo.zoo.runtime.terminal import say as print_line
from affinity_zoo.zoo.search.claims import Claim
from affinity_zoo.zoo.search.space import Point, Space, grid_points, read_space
from affinity_zoo.zoo.training.train import train
from affinity_zoo.zoo.training.watch import Watcher

if TYPE_CHECKING:
    import optuna

RUN, GRID = "run", "grid"  #: user attributes of a trial: number of its run; its point of a grid
LOWER = ("loss", "rmse")  #: monitors of which less is better
STORAGE = "study.db"


@dataclass(frozen=True)
class SearchResult:
    """Result of a search.

    Attributes:
        folder: of the search: ``study.db`` and ``summaries``.
        trials: one record a trial: number, state, run, validation value, parameters.
        best: run of the best finished trial; None: no trial has a value.
        monitor: validation figure that chose it.
        pruned: trials that were stopped early.
    """

    folder: Path
    trials: list[dict[str, Any]]
    best: int | None
    monitor: str
    pruned: int

    @property
    def note(self) -> str:
        """Note of the board on the best run: the number of trials that it was chosen from."""
        return f"best of {len(self.trials)} on validation ({self.monitor})"


def search(
    data: str | Path,
    space: str | Path,
    out: str | Path,
    *,
    trials: int = 20,
    timeout: float | None = None,
    grid: bool = False,
    seeds: tuple[int, ...] = (0,),
    seed: int = 0,
    prune: bool = True,
    workers: int = 2,
    say: Callable[[str], None] = print_line,
) -> SearchResult:
    """Search a space on the validation set of an index.

    Several processes may work on one folder at a time. A trial whose process was killed is taken over: its run
    continues from its last whole epoch. The test set is not used.

    Args:
        data: a folder that ``affinity-zoo index`` made, with a validation set.
        space: a TOML file, see :mod:`affinity_zoo.zoo.search.space`.
        out: folder of the search; the study is ``study.db`` in it, the runs are below ``summaries``.
        trials: trials in all, those of earlier calls included; of a grid all points are tried.
        timeout: seconds after which no new trial begins.
        grid: try every combination of the lists instead of drawing.
        seeds: training seeds of a grid.
        seed: of Optuna's sampler.
        prune: stop a trial early whose validation figure is below the median of the others at that epoch.
        workers: threads that make batches.
        say: receives each line of output.

    Raises:
        UsageError: the space is wrong, or ``out`` holds another search.
        AffinityZooError: Optuna is not installed.
    """
    optuna = _optuna()
    if trials < 1:
        raise UsageError(f"`trials` is 1 or more, not {trials}")
    wanted, folder = read_space(Path(space)), Path(out)
    if grid:
        wanted = replace(wanted, training={**wanted.training, "seed": list(seeds)})
    folder.mkdir(parents=True, exist_ok=True)
    study = _study(optuna, folder, wanted, seed, prune)
    _claim_space(study, Path(space), grid)
    if grid:
        trials = _enqueue(study, list(grid_points(wanted)))
    begin = time.monotonic()
    while timeout is None or time.monotonic() - begin < timeout:
        trial, claim = _next_trial(optuna, study, folder, trials)
        if trial is None or claim is None:
            break
        try:
            _run_trial(optuna, study, trial, wanted, Path(data), folder, workers, say)
        finally:
            claim.release()
    result = found(study, folder)
    _tell_boards(result)
    return result


def _tell_boards(result: SearchResult) -> None:
    """Write how many trials the best run was chosen from, for the results of these runs."""
    runs = [record["run"] for record in result.trials if record["run"] is not None]
    if runs:
        table = {"trials": len(result.trials), "best": result.best, "monitor": result.monitor, "runs": runs}
        write_json(result.folder / "summaries" / SEARCH_FILE, table)


def found(study: optuna.Study, folder: Path) -> SearchResult:
    """Summarise a study.

    Args:
        study: of a search.
        folder: of the search.
    """
    records: list[dict[str, Any]] = [
        {
            "trial": t.number,
            "state": t.state.name.lower(),
            "run": t.user_attrs.get(RUN),
            "value": None if t.values is None else t.values[0],
            "parameters": t.params,
        }
        for t in study.get_trials(deepcopy=False)
        if t.state.name != "WAITING"
    ]
    complete = [r for r in records if r["state"] == "complete" and r["value"] is not None]
    sign = -1.0 if study.direction.name == "MINIMIZE" else 1.0
    best = max(complete, key=lambda r: sign * r["value"])["run"] if complete else None
    monitor = str(study.user_attrs.get("monitor", ""))
    return SearchResult(folder, records, best, monitor, sum(r["state"] == "pruned" for r in records))


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise AffinityZooError("a search needs Optuna: pip install 'affinity-zoo[search]'") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _study(optuna: Any, folder: Path, space: Space, seed: int, prune: bool) -> optuna.Study:
    tasks = space.training.get("tasks", ["pose"])
    direction = "minimize" if tasks == ["affinity"] or space.training.get("monitor") in LOWER else "maximize"
    pruner = (
        optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=1)
        if prune
        else optuna.pruners.NopPruner()
    )
    storage = f"sqlite:///{folder.resolve() / STORAGE}"
    study = optuna.create_study(
        storage=storage, study_name="affinity-zoo", direction=direction, pruner=pruner, load_if_exists=True
    )
    # the number of existing trials seeds the sampler: a new one must not repeat its choices
    study.sampler = optuna.samplers.TPESampler(seed=seed + 7919 * len(study.get_trials(deepcopy=False)))
    return study  # type: ignore[no-any-return]


def _claim_space(study: optuna.Study, space: Path, grid: bool) -> None:
    """Store the space, or refuse a different one."""
    mark = {"space": space.read_text(encoding="utf-8"), "grid": grid}
    before = study.user_attrs.get("space")
    if before is not None and before != mark:
        raise UsageError(
            "the folder contains a search with another space: give a new folder, or the space of this search"
        )
    study.set_user_attr("space", mark)


def _enqueue(study: optuna.Study, points: list[dict[str, Any]]) -> int:
    """Let the study try every point once; return how many there are."""
    there = [t.user_attrs.get(GRID) for t in study.get_trials(deepcopy=False)]
    for point in points:
        if point not in there:
            study.enqueue_trial(point, user_attrs={GRID: point})
    return len(points)


def _next_trial(optuna: Any, study: optuna.Study, folder: Path, trials: int) -> tuple[Any, Claim | None]:
    """A trial whose process has ended, else a new one; None: enough are done or under way."""
    running, waiting = optuna.trial.TrialState.RUNNING, optuna.trial.TrialState.WAITING
    for frozen in study.get_trials(deepcopy=False, states=(running,)):
        claim = Claim(folder / "locks", frozen.number)
        # it may have ended between the look and the claim
        if claim.take() and study.get_trials(deepcopy=False)[frozen.number].state == running:
            return optuna.trial.Trial(study, frozen._trial_id), claim
        claim.release()
    if sum(t.state != waiting for t in study.get_trials(deepcopy=False)) >= trials:
        return None, None
    trial = study.ask()
    claim = Claim(folder / "locks", trial.number)
    claim.take()
    return trial, claim


def _run_trial(
    optuna: Any,
    study: optuna.Study,
    trial: optuna.Trial,
    space: Space,
    data: Path,
    folder: Path,
    workers: int,
    say: Callable[[str], None],
) -> None:
    """Train one trial, or continue its run; report to the study how it ended."""
    runs = folder / "summaries"
    watcher = _Pruning(trial)
    state = optuna.trial.TrialState
    try:
        point = space.draw(trial)
        say(f"trial {trial.number}: {point.featurizer} + {point.architecture} {_short(trial.params)}")
        before = trial.user_attrs.get(RUN)
        run = _train(point, data, runs, before, workers, watcher, say)
        evaluate(run.x, data, split="validation", runs=runs, workers=workers)
    except AffinityZooError as error:
        say(f"trial {trial.number} failed: {error}")
        trial.set_user_attr("reason", str(error))
        study.tell(trial, state=state.FAIL)
        return
    monitor = read_recipe(run.logs / "recipe.toml").training.monitor
    study.set_user_attr("monitor", monitor)
    value = (read_card(run.model).get("validation") or {}).get(monitor)
    if watcher.stopped:
        study.tell(trial, state=state.PRUNED)
    elif value is None or not math.isfinite(value):
        trial.set_user_attr("reason", f"{monitor} has no value on the validation set")
        study.tell(trial, state=state.FAIL)
    else:
        study.tell(trial, float(value))


def _train(
    point: Point, data: Path, runs: Path, before: int | None, workers: int, watcher: Watcher,
    say: Callable[[str], None],
) -> RunFolder:  # fmt: skip
    if before is not None:
        run = RunFolder.find(before, runs)
        if (run.model / "model.keras").is_file():
            return run
        return train(data, runs=runs, resume=before, workers=workers, watchers=[watcher], say=say)
    training: dict[str, Any] = {
        key: tuple(v) if isinstance(v, list) else v for key, v in point.training.items()
    }
    return train(
        data, point.featurizer, point.architecture, featurizer_options=point.featurizer_options,
        architecture_options=point.architecture_options, runs=runs, workers=workers, watchers=[watcher], say=say,
        **training,
    )  # fmt: skip


def _short(values: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name.split('.', 1)[-1]}={value:.4g}"
        if isinstance(value, float)
        else f"{name.split('.', 1)[-1]}={value}"
        for name, value in values.items()
        if "." in name
    )


class _Pruning(Watcher):
    """Reports every epoch to a trial, and stops the run if the pruner requests it."""

    def __init__(self, trial: optuna.Trial) -> None:
        self._trial, self._monitor = trial, ""
        self.stopped = False

    def started(self, run: RunFolder, recipe: Recipe) -> None:
        """Store the run, so that a stopped trial can resume it."""
        self._monitor = recipe.training.monitor
        self._trial.set_user_attr(RUN, run.x)

    def epoch(self, number: int, train: Mapping[str, float], validation: Mapping[str, float]) -> str:
        """Report the monitored score; stop if the pruner finds it too low."""
        value = validation.get(self._monitor, math.nan)
        if not math.isfinite(value):
            return ""
        self._trial.report(value, number)
        if self._trial.should_prune():
            self.stopped = True
            return f"{self._monitor} {value:.4f} is worse than the median of the other trials (pruned)"
        return ""
