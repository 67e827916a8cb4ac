"""The ordered map: order, bounded reading ahead, time limits, workers that die."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest

from affinity_zoo.zoo.runtime.parallel import Lost, ordered_map


def square(x: int) -> int:
    time.sleep(0.001 * (x % 3))
    return x * x


def moody(x: int) -> int:
    """Fails, dies, hangs or answers."""
    if x == 3:
        raise ValueError("three")
    if x == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    if x == 7:
        while True:  # a hang that Python sees
            time.sleep(0.01)
    return x


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_results_come_in_order(workers: int) -> None:
    done = list(ordered_map(square, range(40), workers=workers, chunk=3))
    assert [d.item for d in done] == list(range(40))
    assert [d.value for d in done] == [x * x for x in range(40)]


def test_the_input_is_not_read_far_ahead() -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for i in range(10_000):
            taken += 1
            yield i

    results = ordered_map(square, items(), workers=1, chunk=2)
    next(results)
    assert taken <= 20
    results.close()  # type: ignore[attr-defined]


def test_a_death_a_hang_and_an_error_cost_one_item_each() -> None:
    done = {d.item: d.value for d in ordered_map(moody, range(12), workers=2, chunk=4, timeout=1.0)}
    assert sorted(done) == list(range(12))
    assert {x: v for x, v in done.items() if not isinstance(v, Lost)} == {
        x: x for x in range(12) if x not in (3, 5, 7)
    }
    assert {x: v.stage for x, v in done.items() if isinstance(v, Lost)} == {
        3: "error",
        5: "crash",
        7: "timeout",
    }


def test_time_is_limited_in_this_process_too() -> None:
    (done,) = ordered_map(moody, [7], workers=0, timeout=0.2)
    assert isinstance(done.value, Lost) and done.value.stage == "timeout"


def test_another_executor_may_do_the_work() -> None:
    from concurrent.futures import ThreadPoolExecutor

    done = ordered_map(square, range(10), chunk=2, make_executor=lambda: ThreadPoolExecutor(2))
    assert [d.value for d in done] == [x * x for x in range(10)]
