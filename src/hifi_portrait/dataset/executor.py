"""Work on shards of a data set, by worker processes, here or on a cluster: one that dies is replaced.

A *stage* turns each shard of one kind into a shard of another, and commits it by renaming the finished file,
so that the shards which are there need not be worked on again after a kill. `run_shards` does the work: the
items of a shard are handed out in chunks, few at a time, and their results come back together. A chunk whose
worker dies is done again by a new worker; one that kills a second worker is halved until the item is found
that kills its reader, and the run goes on without it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Generic, TypeVar

from hifi_portrait.dataset.workers import Engine, LocalProcesses, Worker, WorkerDiedError
from hifi_portrait.errors import DatasetError

Item = TypeVar("Item")
Result = TypeVar("Result")

_MOST_FAILED_STARTS = 3
"""Workers in a row that end before they have answered, after which the run ends."""

_MOST_LOSSES = 5
"""Workers that a chunk may lose with their machines, before it is thought that the chunk is at fault."""


def run_shards(
    work: Callable[[Sequence[Item]], Sequence[Result]],
    shards: Iterable[tuple[str, Sequence[Item]]],
    *,
    workers: int | Engine = 0,
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
        Processes that work, each on one thread, or what starts them, such as
        `hifi_portrait.dataset.ray_workers.RayActors`; with 0 the work is done in this process, where an item
        that kills its reader kills the run.
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
    engine = LocalProcesses(workers) if isinstance(workers, int) else workers
    run = _Run(work, iter(shards), engine, chunk, on_crash, on_items)
    try:
        yield from run.results()
    finally:
        for given in run.workers:
            given.worker.stop()


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
    """Workers that it has ended."""
    losses: int = 0
    """Workers that were lost with it, for no fault of its own."""


@dataclass
class _Shard(Generic[Item, Result]):
    """A shard that is being worked on."""

    items: Sequence[Item]
    results: dict[int, Result] = field(default_factory=dict)


@dataclass(eq=False)
class _Given:
    """A worker, and what it was given. At first it is asked to answer, and until then it is given nothing."""

    worker: Worker
    chunk: _Chunk | None = None
    is_busy: bool = True


class _Run(Generic[Item, Result]):
    """The state of one call of `run_shards`."""

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Sequence[Result]],
        shards: Iterable[tuple[str, Sequence[Item]]],
        engine: Engine,
        chunk: int,
        on_crash: Callable[[Item], Result] | None,
        on_items: Callable[[int], None] | None,
    ) -> None:
        self._work, self._shards, self._engine, self._chunk_size = work, iter(shards), engine, chunk
        self._on_crash, self._on_items = on_crash, on_items
        self.workers: list[_Given] = []
        self._open: dict[str, _Shard[Item, Result]] = {}
        self._todo: deque[_Chunk] = deque()
        self._failed_starts = 0

    def results(self) -> Generator[tuple[str, list[Result]], None, None]:
        """Yield name and results of each shard."""
        while True:
            yield from self._hand_out()
            if not self._open:
                return
            answered = self._engine.wait([each.worker for each in self.workers if each.is_busy])
            for given in [each for each in self.workers if each.worker in answered]:
                yield from self._take_answer(given)

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
            free = next((each for each in self.workers if not each.is_busy), None)
            if free is None:
                starting = sum(each.chunk is None for each in self.workers)
                if len(self.workers) < self._engine.count and starting < len(self._todo):
                    self.workers.append(_Given(self._engine.start()))
                    continue
                return
            free.chunk, free.is_busy = self._todo.popleft(), True
            items = [self._open[free.chunk.shard].items[place] for place in free.chunk.places]
            free.worker.give(self._work, items)

    def _take_answer(self, given: _Given) -> Generator[tuple[str, list[Result]], None, None]:
        chunk = given.chunk
        try:
            results = given.worker.take()
        except WorkerDiedError as error:
            self.workers.remove(given)
            if chunk is not None:
                yield from self._try_again(chunk, error)
                return
            self._failed_starts += 1
            if self._failed_starts >= _MOST_FAILED_STARTS:
                raise DatasetError(
                    f"worker processes end as soon as they are started: {error}. Is there memory left?"
                ) from error
            return
        given.chunk, given.is_busy = None, False
        self._failed_starts = 0
        if chunk is not None:
            yield from self._put(chunk, results)

    def _try_again(
        self, chunk: _Chunk, error: WorkerDiedError
    ) -> Generator[tuple[str, list[Result]], None, None]:
        """Do a chunk again as a whole, then by halves; an item that is left alone has killed its workers."""
        if error.was_lost and chunk.losses < _MOST_LOSSES:
            self._todo.appendleft(replace(chunk, losses=chunk.losses + 1))
        elif chunk.tries == 0:
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
