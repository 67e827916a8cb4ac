"""Parallel work, all of it: one ordered map over a ``concurrent.futures`` executor.

It submits in a bounded window, keeps order, limits the time of each item inside the worker, and survives
workers that die: what was in flight is run again one by one, and what kills its worker alone is lost with a reason.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from types import FrameType
from typing import Any, Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_GRACE = 5.0  #: seconds after which a call that ignores its time limit takes its worker with it


@dataclass(frozen=True)
class Lost:
    """What stands in the place of a result that there is none of."""

    stage: str  #: ``timeout``, ``crash`` or ``error``
    reason: str


@dataclass(frozen=True)
class Done(Generic[T, R]):
    """An item and its result."""

    item: T
    value: R | Lost


class _OutOfTime(BaseException):
    """Not an Exception, so that no handler for bad input swallows it."""


def default_workers() -> int:
    """The processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)


def local_pool(workers: int) -> ProcessPoolExecutor:
    """A pool of fresh processes: never a plain fork, which hangs once TensorFlow or threads were used."""
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context(method))


def dask_cluster(address: str) -> Callable[[], Executor]:
    """What makes an executor on a Dask cluster, for :func:`ordered_map`.

    Its workers need this package and the same paths; time limits do not hold there (Dask runs in threads).

    Raises:
        UsageError: Dask is not installed, or nothing answers at the address.
    """
    from affinity_zoo.plugins.errors import UsageError

    try:
        from distributed import Client
    except ImportError:
        raise UsageError("--dask needs Dask: pip install distributed") from None
    try:
        client = Client(address)
    except (OSError, ValueError) as error:
        raise UsageError(f"no Dask scheduler answers at {address}: {error}") from error
    # pure=False: equal calls are not merged into one
    return lambda: client.get_executor(pure=False)  # type: ignore[no-any-return]


def ordered_map(
    function: Callable[[T], R],
    items: Iterable[T],
    *,
    workers: int | None = None,
    chunk: int = 16,
    timeout: float | None = None,
    make_executor: Callable[[], Executor] | None = None,
) -> Iterator[Done[T, R]]:
    """Apply ``function`` to every item and yield the results in the order of the items.

    Args:
        function: picklable; what it raises becomes a :class:`Lost`.
        items: any iterable; it is read only as far as the window reaches.
        workers: processes; None: one for each processor; 0: in this process.
        chunk: items sent at once.
        timeout: seconds an item may take; beyond it is lost (stage ``timeout``).
        make_executor: another executor than the local pool, for example a Dask client's
            ``get_executor(pure=False)``; called again when the executor broke.
    """
    workers = default_workers() if workers is None else workers
    if workers == 0 and make_executor is None:
        for item in items:
            yield Done(item, _run_one(function, item, timeout, hard=False))
        return
    make = make_executor or (lambda: local_pool(workers))
    yield from _Mapper(function, make, max(2, 3 * workers), chunk, timeout).run(iter(items))


class _Mapper(Generic[T, R]):
    def __init__(
        self,
        function: Callable[[T], R],
        make: Callable[[], Executor],
        window: int,
        chunk: int,
        timeout: float | None,
    ) -> None:
        self.function, self.make, self.window, self.chunk, self.timeout = (
            function,
            make,
            window,
            chunk,
            timeout,
        )
        self.executor = make()

    def run(self, items: Iterator[T]) -> Iterator[Done[T, R]]:
        flight: deque[tuple[list[T], Future[list[R | Lost]]]] = deque()
        try:
            while True:
                while len(flight) < self.window and (batch := list(islice(items, self.chunk))):
                    flight.append((batch, self._submit(batch)))
                if not flight:
                    return
                batch, future = flight.popleft()
                try:
                    values = future.result()
                except BrokenExecutor:
                    # The pool is gone with all that was in flight. Which item did it is not known yet.
                    self._renew()
                    values = self._one_by_one(batch)
                    flight = deque(self._again(flight))
                except Exception:  # what a cluster says of a worker that died: the others go on
                    values = self._one_by_one(batch)
                for item, value in zip(batch, values, strict=True):
                    yield Done(item, value)
        finally:
            self._close()

    def _close(self) -> None:
        try:
            self.executor.shutdown(wait=False, cancel_futures=True)
        except TypeError:  # Dask's executor does not know the argument
            self.executor.shutdown(wait=False)

    def _submit(self, batch: list[T]) -> Future[list[R | Lost]]:
        try:
            return self.executor.submit(_run_chunk, self.function, batch, self.timeout)
        except BrokenExecutor as error:
            future: Future[list[R | Lost]] = Future()
            future.set_exception(error)
            return future

    def _renew(self) -> None:
        self._close()
        self.executor = self.make()

    def _again(
        self, flight: Iterable[tuple[list[T], Future[list[R | Lost]]]]
    ) -> Iterator[tuple[list[T], Future[list[R | Lost]]]]:
        for batch, future in flight:
            finished = future.done() and not future.cancelled() and future.exception() is None
            yield batch, future if finished else self._submit(batch)

    def _one_by_one(self, batch: Sequence[T]) -> list[R | Lost]:
        values: list[R | Lost] = []
        for item in batch:
            try:
                values += self._submit([item]).result()
            except BrokenExecutor:
                self._renew()
                values.append(Lost("crash", "reading it ends the worker process (twice), or takes too long"))
            except Exception as error:
                values.append(Lost("crash", f"the worker was lost ({type(error).__name__}: {error})"))
        return values


def _run_chunk(function: Callable[[T], R], batch: list[T], timeout: float | None) -> list[R | Lost]:
    return [_run_one(function, item, timeout, hard=True) for item in batch]


def _run_one(function: Callable[[T], R], item: T, timeout: float | None, hard: bool) -> R | Lost:
    limited = timeout is not None and hasattr(signal, "setitimer")
    limited = limited and threading.current_thread() is threading.main_thread()
    try:
        if not limited or timeout is None:
            return function(item)
        before = signal.signal(signal.SIGALRM, _alarm)
        if hard:
            # Compiled code does not see the signal until it returns: then the worker goes.
            faulthandler.dump_traceback_later(timeout + _GRACE, exit=True, file=_nowhere())
        signal.setitimer(signal.ITIMER_REAL, timeout)
        try:
            return function(item)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            if hard:
                faulthandler.cancel_dump_traceback_later()
    except _OutOfTime:
        return Lost("timeout", f"not read within {timeout:g} s")
    except MemoryError:
        return Lost("error", "not enough memory to read it")
    except Exception as error:
        return Lost("error", f"{type(error).__name__}: {error}")


def _alarm(number: int, frame: FrameType | None) -> None:
    raise _OutOfTime


_sink: Any = None


def _nowhere() -> Any:
    global _sink
    if _sink is None:
        _sink = open(os.devnull, "w") if sys.platform != "win32" else sys.stderr  # noqa: SIM115
    return _sink
