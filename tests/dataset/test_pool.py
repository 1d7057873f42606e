import operator
import os
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from hifi_portrait.dataset.pool import map_in_order, worker_pool
from hifi_portrait.errors import DatasetError


@pytest.fixture(scope="module")
def two_processes():
    with worker_pool(2) as pool:
        yield pool


def test_results_come_in_the_order_of_the_items(two_processes):
    assert list(map_in_order(two_processes, operator.neg, range(20), ahead=3)) == [-n for n in range(20)]


def test_a_later_item_that_is_done_first_waits():
    later_is_done = Event()

    def work(item):
        if item == "first":
            assert later_is_done.wait(timeout=60)
        else:
            later_is_done.set()
        return item

    with ThreadPoolExecutor(2) as threads:
        assert list(map_in_order(threads, work, ["first", "later"], ahead=2)) == ["first", "later"]


@pytest.mark.parametrize("name", ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"])
def test_processes_compute_on_one_thread_each(two_processes, name):
    assert list(map_in_order(two_processes, os.getenv, [name], ahead=1)) == ["1"]


def test_an_error_in_a_process_reaches_the_caller(two_processes):
    with pytest.raises(ZeroDivisionError):
        list(map_in_order(two_processes, (1).__truediv__, [1, 0], ahead=2))


def test_no_more_items_are_taken_than_asked_for():
    taken = []

    def items():
        for n in range(10):
            taken.append(n)
            yield n

    with worker_pool(1) as pool:
        results = map_in_order(pool, abs, items(), ahead=2)
        assert next(results) == 0
        assert taken == [0, 1, 2]
        results.close()


def test_a_process_that_dies_is_told_as_such():
    with worker_pool(2) as pool, pytest.raises(DatasetError, match=r"worker process died.*Call again"):
        list(map_in_order(pool, os._exit, [1], ahead=1))
