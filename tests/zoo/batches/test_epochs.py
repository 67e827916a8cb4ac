"""Each row exactly once per epoch; balanced batches; nothing depends on anything but seed and epoch."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from affinity_zoo.zoo.batches.epochs import epoch_order
from affinity_zoo.zoo.batches.pipeline import TrainingPlan

SIZES = st.tuples(st.integers(1, 60), st.integers(1, 60))


def _rows(sizes: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    n = sum(sizes)
    rows = np.random.default_rng(n).choice(10 * n, n, replace=False).astype(np.int64)
    return rows, np.repeat([1.0, 0.0], sizes)


@given(SIZES, st.integers(0, 2**31), st.integers(0, 100))
def test_unbalanced_epoch_shows_each_row_exactly_once(sizes: tuple[int, int], seed: int, epoch: int) -> None:
    rows, labels = _rows(sizes)
    assert sorted(epoch_order(rows, labels, seed, epoch, "none")[0]) == sorted(rows)


@given(SIZES, st.integers(0, 2**31))
def test_oversampled_epoch_is_balanced_and_even(sizes: tuple[int, int], seed: int) -> None:
    rows, labels = _rows(sizes)
    order, copies = epoch_order(rows, labels, seed, 3, "oversample")
    label_of = dict(zip(rows.tolist(), labels.tolist(), strict=True))
    shown = np.array([label_of[r] for r in order.tolist()])
    assert len(order) == 2 * max(sizes) and shown.sum() == max(sizes)
    for label in (0.0, 1.0):
        counts = np.unique(order[shown == label], return_counts=True)[1]
        assert len(counts) == (labels == label).sum() and counts.max() - counts.min() <= 1
        if (labels == label).sum() == max(sizes):
            assert counts.max() == 1
    # no row is shown twice as the same copy
    assert len(set(zip(order.tolist(), copies.tolist(), strict=True))) == len(order)
    # every even prefix is balanced, so every batch of even size is
    assert all(shown[: 2 * k].sum() == k for k in range(len(order) // 2))


@given(SIZES, st.integers(0, 1000))
def test_order_depends_on_seed_and_epoch_only(sizes: tuple[int, int], seed: int) -> None:
    rows, labels = _rows(sizes)
    first, again = (epoch_order(rows, labels, seed, 5, "oversample") for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


def test_epochs_and_seeds_differ() -> None:
    rows, labels = _rows((50, 50))
    orders = [
        epoch_order(rows, labels, seed, epoch, "none")[0].tolist() for seed in (0, 1) for epoch in (0, 1)
    ]
    assert len({tuple(order) for order in orders}) == 4


@given(SIZES, st.integers(1, 17), st.integers(0, 3))
def test_steps_cover_an_epoch_and_fill_the_last_batch_with_weight_zero(
    sizes: tuple[int, int], batch_size: int, epoch: int
) -> None:
    rows, labels = _rows(sizes)
    plan = TrainingPlan(rows, labels, batch_size, seed=1, balance="none")
    steps = plan.steps
    made = [plan.step(epoch * steps + i, steps) for i in range(steps)]
    assert all(
        s.epoch == epoch and len(s.rows) == len(s.weights) == len(s.copies) == batch_size for s in made
    )
    seen = np.concatenate([s.rows[s.weights == 1] for s in made])
    assert sorted(seen) == sorted(rows)
    # what fills the last batch up is other rows of the epoch, each as rarely as can be: batch normalisation sees them
    last = made[-1]
    fill = last.rows[last.weights == 0]
    assert set(fill.tolist()) <= set(rows.tolist())
    if len(fill):
        counts = np.unique(fill, return_counts=True)[1]
        assert counts.max() <= -(-len(fill) // len(rows))


@given(n=st.integers(1, 30), unlabelled=st.integers(1, 30), seed=st.integers(0, 5))
def test_rows_without_a_label_come_once_each(n: int, unlabelled: int, seed: int) -> None:
    labels = np.concatenate([np.ones(n), [0.0, 0.0], np.full(unlabelled, np.nan)])
    rows = np.arange(len(labels)) + 100
    order, copies = epoch_order(rows, labels, seed, 1, "oversample")
    shown = order[np.isin(order, rows[np.isnan(labels)])]
    assert sorted(shown) == sorted(rows[np.isnan(labels)])
    # the labelled ones are as if they were alone
    alone = epoch_order(rows[~np.isnan(labels)], labels[~np.isnan(labels)], seed, 1, "oversample")
    assert [order[~np.isin(order, shown)].tolist(), copies[~np.isin(order, shown)].tolist()] == [
        a.tolist() for a in alone
    ]
