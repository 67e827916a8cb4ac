"""Metrics on the validation rows after each epoch."""

from __future__ import annotations

import math
import warnings

import numpy as np
from numpy.typing import NDArray
from scipy.stats import pearsonr, spearmanr
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import roc_auc_score, roc_curve

from affinity_zoo.zoo.models.recipe import Training
from affinity_zoo.zoo.training.callbacks import shuffled
from affinity_zoo.zoo.training.targets import REGRESSIONS, Targets

Array = NDArray[np.float64]


def validation_scores(
    outputs: Array, targets: Targets, groups: NDArray[np.str_], training: Training, epoch: int
) -> dict[str, float]:
    """Return the loss, its control with shuffled labels, and the metrics of each task.

    Pose, or activity where there is no pose: ROC-AUC pooled and as the mean within complexes. Affinity: RMSE and the
    two correlations over the rows whose affinity is a value and not a bound. RMSD: the same with the ending
    ``-rmsd``, both sides capped at ``rmsd_cap``. With several tasks also the loss of each, ``loss-affinity``.

    Args:
        outputs: (n, T) logits, pK and Å.
        targets: of the rows, T tasks.
        groups: (n,) the complex each row belongs to.
        training: tasks, weights and losses.
        epoch: which permutation the control takes.
    """
    if len(targets) == 0:
        return {}
    each = {task: _loss(task, outputs, targets, training) for task in targets.tasks}
    control = _control(outputs, targets, training, epoch)
    scores = {"loss": _sum(each, training), "loss-shuffled-labels": _sum(control, training)}
    if len(each) > 1:
        scores |= {f"loss-{task}": value for task, value in each.items()}
    for task in targets.tasks:
        column = outputs[:, targets.tasks.index(task)]
        if task == "affinity":
            rows = targets.measured
            scores |= _regression(column[rows], targets.of(task)[rows])
            continue
        if task == "rmsd":
            rows = np.isfinite(targets.of(task))
            found = _regression(np.minimum(column[rows], training.rmsd_cap), targets.of(task)[rows])
            scores |= {f"{name}-rmsd": value for name, value in found.items()}
            continue
        known = np.isfinite(targets.of(task))
        suffix = "" if task == targets.label_task else f"-{task}"
        labels = targets.of(task)[known]
        scores[f"roc-auc{suffix}"] = _auc(labels, column[known])
        scores[f"roc-auc-per-complex{suffix}"] = _mean_auc_within(column[known], labels, groups[known])
    return scores


def weighted_loss(logits: Array, labels: Array, false_positive_weight: float) -> float:
    """Mean of the training loss of a label, in float64.

    Args:
        logits: (n,) logits.
        labels: (n,) labels.
        false_positive_weight: Weight of the negative term.
    """
    positive, negative = np.logaddexp(0.0, -logits), np.logaddexp(0.0, logits)
    return float(np.mean(labels * positive + false_positive_weight * (1.0 - labels) * negative))


def affinity_loss(predicted: Array, values: Array, sides: NDArray[np.int8], training: Training) -> float:
    """Mean of the training loss of affinity or RMSD, in float64; a bound costs nothing on its right side.

    Args:
        predicted: (n,) predictions.
        values: (n,) true values or bounds.
        sides: (n,) 0: a value; -1: an upper bound; 1: a lower bound.
        training: Training table of the recipe.
    """
    error = predicted - values
    error = np.abs(
        np.where(sides < 0, np.maximum(error, 0.0), np.where(sides > 0, np.minimum(error, 0.0), error))
    )
    if training.affinity_loss == "mse":
        return float(np.mean(error**2))
    near = np.minimum(error, training.huber_delta)
    return float(np.mean(near * (error - 0.5 * near)))


def _loss(task: str, outputs: Array, targets: Targets, training: Training) -> float:
    t = targets.tasks.index(task)
    known = targets.known[:, t]
    if not known.any():
        return math.nan
    predicted, values = outputs[known, t], targets.values[known, t]
    if task in REGRESSIONS:
        return affinity_loss(predicted, values, targets.sides[known, t], training)
    return weighted_loss(predicted, values, training.false_positive_weight)


def _control(outputs: Array, targets: Targets, training: Training, epoch: int) -> dict[str, float]:
    """The losses against permuted truths."""
    control = {}
    for task in targets.tasks:
        t = targets.tasks.index(task)
        known = np.flatnonzero(targets.known[:, t])
        # the places are permuted: an affinity takes its relation along
        other = known[shuffled(np.arange(len(known)), training.seed, epoch)]
        values, sides = targets.values.copy(), targets.sides.copy()
        values[known, t], sides[known, t] = targets.values[other, t], targets.sides[other, t]
        control[task] = _loss(task, outputs, Targets(targets.tasks, values, sides), training)
    return control


def _sum(losses: dict[str, float], training: Training) -> float:
    """The weighted sum over the tasks that have a loss; NaN where none has."""
    weights = training.task_weights or (1.0,) * len(losses)
    known = [w * loss for w, loss in zip(weights, losses.values(), strict=True) if not math.isnan(loss)]
    return float(sum(known)) if known else math.nan


def best_threshold(logits: Array, labels: Array) -> float:
    """Return the threshold of the logit with the largest TPR - FPR (Youden's J).

    NaN without both classes.

    Args:
        logits: (n,) logits.
        labels: (n,) labels.
    """
    if len(set(labels.tolist())) < 2:
        return float("nan")
    false_positive_rate, true_positive_rate, thresholds = roc_curve(labels, logits)
    finite = np.isfinite(thresholds)
    return float(thresholds[finite][np.argmax((true_positive_rate - false_positive_rate)[finite])])


def _regression(predicted: Array, values: Array) -> dict[str, float]:
    """RMSE (pK or Å), Pearson's r and Spearman's rho; NaN where they are not defined."""
    scores = {"rmse": math.nan, "pearson": math.nan, "spearman": math.nan}
    if len(values):
        scores["rmse"] = float(np.sqrt(np.mean((predicted - values) ** 2)))
    if len(values) > 2 and np.ptp(predicted) > 0 and np.ptp(values) > 0:
        scores["pearson"] = float(pearsonr(predicted, values).statistic)
        scores["spearman"] = float(spearmanr(predicted, values).statistic)
    return scores


def _auc(labels: Array, logits: Array) -> float:
    if len(set(labels.tolist())) < 2:
        return float("nan")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        return float(roc_auc_score(labels, logits))


def _mean_auc_within(logits: Array, labels: Array, groups: NDArray[np.str_]) -> float:
    """Mean over complexes that have both classes; NaN where none has."""
    aucs = [_auc(labels[groups == group], logits[groups == group]) for group in np.unique(groups)]
    return float(np.nanmean(aucs)) if np.isfinite(aucs).any() else float("nan")
