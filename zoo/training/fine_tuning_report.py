"""Report of a fine-tuning: comparison with ligand size and with the start model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Predictions, Scorer, Truth
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.judging.outputs import as_score, column_of, output_for, outputs_of
from affinity_zoo.zoo.judging.predictions import from_dataset, known_rows, take
from affinity_zoo.zoo.models import loading as models
from affinity_zoo.zoo.training.targets import TRUTH

if TYPE_CHECKING:
    from affinity_zoo.zoo.training.job import Job

VIEWS = 4


def judge_start(job: Job) -> list[str]:
    """Compare the tuned model with ligand size and with the start model on the held-out rows, one line per truth.

    Both models see the same views; the interval is a paired bootstrap over the groups of the rows.

    Args:
        job: The training.
    """
    from affinity_zoo.zoo.training.fine_tuning import load_start

    try:
        rows = job.dataset.rows("test")
    except AffinityZooError:
        rows = np.zeros(0, np.int64)
    rows = rows[np.isin(job.dataset.column("source")[rows], job.recipe.training.sources)]
    wanted: list[Truth] = [TRUTH[task] for task in job.recipe.training.tasks]
    truths = [truth for truth in wanted if np.isfinite(job.dataset.column(truth)[rows]).any()]
    if not truths:
        return [
            f"not compared: {job.dataset.path} has no held-out rows with {' or '.join(wanted)}; make some with "
            "`affinity-zoo split --split-by scaffold` (or time)"
        ]
    tuned, before = models.load_model(job.run.model), load_start(job.recipe.start)
    lines = []
    for truth in truths:
        tables = {
            "now": _scored(job, rows, tuned, truth),
            "before": _scored(job, rows, before, truth),
            "size": _by_size(job.dataset, rows),
        }
        judged = known_rows(tables["now"], truth)
        if truth == "affinity":  # of the pose that binds, not of a wrong one
            judged &= tables["now"].pose_label != 0
        known = np.flatnonzero(judged)
        parts = {name: take(table, known) for name, table in tables.items()}
        by_pose = output_for(truth, outputs_of(before.card)) != output_for(truth, outputs_of(tuned.card))
        lines.append(verdict(parts, truth, job.recipe.start.name + (" (another output)" if by_pose else "")))
    if not (job.run.model / "training_pairs.csv").is_file():
        # the verdict stays last
        lines.insert(
            0, f"what {job.recipe.start.name} was trained on is not known: it may have seen held-out rows"
        )
    return lines


def verdict(tables: Mapping[str, Predictions], truth: Truth, before: str) -> str:
    """State in a sentence the result of the comparison.

    Args:
        tables: ``now``, ``before`` and ``size``: scores of the same rows, all with the truth.
        truth: what they are judged by.
        before: name of the model before.
    """
    scorer = _scorer(tables["now"], truth)
    rows = len(tables["now"])
    if scorer is None:
        return f"not compared by {truth}: {rows} held-out rows are too few or have equal values"
    said = []
    value = scorer.score(tables["now"], truth).value
    for key, name in (("before", f"{before} before"), ("size", "ligand size")):
        said.append(_against(scorer, truth, tables["now"], tables[key], name))
    return f"on {rows} held-out rows, {scorer.name} {value:.3g}: " + "; ".join(said)


def _against(scorer: Scorer, truth: Truth, now: Predictions, other: Predictions, name: str) -> str:
    from affinity_zoo.zoo.board.comparison import compare_predictions

    value = scorer.score(other, truth).value
    found = compare_predictions(now, other, scorer)
    if found is None:
        return f"{name} has no {scorer.name} here"
    word = {"a": "better than", "b": "WORSE than", "": "not shown better than"}[found.winner]
    return (
        f"{word} {name} ({value:.3g}; difference {found.difference:+.3g}, 95 % [{found.low:.3g}, {found.high:.3g}], "
        f"{found.drawn} {found.over})"
    )


def _scorer(rows: Predictions, truth: Truth) -> Scorer | None:
    """The first scorer of a board that has a value for these rows."""
    from affinity_zoo.zoo.judging.judge import standing_scorers

    if len(rows) < 3:
        return None
    for cls, options in standing_scorers(truth):
        scorer = cls(**options)
        if np.isfinite(scorer.score(rows, truth).value):
            return scorer
    return None


def _scored(job: Job, rows: NDArray[np.int64], model: models.Model, truth: Truth) -> Predictions:
    from affinity_zoo.zoo.inference.choices import ScoringChoices
    from affinity_zoo.zoo.inference.columns import COLUMNS
    from affinity_zoo.zoo.inference.combine import combine
    from affinity_zoo.zoo.inference.ready import ready
    from affinity_zoo.zoo.inference.rows import score_rows

    outputs = outputs_of(model.card)
    output = output_for(truth, outputs) or outputs[0]
    choices = ScoringChoices(VIEWS, batch_size=job.recipe.training.batch_size, threads=job.workers)
    scorer = ready(model)
    values = combine([scorer], [score_rows(scorer, job.dataset, rows, choices)])[COLUMNS[output].value]
    extra: dict[str, Any] = {column_of(output): values}
    return from_dataset(job.dataset, rows, as_score(output, values), extra)


def _by_size(dataset: Dataset, rows: NDArray[np.int64]) -> Predictions:
    sizes = [float(len(dataset.store.atoms(int(s)))) for s in dataset.ligand_structure[rows]]
    return from_dataset(dataset, rows, np.array(sizes))
