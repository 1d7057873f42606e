"""Work on shards of a data set, on this machine's processes: a worker that dies is replaced.

A *stage* turns each shard of one kind into a shard of another, and commits it by renaming the finished file,
so that the shards which are there need not be worked on again after a kill. `run_shards` does the work: the
items of a shard are handed out in chunks, few at a time, and their results come back together. A chunk whose
worker dies is done again by a new worker; one that kills a second worker is halved until the item is found
that kills its reader, and the run goes on without it.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import wait as wait_for_sentinels
from threading import Thread
from typing import Any, Generic, TypeVar

import cv2
from threadpoolctl import threadpool_limits

from hifi_portrait.errors import DatasetError

Item = TypeVar("Item")
Result = TypeVar("Result")

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

_MOST_FAILED_STARTS = 3
"""Workers in a row that end before they have answered, after which the run ends."""


def run_shards(
    work: Callable[[Sequence[Item]], Sequence[Result]],
    shards: Iterable[tuple[str, Sequence[Item]]],
    *,
    workers: int = 0,
    chunk: int = 1,
    on_crash: Callable[[Item], Result] | None = None,
    on_items: Callable[[int], None] | None = None,
) -> Generator[tuple[str, list[Result]], None, None]:
    """Yield the results of each shard's items, in the items' order, as soon as a shard is finished.

    Which shard is finished first depends on the workers; what is in it does not.

    Parameters
    ----------
    work
        Called with the items of a chunk, gives the result of each; `each_of` makes it of a function of one
        item. Pickle must be able to take it, the items and the results. What it needs to load, it keeps
        itself, for example by `functools.cache`: a worker lives as long as the run.
    shards
        Name and items of each shard, taken one by one as workers become free.
    workers
        Processes that work, each on one thread; with 0 the work is done in this process, where an item that
        kills its reader kills the run.
    chunk
        Items that are handed to a worker at a time, 1 or more.
    on_crash
        Gives the result of an item that has killed two workers, itself or in its chunk. Without it such an
        item ends the run.
    on_items
        Called with the number of items that were just finished.

    Raises
    ------
    DatasetError
        An item killed two workers and there is no ``on_crash``, or workers cannot be started.

    Notes
    -----
    Close the generator (`contextlib.closing`), so that after an error of the caller the workers end.
    """
    if workers == 0:
        for name, items in shards:
            results: list[Result] = []
            for at in range(0, len(items), chunk):
                found = work(items[at : at + chunk])
                results += found
                if on_items is not None:
                    on_items(len(found))
            yield name, results
        return
    run = _Run(work, iter(shards), workers, chunk, on_crash, on_items)
    try:
        yield from run.results()
    finally:
        for worker in run.workers:
            worker.pool.shutdown(wait=True, cancel_futures=True)


def each_of(function: Callable[[Item], Result]) -> Callable[[Sequence[Item]], list[Result]]:
    """Make work on a chunk of a function of one item."""
    return partial(_do_each, function)


def _do_each(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    return [function(item) for item in items]


@dataclass
class _Chunk:
    """Items of one shard that a worker is given together."""

    shard: str
    places: Sequence[int]
    tries: int = 0


@dataclass
class _Shard(Generic[Item, Result]):
    """A shard that is being worked on."""

    items: Sequence[Item]
    results: dict[int, Result] = field(default_factory=dict)


class _Worker:
    """A process, in a pool of its own: its death is then the fault of one chunk only."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pool = ProcessPoolExecutor(1, mp_context=context, initializer=_start_worker)
        self.chunk: _Chunk | None = None
        self.answer: Future[Any] | None = self.pool.submit(_say_ready)

    @property
    def is_free(self) -> bool:
        """Whether it has answered and has nothing to do; before that it is given nothing."""
        return self.answer is None


