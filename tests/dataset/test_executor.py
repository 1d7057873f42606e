import operator
import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from deadly_items import die_at, die_once
from hifi_portrait.dataset.executor import each_of, run_shards
from hifi_portrait.dataset.workers import WorkerDiedError
from hifi_portrait.errors import DatasetError

pytestmark = pytest.mark.slow  # most start processes


@pytest.mark.parametrize("workers", [0, 2])
def test_each_shard_has_its_items_results_in_order(workers: int):
    shards = [("a", [1, 2, 3, 4, 5]), ("b", [6]), ("c", [])]
    done = []
    found = dict(run_shards(each_of(operator.neg), shards, workers=workers, chunk=2, on_items=done.append))
    assert found == {"a": [-1, -2, -3, -4, -5], "b": [-6], "c": []}
    assert sum(done) == 6


def test_a_worker_that_is_killed_is_replaced_and_its_chunk_done_again(tmp_path: Path):
    flag = tmp_path / "flag"
    flag.touch()
    found = dict(run_shards(each_of(partial(die_once, flag)), [("a", list(range(6)))], workers=1, chunk=3))
    assert not flag.exists()
    assert found == {"a": [0, -1, -2, -3, -4, -5]}


def test_an_item_that_kills_its_workers_is_found_and_the_others_are_done(tmp_path: Path):
    work = each_of(partial(die_at, 5, tmp_path / "log"))
    shards = [("a", list(range(8))), ("b", [8, 9])]
    found = dict(run_shards(work, shards, workers=2, chunk=8, on_crash=lambda item: 1000 + item))
    assert found == {"a": [0, -1, -2, -3, -4, 1005, -6, -7], "b": [-8, -9]}
    readings = (tmp_path / "log").read_text().split()
    assert readings.count("5") == 5  # in chunks of 8, again 8, 4, 2 and 1


def test_without_a_result_for_it_an_item_that_kills_ends_the_run_by_name(tmp_path: Path):
    work = each_of(partial(die_at, 7, tmp_path / "log"))
    with pytest.raises(DatasetError, match=r"died at 7 of shard-a"):
        dict(run_shards(work, [("shard-a", [7])], workers=1))


def test_an_error_in_a_worker_reaches_the_caller():
    with pytest.raises(ZeroDivisionError):
        dict(run_shards(each_of((1).__truediv__), [("a", [1, 0])], workers=1))


def test_workers_compute_on_one_thread_each():
    names = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]
    assert dict(run_shards(each_of(os.getenv), [("a", names)], workers=1)) == {"a": ["1", "1", "1"]}


def test_few_shards_are_taken_ahead_of_the_workers():
    taken = []

    def shards():
        for number in range(20):
            taken.append(number)
            yield str(number), [number]

    with closing(run_shards(each_of(operator.neg), shards(), workers=1)) as results:
        next(results)
        assert len(taken) <= 3


@dataclass
class Inline:
    """Workers that work in this process; some never answer, and others go with their machines."""

    count: int = 2
    silent: int = 0
    """Of the workers that are started, how many first ones never answer."""
    losses: int = 0
    """How often what a worker does is lost."""
    started: list["InlineWorker"] = field(default_factory=list)

    def start(self) -> "InlineWorker":
        self.started.append(InlineWorker(self, len(self.started) < self.silent))
        return self.started[-1]

    def wait(self, workers: Sequence["InlineWorker"]) -> list["InlineWorker"]:
        answered = [each for each in workers if not each.is_silent]
        assert answered, "the run would wait for ever"
        return answered


@dataclass(eq=False)
class InlineWorker:
    engine: Inline
    is_silent: bool
    answer: Sequence[Any] = ()
    is_stopped: bool = False

    def give(self, work: Any, items: Sequence[Any]) -> None:
        assert not self.is_silent
        self.answer = work(items)

    def take(self) -> Sequence[Any]:
        if self.answer and self.engine.losses:
            self.engine.losses -= 1
            raise WorkerDiedError("the machine is gone", was_lost=True)
        return self.answer

    def stop(self) -> None:
        self.is_stopped = True


def test_a_worker_that_never_answers_is_given_nothing_and_holds_nothing_up():
    """As an actor for which a cluster has no room."""
    engine = Inline(silent=1)
    found = dict(run_shards(each_of(operator.neg), [("a", [1, 2, 3]), ("b", [4])], workers=engine))
    assert found == {"a": [-1, -2, -3], "b": [-4]}
    assert engine.started[0].is_stopped


def test_work_that_goes_with_its_machine_is_done_again_and_not_at_fault():
    assert dict(run_shards(each_of(operator.neg), [("a", [1])], workers=Inline(losses=4))) == {"a": [-1]}


def test_work_with_which_machine_after_machine_goes_ends_the_run():
    with pytest.raises(DatasetError, match="died at 1 of a"):
        dict(run_shards(each_of(operator.neg), [("a", [1])], workers=Inline(losses=99)))
