"""Tables of many rows: read, hashed and drawn in parts, with the results of one piece."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from affinity_zoo.zoo.judging import bootstrap
from affinity_zoo.zoo.judging.predictions import make_predictions
from affinity_zoo.zoo.scorers.roc_auc import RocAuc


def test_a_large_table_is_read_in_parts_and_shares_the_texts_of_its_benchmark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parts of a few rows give the same table; equal texts are those of the benchmark, others are the file's own."""
    from affinity_zoo.zoo.judging import predictions as module

    rows = make_predictions(
        id=[f"p{i}" for i in range(50)], score=np.arange(50.0), target=[f"t{i // 5}" for i in range(50)],
        extra={"mixed": np.array([*["1.5"] * 20, *["x"] * 30]), "number": np.arange(50.0)},
    )  # fmt: skip
    whole = module.write_predictions(tmp_path / "whole.csv", rows).read_bytes()
    monkeypatch.setattr(module, "AT_ONCE", 7)
    path = module.write_predictions(tmp_path / "p.csv", rows)
    assert path.read_bytes() == whole
    other = replace(rows, target=np.where(np.arange(50) == 30, "other", rows.target))
    for like in (None, rows, other):
        read = module.read_predictions(path, like)
        for name in ("id", "score", "target", "group"):
            np.testing.assert_array_equal(getattr(read, name), getattr(rows, name))
        np.testing.assert_array_equal(read.extra["mixed"], rows.extra["mixed"])
        np.testing.assert_array_equal(read.extra["number"], rows.extra["number"])
    assert np.shares_memory(module.read_predictions(path, rows).id, rows.id)


def test_texts_are_hashed_in_parts_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from affinity_zoo.zoo.judging import predictions as module

    rows = make_predictions(
        id=[f"p{i}" for i in range(50)], score=np.arange(50.0), pose_label=np.arange(50.0) % 2
    )
    expected = module.labels_hash(rows)
    monkeypatch.setattr(module, "AT_ONCE", 7)
    assert module.labels_hash(rows) == expected


def test_counts_take_one_byte_and_a_plugins_scorer_gets_the_contracts_type() -> None:
    seen: list[np.dtype] = []

    class Asking(RocAuc):
        def resample(self, predictions, truth, group, counts):  # type: ignore[no-untyped-def,override]
            seen.append(counts.dtype)
            return super().resample(predictions, truth, group, counts)

    rows = make_predictions(
        id=[f"p{i}" for i in range(100)], score=np.arange(100.0), pose_label=np.arange(100) % 2,
        target=[f"t{i // 5}" for i in range(100)],
    )  # fmt: skip
    draws = bootstrap.resampling(rows, 50)
    assert draws.counts.dtype == np.uint8 and (draws.counts.sum(axis=1) == 20).all()
    quick = bootstrap.replicate_values(RocAuc(), rows, "pose_label", draws)
    np.testing.assert_array_equal(bootstrap.replicate_values(Asking(), rows, "pose_label", draws), quick)
    assert seen == [np.int32]
