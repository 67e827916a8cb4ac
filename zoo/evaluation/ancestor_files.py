"""The ancestor's two text files: ``x_predictions.txt`` and ``x_scores.txt``."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from affinity_zoo.zoo.board.results import Result
from affinity_zoo.zoo.runtime.files import whole


def write_ancestor_files(logs_folder: Path, x: int | str, result: Result) -> tuple[Path, Path]:
    """Write the predictions, best first, and the scores as plain text.

    Args:
        logs_folder: ``x_logs``.
        x: the run's number.
        result: what was evaluated.

    Returns:
        ``x_predictions.txt`` (tab-separated: rank, prediction, label, id; rows without a prediction last)
        and ``x_scores.txt`` (top_100_score with P, N and chance, confusion matrix, AUC, then every metric).
    """
    logs_folder = Path(logs_folder)
    predictions = logs_folder / f"{x}_predictions.txt"
    scores = logs_folder / f"{x}_scores.txt"
    _write_predictions(predictions, result)
    _write_scores(scores, result)
    return predictions, scores


def _write_predictions(path: Path, result: Result) -> None:
    rows = result.predictions()
    label = next(
        (
            getattr(rows, t)
            for t in ("pose_label", "active", "affinity")
            if np.isfinite(getattr(rows, t)).any()
        ),
        np.full(len(rows), np.nan),
    )
    order = np.argsort(-rows.score, kind="stable")  # NaN sorts last
    with whole(path) as file:
        file.write("rank\tprediction\tlabel\tid\n")
        for rank, row in enumerate(order.tolist(), start=1):
            file.write(f"{rank}\t{rows.score[row]:.6f}\t{label[row]:g}\t{rows.id[row]}\n")


def _write_scores(path: Path, result: Result) -> None:
    metrics = result.metrics
    with whole(path) as file:
        file.write(f"model: {result.model.get('name', '')}\nbenchmark: {result.benchmark.get('name', '')}\n")
        top = metrics.get("r-precision")
        if top is not None and math.isfinite(top.value):
            of = f"P {top.details['P']:g}, N {top.details['N']:g}, chance {top.details['chance']:.2f}"
            file.write(f"top_100_score: {top.value:.2f} ({of})\n")
        matrix = metrics.get("confusion")
        if matrix is not None:
            (tp, fp), (fn, tn) = matrix.details["matrix"]
            file.write(f"confusion matrix: [[{tp:g} {fp:g}] [{fn:g} {tn:g}]]\n")
        area = metrics.get("roc-auc")
        if area is not None:
            file.write(f"AUC: {area.value:.4f}\n")
        file.write("\nmetric\tvalue\tlow 95%\thigh 95%\tunit\tbetter\ttruth\trows\n")
        for key, m in metrics.items():
            cells = [
                key,
                f"{m.value:.6g}",
                f"{m.low:.6g}",
                f"{m.high:.6g}",
                m.unit,
                m.direction,
                m.truth,
                str(m.rows),
            ]
            file.write("\t".join(cells) + "\n")