class _Run(Generic[Item, Result]):
    """The state of one call of `run_shards`."""

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Sequence[Result]],
        shards: Iterable[tuple[str, Sequence[Item]]],
        most_workers: int,
        chunk: int,
        on_crash: Callable[[Item], Result] | None,
        on_items: Callable[[int], None] | None,
    ) -> None:
        self._work, self._shards, self._most_workers, self._chunk_size = (
            work,
            iter(shards),
            most_workers,
            chunk,
        )
        self._on_crash, self._on_items = on_crash, on_items
        self.workers: list[_Worker] = []
        self._open: dict[str, _Shard[Item, Result]] = {}
        self._todo: deque[_Chunk] = deque()
        self._failed_starts = 0

    def results(self) -> Generator[tuple[str, list[Result]], None, None]:
        """Yield name and results of each shard."""
        while True:
            yield from self._hand_out()
            waiting = [worker.answer for worker in self.workers if worker.answer is not None]
            if not waiting:
                return
            wait(waiting, return_when=FIRST_COMPLETED)
            for worker in [each for each in self.workers if each.answer is not None and each.answer.done()]:
                yield from self._take_answer(worker)

    def _hand_out(self) -> Generator[tuple[str, list[Result]], None, None]:
        """Give each free worker a chunk, and start as many workers as there is work for."""
        while True:
            if not self._todo:
                entry = next(self._shards, None)
                if entry is None:
                    return
                name, items = entry
                if not items:
                    yield name, []
                    continue
                self._open[name] = _Shard(items)
                size = self._chunk_size
                places = range(len(items))
                self._todo += [_Chunk(name, places[at : at + size]) for at in range(0, len(items), size)]
            free = next((worker for worker in self.workers if worker.is_free), None)
            if free is None:
                starting = sum(worker.chunk is None for worker in self.workers)
                if len(self.workers) < self._most_workers and starting < len(self._todo):
                    self.workers.append(_Worker())
                    continue
                return
            free.chunk = self._todo.popleft()
            items = [self._open[free.chunk.shard].items[place] for place in free.chunk.places]
            free.answer = free.pool.submit(self._work, items)

    def _take_answer(self, worker: _Worker) -> Generator[tuple[str, list[Result]], None, None]:
        assert worker.answer is not None
        chunk = worker.chunk
        try:
            results = worker.answer.result()
        except BrokenProcessPool as error:
            worker.pool.shutdown(wait=False)
            self.workers.remove(worker)
            if chunk is None:
                self._failed_starts += 1
                if self._failed_starts >= _MOST_FAILED_STARTS:
                    raise DatasetError(
                        f"worker processes end as soon as they are started: {error}. Is there memory left?"
                    ) from error
                return
            yield from self._try_again(chunk, error)
            return
        worker.answer, worker.chunk = None, None
        self._failed_starts = 0
        if chunk is not None:
            yield from self._put(chunk, results)

    def _try_again(
        self, chunk: _Chunk, error: BrokenProcessPool
    ) -> Generator[tuple[str, list[Result]], None, None]:
        """Do a chunk again as a whole, then by halves; an item that is left alone has killed its workers."""
        if chunk.tries == 0:
            self._todo.appendleft(_Chunk(chunk.shard, chunk.places, 1))
        elif len(chunk.places) > 1:
            half = len(chunk.places) // 2
            self._todo.appendleft(_Chunk(chunk.shard, chunk.places[half:], 1))
            self._todo.appendleft(_Chunk(chunk.shard, chunk.places[:half], 1))
        else:
            item = self._open[chunk.shard].items[chunk.places[0]]
            if self._on_crash is None:
                raise DatasetError(
                    f"two worker processes died at {item!r} of {chunk.shard}. Is there memory left?"
                ) from error
            yield from self._put(chunk, [self._on_crash(item)])

    def _put(
        self, chunk: _Chunk, results: Sequence[Result]
    ) -> Generator[tuple[str, list[Result]], None, None]:
        shard = self._open[chunk.shard]
        shard.results.update(zip(chunk.places, results, strict=True))
        if self._on_items is not None:
            self._on_items(len(results))
        if len(shard.results) == len(shard.items):
            del self._open[chunk.shard]
            yield chunk.shard, [shard.results[place] for place in range(len(shard.items))]


def _say_ready() -> None:
    """Do nothing: the answer says that the worker runs."""


def _start_worker() -> None:
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
