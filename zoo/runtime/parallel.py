"""All parallel work of the project: an ordered map over a ``concurrent.futures`` executor.

It submits a bounded number of chunks, keeps the order, and limits the time of each item inside the worker. If a
worker dies, unfinished items run again one by one; an item that kills its worker again is reported as lost.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from types import FrameType
from typing import Any, Generic, TypeVar

from affinity_zoo.zoo.runtime.dask_cluster import DaskCluster

T = TypeVar("T")
R = TypeVar("R")

_LOOK = 5.0  #: seconds between two checks of a cluster's scheduler
_GRACE = 5.0  #: seconds after which a worker that ignores its time limit is ended


@dataclass(frozen=True)
class Lost:
    """Placeholder for an item that produced no result."""

    stage: str  #: ``timeout``, ``crash`` or ``error``
    reason: str


@dataclass(frozen=True)
class Done(Generic[T, R]):
    """An item and its result."""

    item: T
    value: R | Lost


class _OutOfTime(BaseException):
    """Time limit exceeded. It is not an ``Exception``, so that handlers of bad input do not catch it."""


def default_workers() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)


def local_pool(workers: int) -> ProcessPoolExecutor:
    """Return a pool of new processes. They are not forked: a fork hangs after TensorFlow or threads were used.

    Args:
        workers: Number of processes.
    """
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context(method))


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
        function: picklable; an exception becomes a :class:`Lost`.
        items: any iterable; only a bounded number of items is read ahead.
        workers: number of processes; None: one per processor; 0: work in this process.
        chunk: items per submission.
        timeout: time limit of an item in seconds; an item that exceeds it is lost (stage ``timeout``).
        make_executor: factory of another executor, for example from :func:`dask_cluster`; called again after the
            executor breaks.
    """
    workers = default_workers() if workers is None else workers
    if workers == 0 and make_executor is None:
        for item in items:
            yield Done(item, _run_one(function, item, timeout, hard=False))
        return
    make = make_executor or (lambda: local_pool(workers))
    local = workers

    def window() -> int:
        # a cluster grows and shrinks
        return max(2, 3 * (make_executor.slots if isinstance(make_executor, DaskCluster) else local))

    check = make_executor.check if isinstance(make_executor, DaskCluster) else lambda: None
    yield from _Mapper(function, make, window, chunk, timeout, check).run(iter(items))


class _Mapper(Generic[T, R]):
    def __init__(
        self,
        function: Callable[[T], R],
        make: Callable[[], Executor],
        window: Callable[[], int],
        chunk: int,
        timeout: float | None,
        check: Callable[[], None],
    ) -> None:
        self.function, self.make, self.window = function, make, window
        self.chunk, self.timeout, self.check = chunk, timeout, check
        self.executor = make()

    def run(self, items: Iterator[T]) -> Iterator[Done[T, R]]:
        flight: deque[tuple[list[T], Future[list[R | Lost]]]] = deque()
        try:
            while True:
                most = self.window()
                while len(flight) < most and (batch := list(islice(items, self.chunk))):
                    flight.append((batch, self._submit(batch)))
                if not flight:
                    return
                batch, future = flight.popleft()
                try:
                    values = self._result(future)
                except BrokenExecutor:
                    # The pool and all submitted chunks are lost. It is not known yet which item caused it.
                    self._renew()
                    values = self._one_by_one(batch)
                    flight = deque(self._again(flight))
                except (
                    Exception,
                    CancelledError,
                ):  # a cluster lost a worker: the others continue
                    self.check()
                    values = self._one_by_one(batch)
                for item, value in zip(batch, values, strict=True):
                    yield Done(item, value)
        finally:
            self._close()

    def _result(self, future: Future[list[R | Lost]]) -> list[R | Lost]:
        while True:
            wait([future], timeout=_LOOK)
            if future.done():
                return future.result()
            self.check()  # tasks of a lost scheduler never end

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
                values += self._result(self._submit([item]))
            except BrokenExecutor:
                self._renew()
                values.append(Lost("crash", "it ended the worker process twice, or exceeded the time limit"))
            except (Exception, CancelledError) as error:
                self.check()
                values.append(Lost("crash", f"the worker was lost ({type(error).__name__}: {error})"))
        return values


_one_at_a_time = threading.Lock()


def _run_chunk(function: Callable[[T], R], batch: list[T], timeout: float | None) -> list[R | Lost]:
    if threading.current_thread() is threading.main_thread():
        return [_run_one(function, item, timeout, hard=True) for item in batch]
    with _one_at_a_time:  # a thread of a Dask worker: captured output and alarms belong to the process
        return [_run_one(function, item, timeout, hard=True) for item in batch]


def _run_one(function: Callable[[T], R], item: T, timeout: float | None, hard: bool) -> R | Lost:
    main = threading.current_thread() is threading.main_thread()
    try:
        if timeout is None or (main and not hasattr(signal, "setitimer")):
            return function(item)
        if not main:
            with _thread_limit(timeout):
                return function(item)
        before = signal.signal(signal.SIGALRM, _alarm)
        if hard:
            # Compiled code handles the signal only when it returns; end the worker then.
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


@contextmanager
def _thread_limit(timeout: float) -> Iterator[None]:
    """Limit the time of a thread other than the main one. Compiled code is interrupted only when it returns."""
    import ctypes

    me, over, fired, guard = threading.get_ident(), False, False, threading.Lock()

    def fire() -> None:
        nonlocal fired
        with guard:
            if not over:
                fired = True
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(me), ctypes.py_object(_OutOfTime))

    timer = threading.Timer(timeout, fire)
    timer.daemon = True
    timer.start()
    stopped = False
    try:
        yield
    except _OutOfTime:
        stopped = True
        raise
    finally:
        with guard:
            over = True
        timer.cancel()
        while (
            fired and not stopped
        ):  # the exception arrives within a few steps; wait, so that it does not arrive later
            time.sleep(0.001)


def _alarm(number: int, frame: FrameType | None) -> None:
    raise _OutOfTime


_sink: Any = None


def _nowhere() -> Any:
    global _sink
    if _sink is None:
        _sink = open(os.devnull, "w") if sys.platform != "win32" else sys.stderr  # noqa: SIM115
    return _sink
