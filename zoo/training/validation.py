"""What is measured on the validation rows after each epoch."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import roc_auc_score, roc_curve

from affinity_zoo.zoo.training.callbacks import shuffled


def validation_scores(
    logits: NDArray[np.float64],
    labels: NDArray[np.float64],
    groups: NDArray[np.str_],
    false_positive_weight: float,
    seed: int,
    epoch: int,
) -> dict[str, float]:
    """Loss, its control with shuffled labels, ROC-AUC pooled and as the mean within complexes.

    Args:
        logits, labels, groups: (n,) each; the pose label of each row and the complex it belongs to.
    """
    if len(labels) == 0:
        return {}
    return {
        "loss": weighted_loss(logits, labels, false_positive_weight),
        "loss-shuffled-labels": weighted_loss(logits, shuffled(labels, seed, epoch), false_positive_weight),
        "roc-auc": _auc(labels, logits),
        "roc-auc-per-complex": _mean_auc_within(logits, labels, groups),
    }


def weighted_loss(
    logits: NDArray[np.float64], labels: NDArray[np.float64], false_positive_weight: float
) -> float:
    """Mean of the training loss, in float64."""
    positive, negative = np.logaddexp(0.0, -logits), np.logaddexp(0.0, logits)
    return float(np.mean(labels * positive + false_positive_weight * (1.0 - labels) * negative))


def best_threshold(logits: NDArray[np.float64], labels: NDArray[np.float64]) -> float:
    """The logit above which a row counts as positive: where TPR - FPR is largest (Youden's J).

    NaN without both classes.
    """
    if len(set(labels.tolist())) < 2:
        return float("nan")
    false_positive_rate, true_positive_rate, thresholds = roc_curve(labels, logits)
    finite = np.isfinite(thresholds)
    return float(thresholds[finite][np.argmax((true_positive_rate - false_positive_rate)[finite])])


def _auc(labels: NDArray[np.float64], logits: NDArray[np.float64]) -> float:
    if len(set(labels.tolist())) < 2:
        return float("nan")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        return float(roc_auc_score(labels, logits))


def _mean_auc_within(
    logits: NDArray[np.float64], labels: NDArray[np.float64], groups: NDArray[np.str_]
) -> float:
    """Mean over complexes that have both classes; NaN where none has."""
    aucs = [_auc(labels[groups == group], logits[groups == group]) for group in np.unique(groups)]
    return float(np.nanmean(aucs)) if np.isfinite(aucs).any() else float("nan")
