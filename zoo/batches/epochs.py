"""Rows of a training epoch and their order: a pure function of seed and epoch."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Balance = Literal["none", "oversample"]


def generator(seed: int, *stream: int) -> np.random.Generator:
    """Return a random generator that depends on its arguments only (Philox, counter based).

    Args:
        seed: Seed of the training, 0 or more.
        stream: Further numbers that select the random stream.
    """
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, *stream])))


def epoch_order(
    rows: NDArray[np.int64],
    labels: NDArray[np.float64],
    seed: int,
    epoch: int,
    balance: Balance = "oversample",
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Order the rows of one epoch.

    Args:
        rows: (n,) row numbers of the index.
        labels: (n,) 0 or 1; NaN in rows without this label (they have other targets).
        seed, epoch: seed and epoch that determine the order.
        balance: ``none``: each row exactly once. ``oversample``: each row of the larger class exactly
            once; rows of the smaller class as evenly repeated as can be (each floor or ceil of the ratio
            times) until both are equally many, and the two alternate, so that every batch is balanced. Rows
            without a label come once each, anywhere between them.

    Returns:
        Row numbers in the order in which they are shown, and for each how often the row was shown before in this
        epoch. Each repetition of a pose gets another view, so that the network does not memorise the image.
    """
    rng = generator(seed, epoch)
    positives, negatives = rows[labels == 1], rows[labels == 0]
    if balance == "none" or len(positives) == 0 or len(negatives) == 0:
        return rng.permutation(rows), np.zeros(len(rows), np.int64)
    n = max(len(positives), len(negatives))
    order, copies = np.empty(2 * n, np.int64), np.empty(2 * n, np.int64)
    for start, group in enumerate((positives, negatives)):
        order[start::2] = _repeat(rng, group, n)
        copies[start::2] = np.arange(n) // len(group)
    unlabelled = rows[np.isnan(labels)]
    if len(unlabelled):
        places = np.sort(rng.integers(0, len(order) + 1, len(unlabelled)))
        order = np.insert(order, places, rng.permutation(unlabelled))
        copies = np.insert(copies, places, 0)
    return order, copies


def _repeat(rng: np.random.Generator, rows: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Take n rows, each floor or ceil of n / len(rows) times, one shuffled pass after the other."""
    passes = [rng.permutation(rows) for _ in range(-(-n // len(rows)))]
    return np.concatenate(passes)[:n]


def steps_per_epoch(n_shown: int, batch_size: int) -> int:
    """Return the number of batches of an epoch; the last one is padded with rows of weight 0.

    Args:
        n_shown: Rows of an epoch.
        batch_size: Rows of a batch.
    """
    return -(-n_shown // batch_size)
