"""Batches made ahead of the step that takes them, by threads, in the order of their numbers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")


class Ahead(Generic[T]):
    """The values `make(first)`, `make(first + 1)`, ... by their position; the next ones are made meanwhile.

    A position may be asked for again, as Keras does when it looks at a batch before it trains: it is made again, and
    what was made ahead stays.

    Args:
        make: Makes the value of a number; called from several threads.
        first: Number of position 0.
        last: Numbers from here on are not made ahead.
        threads: Threads that make values.
        ready: Values that are kept ready beside those being made.
    """

    def __init__(self, make: Callable[[int], T], first: int, last: int, threads: int, ready: int) -> None:
        self._make, self._first, self._last = make, first, last
        self._most = threads + ready
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="batches")
        self._lock = threading.Lock()
        self._pending: dict[int, Future[T]] = {}

    def __getitem__(self, position: int) -> T:
        """Return a value; position 0 is the number `first`.

        Args:
            position: Position of the value, from 0.
        """
        number = self._first + position
        with self._lock:
            # JAX on an accelerator takes one batch more than it trains on: `last` itself may be asked for
            wanted = range(number, max(number + 1, min(number + self._most, self._last)))
            for old in [n for n in self._pending if n not in wanted]:
                self._pending.pop(old).cancel()
            for n in wanted:
                if n not in self._pending:
                    self._pending[n] = self._pool.submit(self._make, n)
            taken = self._pending.pop(number)
        return taken.result()
