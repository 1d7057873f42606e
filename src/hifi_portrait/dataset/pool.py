"""The process pool for work on many photos or people."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from threading import Thread
from typing import TypeVar

import cv2
from threadpoolctl import threadpool_limits

from hifi_portrait.errors import DatasetError

Item = TypeVar("Item")
Result = TypeVar("Result")

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def worker_pool(workers: int) -> Executor:
    """Start a pool of processes that compute on one thread each; for one worker, a thread of this process.

    The processes end with this one, even where it is killed outright.
    """
    if workers == 1:
        return ThreadPoolExecutor(1)
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker)


def map_in_order(
    pool: Executor, function: Callable[[Item], Result], items: Iterable[Item], *, ahead: int
) -> Generator[Result, None, None]:
    """Yield the function's result of each item, in the items' order.

    Parameters
    ----------
    pool
        Where the function is called.
    function, items
        Where the pool is of processes, pickle must be able to take them, and the results.
    ahead
        How many items are handed to the pool before the first of their results is asked for, 1 or more. It
        bounds the memory that finished results take up.

    Raises
    ------
    DatasetError
        A process of the pool died.

    Notes
    -----
    Close the generator (`contextlib.closing`) inside the pool's own context: after an error of the caller it
    then cancels what is still pending, which the pool would wait for.
    """
    pending: deque[Future[Result]] = deque()
    try:
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) > ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    except BrokenProcessPool as error:
        raise DatasetError(f"a worker process died: {error}. Call again to continue") from error
    finally:
        for job in pending:
            job.cancel()


def _start_worker() -> None:
    """Compute on one thread, because the processes share the cores already, and end with the parent."""
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))  # for libraries that are still to be loaded
    threadpool_limits(1)
    cv2.setNumThreads(0)  # OpenCV has threads of its own
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
