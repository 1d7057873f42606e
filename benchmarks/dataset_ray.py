"""Build one set of photos on this machine and on a Ray cluster that loses a machine, and compare the bytes.

    pip install 'hifi-portrait[curate,cluster]'
    python benchmarks/dataset_ray.py --photos DIR --work DIR

The cluster has three nodes, all on this machine: a head without cores, and two with a core each. When half of
the first stage is handed out, the node whose worker was given something last is taken away, without a word.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from threading import Event, Thread
from typing import Any

import ray
from ray._private import state as ray_state
from ray.cluster_utils import Cluster

from hifi_portrait.dataset.curate import BuildOptions, build_dataset, check_dataset
from hifi_portrait.dataset.ray_workers import RayActor, RayActors

SOURCE = '[[source]]\nname = "t"\npath = "."\nlicence = "CC-BY-4.0"\nconsent = "signed"\n'
NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20}


class Watched(RayActors):
    """Actors of which it is known who was given something last."""

    def __init__(self, address: str, wanted: int) -> None:
        super().__init__(address, 2)
        self.wanted, self.given, self.node, self.half = wanted, 0, "", Event()

    def start(self) -> RayActor:
        return WatchedActor(self, self._actor.remote())


class WatchedActor(RayActor):
    """An actor that tells its engine of what it is given."""

    def __init__(self, engine: Watched, handle: Any) -> None:
        super().__init__(handle)
        self.engine, self.handle = engine, handle

    def give(self, work: Any, items: Sequence[Any]) -> None:
        super().give(work, items)
        self.engine.given += len(items)
        if self.engine.given >= self.engine.wanted and not self.engine.half.is_set():
            self.engine.node = ray_state.actors(self.handle._actor_id.hex())["Address"]["NodeID"]
            self.engine.half.set()


def hashes(folder: Path) -> dict[str, str]:
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    return {str(file.relative_to(folder)): sha256(file.read_bytes()).hexdigest() for file in files}


def on_cluster(cluster: Cluster, source: Path, out: Path, count: int, another: bool) -> dict[str, object]:
    """Build while a node goes; where ``another``, a new one comes at once."""
    shutil.rmtree(out, ignore_errors=True)
    engine = Watched(cluster.address, count // 2)
    began = time.monotonic()
    build = Thread(
        target=build_dataset, args=([source], out), kwargs={"workers": engine, "options": BuildOptions()}
    )
    build.start()
    engine.half.wait()
    [node] = [each for each in cluster.worker_nodes if each.node_id == engine.node]
    cluster.remove_node(node, allow_graceful=False)
    if another:
        cluster.add_node(**NODE)
    build.join()
    return {"seconds": round(time.monotonic() - began, 1), "files_given": engine.given}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="real photos, one sub-folder a person")
    parser.add_argument("--work", type=Path, required=True, help="folder for what is made")
    parser.add_argument("--count", type=int, default=64)
    arguments = parser.parse_args()
    source, here = arguments.work / "photos", arguments.work / "here" / "set"
    for folder in (source, here):
        shutil.rmtree(folder, ignore_errors=True)
    for file in sorted(arguments.photos.glob("*/*.jpg"))[: arguments.count]:
        place = source / file.parent.name / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, place)
    (source / "sources.toml").write_text(SOURCE)
    build_dataset([source], here, workers=2)
    cluster = Cluster(
        initialize_head=True, head_node_args={**NODE, "num_cpus": 0, "include_dashboard": False}
    )
    for _ in range(2):
        cluster.add_node(**NODE)
    found: dict[str, object] = {"photos": arguments.count}
    for name, another in (("another_comes", True), ("none_comes", False)):
        out = arguments.work / name / "set"  # the card says the folder's name
        found[name] = on_cluster(cluster, source, out, arguments.count, another)
        first, second = hashes(here), hashes(out)
        found[name] |= {
            "files_that_differ": sorted(
                each for each in first.keys() | second.keys() if first.get(each) != second.get(each)
            ),
            "check": check_dataset(out),
        }
    ray.shutdown()
    cluster.shutdown()
    found["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(found))


if __name__ == "__main__":
    main()
