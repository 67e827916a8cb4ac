"""Each truth is judged by the output that fits it, and by nothing that is not on its scale."""

from __future__ import annotations

import numpy as np
import pytest

from affinity_zoo.zoo.judging.judge import default_scorers, judge
from affinity_zoo.zoo.judging.outputs import fits_scale, for_truth, output_for, outputs_of, present_outputs
from affinity_zoo.zoo.judging.predictions import make_predictions
from affinity_zoo.zoo.scorers.rescored import with_score

POSE = np.array([4.0, -4, 3, -3, 2, -2])
PK = np.array([5.0, 9, 6, 8, 5.5, 7])


def _predictions(**extra: np.ndarray):  # type: ignore[no-untyped-def]
    return make_predictions(
        id=[f"p{i}" for i in range(6)], target=list("aabbcc"), pose_label=[1, 0, 1, 0, 1, 0],
        active=[0, 1, 0, 1, 0, 1], affinity=PK + 0.5, score=POSE, extra=extra,
    )  # fmt: skip


def test_pose_and_affinity_of_one_model_are_both_perfect() -> None:
    two = _predictions(pose_output=POSE, affinity_output=PK)
    assert present_outputs(two) == ("pose", "affinity")
    found = judge(two, replicates=0)
    assert found["roc-auc-per-complex"].truth == "pose_label" and found["roc-auc-per-complex"].value == 1.0
    assert found["spearman"].value == pytest.approx(1.0)
    assert found["rmse"].value == pytest.approx(0.5)
    assert "confusion" in found


def test_a_pose_model_has_no_error_in_pk_but_a_rank() -> None:
    found = judge(_predictions(pose_output=POSE), replicates=0)
    assert "rmse" not in found and "mae" not in found and found["spearman"].value < 0
    # as before where nothing is known of the outputs
    assert "rmse" in judge(_predictions(), replicates=0)


def test_an_affinity_model_has_no_confusion_matrix() -> None:
    names = {scorer.name for scorer in default_scorers(_predictions(affinity_output=PK))}
    assert "confusion" not in names and {"roc-auc", "rmse"} <= names


def test_activity_is_judged_by_activity_else_by_the_pose() -> None:
    assert output_for("active", ("pose", "affinity")) == "pose"
    assert output_for("active", ("pose", "activity")) == "activity"
    assert output_for("affinity", ("pose",)) == "pose" and output_for("affinity", ()) is None
    three = _predictions(pose_output=POSE, activity_output=-POSE)
    assert np.array_equal(for_truth(three, "active").score, -POSE)
    assert fits_scale(three, "active") and not fits_scale(three, "affinity")


def test_a_baseline_on_the_same_rows_forgets_the_outputs() -> None:
    bare = with_score(_predictions(pose_output=POSE, affinity_output=PK), np.arange(6.0))
    assert present_outputs(bare) == () and np.array_equal(for_truth(bare, "affinity").score, np.arange(6.0))


def test_a_card_without_outputs_is_a_pose_model() -> None:
    assert outputs_of({}) == ("pose",)
    assert outputs_of({"outputs": [{"name": "affinity"}, {"name": "pose"}]}) == ("affinity", "pose")
