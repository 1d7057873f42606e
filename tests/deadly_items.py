"""Work that kills its process: for worker processes, which import it by this module's name."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path


def die_at(fatal: int, log: Path, item: int) -> int:
    """A reader that one item kills, whenever it is read; each reading is logged."""
    with log.open("a") as file:
        file.write(f"{item}\n")
    if item == fatal:
        os.kill(os.getpid(), signal.SIGKILL)
    return -item


def die_once(flag: Path, item: int) -> int:
    """A reader that is killed once, by nothing of its own."""
    if item == 3 and flag.exists():
        flag.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    return -item


def wait_at(awaited: int, folder: Path, item: int) -> int:
    """A reader that notes who reads each item, and waits at one of them until a file ``go`` is there."""
    import ray

    with (folder / "log").open("a") as file:
        file.write(f"{item} {ray.get_runtime_context().get_node_id()}\n")
    while item == awaited and not (folder / "go").exists():
        time.sleep(0.05)
    return -item
