"""The executor on a Ray cluster. Skipped without Ray, which the extra `cluster` brings."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from deadly_items import die_at, wait_at
from hifi_portrait.dataset.curate import build_dataset
from hifi_portrait.dataset.executor import each_of, run_shards
from hifi_portrait.errors import DatasetError

pytest.importorskip("ray", reason="needs the extra `cluster`")
cluster_utils = pytest.importorskip("ray.cluster_utils")

from hifi_portrait.dataset.ray_workers import RayActors  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]  # Ray's own warnings

NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Three nodes: a head without cores, and two with one core each."""
    import ray

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))  # for the nodes' processes
        made = cluster_utils.Cluster(
            initialize_head=True, head_node_args={**NODE, "num_cpus": 0, "include_dashboard": False}
        )
        for _ in range(2):
            made.add_node(**NODE)
        yield made
    ray.shutdown()
    made.shutdown()


@pytest.fixture
def actors(cluster: Any) -> RayActors:
    return RayActors(cluster.address, 2)


def test_each_shard_has_its_items_results_in_order(actors: RayActors, tmp_path: Path):
    work = each_of(partial(wait_at, -1, tmp_path))
    shards = [("a", [1, 2, 3, 4, 5]), ("b", [6]), ("c", [])]
    assert dict(run_shards(work, shards, workers=actors, chunk=2)) == {
        "a": [-1, -2, -3, -4, -5],
        "b": [-6],
        "c": [],
    }


def test_an_item_that_kills_its_workers_is_found_and_the_others_are_done(actors: RayActors, tmp_path: Path):
    work = each_of(partial(die_at, 2, tmp_path / "log"))
    found = dict(run_shards(work, [("a", [0, 1, 2, 3])], workers=actors, chunk=4, on_crash=lambda item: 99))
    assert found == {"a": [0, -1, 99, -3]}
    assert (tmp_path / "log").read_text().split().count("2") == 4  # in chunks of 4, again 4, 2 and 1


def test_an_error_in_a_worker_reaches_the_caller(actors: RayActors):
    with pytest.raises(ZeroDivisionError):
        dict(run_shards(each_of((1).__truediv__), [("a", [1, 0])], workers=actors))


@pytest.mark.parametrize("another_comes", [True, False])
def test_a_node_that_goes_with_a_busy_worker_loses_nothing(
    cluster: Any, actors: RayActors, tmp_path: Path, another_comes: bool
):
    """The item is given to others as often as it takes: it is not at fault."""
    found = {}

    def run() -> None:
        work = each_of(partial(wait_at, 3, tmp_path))
        found.update(run_shards(work, [("a", list(range(8))), ("b", [8, 9])], workers=actors, chunk=1))

    thread = Thread(target=run)
    thread.start()
    log = tmp_path / "log"
    while not (log.exists() and any(line.startswith("3 ") for line in log.read_text().splitlines())):
        time.sleep(0.1)
    [name] = {line.split()[1] for line in log.read_text().splitlines() if line.startswith("3 ")}
    [node] = [each for each in cluster.worker_nodes if each.node_id == name]
    cluster.remove_node(node, allow_graceful=False)
    if another_comes:
        cluster.add_node(**NODE)
    (tmp_path / "go").touch()
    thread.join()
    assert found == {"a": [0, -1, -2, -3, -4, -5, -6, -7], "b": [-8, -9]}
    assert len(log.read_text().splitlines()) <= 11


def test_a_set_is_the_same_to_the_byte_as_on_one_machine(actors: RayActors, tmp_path: Path):
    photos = tmp_path / "photos"
    for file in (Path(__file__).parents[1] / "pictures").glob("*.jpg"):
        place = photos / file.stem[:8] / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.read_bytes())
    (photos / "sources.toml").write_text(
        '[[source]]\nname = "album"\npath = "."\nlicence = "CC0-1.0"\nconsent = "synthetic"\n'
    )
    sets = []
    for name, workers in (("here", 0), ("there", actors)):
        out = tmp_path / name / "set"  # the card says the folder's name
        build_dataset([photos], out, workers=workers)
        files = [file for file in sorted(out.rglob("*")) if file.is_file()]
        sets.append({str(file.relative_to(out)): file.read_bytes() for file in files})
    assert len(sets[0]) > 5
    assert sets[0] == sets[1]


def test_a_cluster_that_is_not_there_is_named():
    import ray

    ray.shutdown()
    for address in ("127.0.0.1:9", "nowhere:port"):
        with pytest.raises(DatasetError, match=f"no Ray cluster at '{address}'"):
            RayActors(address)
