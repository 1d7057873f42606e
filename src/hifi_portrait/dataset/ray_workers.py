"""Workers on the machines of a Ray cluster: actors of Ray core, which the executor gives work to.

Ray places the actors, carries items and results, and says when one has ended. Everything else is the
executor's, so that a run on a cluster gives the same bytes as one on a machine.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence
from typing import Any

from hifi_portrait.dataset.workers import Work, Worker, WorkerDiedError, start_worker
from hifi_portrait.errors import DatasetError, needs_extra

with needs_extra("cluster"):
    import ray
    from ray.exceptions import ActorUnavailableError, ObjectLostError, RayActorError, RayError, RayTaskError

_PATIENCE = 10.0
"""Seconds within which the head of a cluster takes a connection."""


class RayActors:
    """Actors of a cluster, each on one core.

    All machines must see the photos and the data set's folder under the same paths, and have this package
    installed.
    """

    def __init__(self, address: str = "auto", count: int | None = None) -> None:
        """Connect to a cluster.

        Parameters
        ----------
        address
            ``HOST:PORT`` of its head, or "auto" for the one that this machine belongs to.
        count
            How many actors work; None for as many as the cluster has cores now.

        Raises
        ------
        DatasetError
            There is no cluster of this address.
        MissingExtraError
            Ray is not installed.
        """
        if not ray.is_initialized():
            try:
                if ":" in address:  # Ray itself tries for minutes
                    host, _, port = address.rpartition(":")
                    socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE).close()
                ray.init(address=address, log_to_driver=False, logging_level=logging.WARNING)
            except (OSError, RuntimeError, ValueError, RayError) as error:
                raise DatasetError(
                    f"there is no Ray cluster at {address!r}: start one by `ray start --head`, and give the"
                    f" address that it prints ({error})"
                ) from error
        self.count = count or max(int(ray.cluster_resources().get("CPU", 1)), 1)
        self._actor = ray.remote(_Actor).options(num_cpus=1, max_restarts=0, max_task_retries=0)

    def start(self) -> RayActor:
        """Ask Ray for one. It answers once a machine has a core for it, which may be never."""
        return RayActor(self._actor.remote())

    def wait(self, workers: Sequence[RayActor]) -> list[Worker]:
        """Wait for one to answer."""
        answers = [each.answer for each in workers]
        ray.wait(answers, num_returns=1, fetch_local=False)
        done = set(ray.wait(answers, num_returns=len(answers), timeout=0, fetch_local=False)[0])
        return [each for each in workers if each.answer in done]


class RayActor:
    """An actor, and the answer that is waited for."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self.answer = handle.say_ready.remote()

    def give(self, work: Work, items: Sequence[Any]) -> None:
        """Let it work on items."""
        self.answer = self._handle.work.remote(work, items)

    def take(self) -> Sequence[Any]:
        """Give its answer.

        Where a machine goes, Ray says that the actor cannot be reached, or that its answer is lost, and where
        a process ends by itself, that the actor died. One that cannot be reached may run on: it is killed.
        """
        try:
            results: Sequence[Any] = ray.get(self.answer)
        except RayTaskError as error:  # the work's own
            raise error.cause if isinstance(error.cause, Exception) else error from error
        except RayError as error:
            self.stop()
            gone = (ActorUnavailableError, ObjectLostError)
            was_lost = isinstance(error, gone) or not isinstance(error, RayActorError)
            raise WorkerDiedError(str(error), was_lost=was_lost) from error
        return results

    def stop(self) -> None:
        """End it, or take back that it was asked for."""
        ray.kill(self._handle)


class _Actor:
    """What runs on the cluster."""

    def __init__(self) -> None:
        start_worker()

    def say_ready(self) -> tuple[()]:
        return ()

    def work(self, work: Work, items: Sequence[Any]) -> Sequence[Any]:
        return work(items)
