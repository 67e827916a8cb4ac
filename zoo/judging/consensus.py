"""One score from several: mean rank, mean z-score, or a stacked model that never saw the rows it scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Predictions, Truth
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.judging.missing import complete
from affinity_zoo.zoo.judging.predictions import known_rows, take
from affinity_zoo.zoo.scorers.rescored import with_score
from affinity_zoo.zoo.scorers.units import Units, factorize, units

Method = Literal["rank", "z", "stack"]
METHODS: tuple[Method, ...] = ("rank", "z", "stack")
FOLDS = 5

Array = NDArray[np.float64]


def mean_rank(scores: Sequence[Array], where: Units) -> Array:
    """Mean over the members of each row's rank within its unit, as a score.

    Args:
        scores: of each member, (N,), larger is better, no NaN.
        where: the unit of each row.

    Returns:
        (N,) between 0 and 1, larger is better; ties get their mean rank.
    """
    from scipy.stats import rankdata

    total = np.zeros(len(where.of_row))
    for score in scores:
        for rows in where.rows():
            total[rows] += (rankdata(score[rows]) - 0.5) / len(rows)
    return total / len(scores)


def mean_z(scores: Sequence[Array], where: Units) -> Array:
    """Mean over the members of each row's z-score within its unit.

    Args:
        scores: of each member, (N,), larger is better, no NaN.
        where: the unit of each row.

    Returns:
        (N,); a member with one score for a whole unit adds 0 there.
    """
    total = np.zeros(len(where.of_row))
    for score in scores:
        mean = where.means(score)[where.of_row]
        spread = np.sqrt(where.means((score - mean) ** 2))[where.of_row]
        # equal scores leave rounding errors, which are no spread
        flat = spread <= 1e-12 * np.maximum(1.0, np.abs(mean))
        total += np.where(flat, 0.0, (score - mean) / np.where(flat, 1.0, spread))
    return total / len(scores)


def unit_of(predictions: Predictions, truth: Truth) -> Units:
    """Within what scores of different members are made comparable.

    The poses of a complex, the molecules of a target; affinities are ranked over all rows.

    Args:
        predictions: Predictions of N rows.
        truth: Column of true values.
    """
    if truth == "affinity":
        return factorize(np.full(len(predictions), ""))
    return units(predictions, truth)


def features(members: Sequence[Predictions], truth: Truth) -> Array:
    """Inputs of a stacked model: each member's score and its z-score within the unit, (N, 2 members).

    Args:
        members: Predictions of each member, for the same rows.
        truth: Column of true values.
    """
    where = unit_of(members[0], truth)
    columns = [member.score for member in members]
    within = [mean_z([column], where) for column in columns]
    return np.column_stack([*columns, *within])


def stacker(truth: Truth) -> Any:
    """The stacked model, not fitted: logistic regression on labels, ridge regression on affinities (scikit-learn).

    Args:
        truth: Column of true values.
    """
    from sklearn.linear_model import LogisticRegression, RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    last = RidgeCV(np.logspace(-3, 3, 13)) if truth == "affinity" else LogisticRegression(max_iter=1000)
    return make_pipeline(StandardScaler(), last)


def targets_of(predictions: Predictions, truth: Truth) -> Array:
    """Targets of a stacked model, (N,): the affinity, else 1 and 0; an RMSD up to 2 Å is 1.

    Args:
        predictions: Predictions of N rows.
        truth: Column of true values.
    """
    values: Array = getattr(predictions, truth)
    if truth == "affinity":
        return values
    return (values <= 2.0 if truth == "rmsd" else values > 0.5).astype(np.float64)


def stacked(fitted: Any, rows: Array) -> Array:
    """Scores of a fitted stacked model, (N,): a logit, or pK.

    Args:
        fitted: Fitted stacked model.
        rows: (N, features).
    """
    values = fitted.decision_function(rows) if hasattr(fitted, "decision_function") else fitted.predict(rows)
    return np.asarray(values, np.float64)


def cross_validated(members: Sequence[Predictions], truth: Truth) -> Array:
    """Scores of stacked models, each fitted on other groups than those it scores.

    Args:
        members: the same rows, scored by each member, no NaN.
        truth: what is learnt.

    Returns:
        (N,) scores; NaN where the row has no truth.

    Raises:
        AffinityZooError: there are fewer than two groups, or one class only.
    """
    from sklearn.model_selection import GroupKFold

    first = members[0]
    seen = features(members, truth)
    known = np.flatnonzero(known_rows(first, truth))
    groups = factorize(first.group if np.any(first.group != "") else first.target).of_row[known]
    wanted = targets_of(first, truth)[known]
    number = len(np.unique(groups))
    if number < 2:
        raise AffinityZooError("a stacked model needs two groups or more: one to fit it, one to evaluate it")
    scores = np.full(len(first), np.nan)
    for learnt, judged in GroupKFold(min(FOLDS, number)).split(seen[known], wanted, groups):
        if truth != "affinity" and len(np.unique(wanted[learnt])) < 2:
            raise AffinityZooError("a stacked model cannot be fitted: a fold has one class only")
        fitted = stacker(truth).fit(seen[known[learnt]], wanted[learnt])
        scores[known[judged]] = stacked(fitted, seen[known[judged]])
    return scores


def completed(members: Sequence[Predictions], truth: Truth) -> list[Predictions]:
    """The members' rows with a truth, missing scores filled as a board fills them.

    Args:
        members: Predictions of each member, for the same rows.
        truth: Column of true values.
    """
    return [complete(member, truth)[0] for member in members]


def in_order(rows: Predictions, score: Array, ids: NDArray[np.str_]) -> Predictions:
    """The rows with these scores, in the order of some ids; what is not among the ids comes last.

    Args:
        rows: N rows.
        score: (N,) their scores.
        ids: in the order of the benchmark, so that the bootstrap draws as it does for other results.
    """
    place = {name: i for i, name in enumerate(ids.tolist())}
    order = np.argsort([place.get(name, len(place)) for name in rows.id.tolist()], kind="stable")
    return take(with_score(rows, score), order)
