"""Batches made ahead come in order, once each, and are bounded."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affinity_zoo.zoo.batches.ahead import Ahead


@given(
    st.integers(0, 50), st.integers(1, 30), st.integers(1, 4), st.integers(1, 3), st.lists(st.integers(0, 29))
)
def test_any_position_at_any_time(
    first: int, length: int, threads: int, ready: int, asked: list[int]
) -> None:
    made = Ahead(lambda number: number * number, first, first + length, threads, ready)
    for position in [*asked, *range(length)]:
        assert made[position] == (first + position) ** 2


def test_no_more_is_made_than_allowed_and_in_order_nothing_twice() -> None:
    lock, seen = threading.Lock(), []

    def make(number: int) -> int:
        with lock:
            seen.append(number)
        return number

    made = Ahead(make, 10, 40, threads=2, ready=2)
    for position in range(30):
        assert made[position] == 10 + position
        with lock:
            # the one that was taken, and three after it
            assert max(seen) <= 10 + position + 3
    assert sorted(seen) == list(range(10, 40))
    # asked for beyond the end, as JAX does on an accelerator
    assert made[30] == 40


def test_an_error_comes_with_its_own_batch() -> None:
    def make(number: int) -> int:
        if number == 2:
            raise ValueError("broken row")
        return number

    made = Ahead(make, 0, 5, threads=2, ready=2)
    assert [made[0], made[1]] == [0, 1]
    with pytest.raises(ValueError, match="broken row"):
        made[2]
    assert made[3] == 3
