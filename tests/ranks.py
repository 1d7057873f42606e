"""Runs of several training processes that are forked from one which has imported the libraries already.

`torch.distributed.run` starts each process anew, which takes seconds of importing. The processes here have
the same variables, and end like there: when one fails, the others are told to.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import socket
import sys
import time
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

PRELOADED = (
    "line_objective",
    "hifi_portrait.cli.train",
    "hifi_portrait.training.run",
    "hifi_portrait.training.engine.recipe_mistakes",
    "hifi_portrait.training.objectives.autoencoder",
    "hifi_portrait.training.objectives.hifi.objective",
    "torch._dynamo",
    "torch.distributed.fsdp",
    "torch.utils.tensorboard",
)
"""Modules that are imported once for all processes, each of which would spend seconds on it."""
TIMEOUT = 900
"""Seconds after which a run is stopped; a busy machine needs minutes."""
GRACE = 20
"""Seconds that a process has to end in, once it is told to."""


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    returncode: int
    """0 if all its processes did well, or else that of the first that did not."""
    stderr: str
    """What all of them wrote there."""


def run_ranks(count: int, words: list[str], folder: Path) -> Ended:
    """Run ``python WORDS...``, a script or ``-m`` and a module, in so many processes of one run.

    Parameters
    ----------
    count
        Processes, each with a rank from 0 on.
    words
        The script, or "-m" and the module, and its arguments.
    folder
        To write in what the processes say.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    folder.mkdir(parents=True, exist_ok=True)
    logs = [folder / f"rank-{rank}.log" for rank in range(count)]
    port = str(free_port())
    ranks = [
        context.Process(target=_run_rank, args=(rank, count, port, words, str(log)))
        for rank, log in enumerate(logs)
    ]
    for each in ranks:
        each.start()
    code = _wait(ranks)
    return Ended(code, "".join(log.read_text() for log in logs if log.exists()))


def free_port() -> int:
    """A port that nobody listens to."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def _wait(ranks: list[BaseProcess]) -> int:
    """Wait until all end; a failure or lateness ends the others. Returns the first failure's code, or 0."""
    until = time.monotonic() + TIMEOUT
    failed = 0
    while not failed and any(each.is_alive() for each in ranks):
        time.sleep(0.05)
        codes = [each.exitcode for each in ranks]
        failed = next((code for code in codes if code), 1 if time.monotonic() > until else 0)
    if failed:
        _end(ranks)
    for each in ranks:
        each.join()
    return failed or next((each.exitcode for each in ranks if each.exitcode), 0)


def _end(ranks: list[BaseProcess]) -> None:
    """End processes as `torch.distributed.run` does: by SIGTERM, and outright where that does not help."""
    for each in ranks:
        each.terminate()
    until = time.monotonic() + GRACE
    for each in ranks:
        each.join(max(0.0, until - time.monotonic()))
        if each.is_alive():
            each.kill()


def _run_rank(rank: int, count: int, port: str, words: list[str], log: str) -> None:
    """One process: the variables that `torch.distributed.run` sets, then the script."""
    place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count}
    os.environ.update({name: str(value) for name, value in place.items()})
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=port, ACCELERATE_USE_CPU="true")
    written = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    os.dup2(written, 1)
    os.dup2(written, 2)
    if words[0] == "-m":
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words
        runpy.run_path(words[0], run_name="__main__")
