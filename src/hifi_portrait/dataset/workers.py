"""Worker processes of this machine, and what every kind of worker must do for the executor."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait as wait_for_sentinels
from threading import Thread
from typing import Any, Protocol

import cv2
from threadpoolctl import threadpool_limits

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

Work = Callable[[Sequence[Any]], Sequence[Any]]
"""What is done with items: it gives the result of each."""


class WorkerDiedError(Exception):
    """A worker ended before it answered. For the executor only, which replaces it."""

    def __init__(self, message: str, *, was_lost: bool = False) -> None:
        super().__init__(message)
        self.was_lost = was_lost
        """Whether it went with its machine, so that what it worked on cannot be at fault."""


class Worker(Protocol):
    """A process that works on one chunk at a time."""

    def give(self, work: Work, items: Sequence[Any]) -> None:
        """Let it work on items."""

    def take(self) -> Sequence[Any]:
        """Give the results of the items; at first, that it runs. It must have answered.

        Raises
        ------
        WorkerDiedError
            It ended instead.
        Exception
            Whatever the work raised.
        """

    def stop(self) -> None:
        """End it, whatever it does."""


class Engine(Protocol):
    """Starts workers."""

    @property
    def count(self) -> int:
        """How many there are at most."""

    def start(self) -> Worker:
        """Start one, and ask it to answer as soon as it runs."""

    def wait(self, workers: Sequence[Any]) -> Sequence[Worker]:
        """Wait until one of some workers, which this engine started, has answered or ended; give those."""


@dataclass(frozen=True)
class LocalProcesses:
    """Processes of this machine."""

    count: int
    """How many."""

    def start(self) -> LocalProcess:
        """Start one."""
        return LocalProcess()

    def wait(self, workers: Sequence[LocalProcess]) -> list[Worker]:
        """Wait for one to answer."""
        done = wait([each.answer for each in workers], return_when=FIRST_COMPLETED).done
        return [each for each in workers if each.answer in done]


class LocalProcess:
    """A process, in a pool of its own: its death is then the fault of one chunk only."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(1, mp_context=context, initializer=start_worker)
        self.answer: Future[Any] = self._pool.submit(_say_ready)

    def give(self, work: Work, items: Sequence[Any]) -> None:
        """Let it work on items."""
        try:
            self.answer = self._pool.submit(work, items)
        except BrokenProcessPool as error:  # it was killed while it had nothing to do
            self.answer = Future()
            self.answer.set_exception(error)

    def take(self) -> Sequence[Any]:
        """Give its answer."""
        try:
            results: Sequence[Any] = self.answer.result()
        except BrokenProcessPool as error:
            self._pool.shutdown(wait=False)
            raise WorkerDiedError(str(error)) from error
        return results

    def stop(self) -> None:
        """End it."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def _say_ready() -> tuple[()]:
    """Do nothing: the answer says that the worker runs."""
    return ()


def start_worker() -> None:
    """Compute on one thread, because the processes share the cores already, and end with the parent."""
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))  # for libraries that are still to be loaded
    threadpool_limits(1)
    cv2.setNumThreads(0)  # OpenCV has threads of its own
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for_sentinels([parent.sentinel])
        os._exit(1)
