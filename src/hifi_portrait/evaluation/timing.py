"""How long one portrait takes when everything is loaded, and how much memory it needs."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from hifi_portrait.evaluation.runner import Sampling, pipeline_row
from hifi_portrait.person.identity import Identity
from hifi_portrait.person.target import Target

if TYPE_CHECKING:
    from hifi_portrait.pipeline.pipeline import HiFiPortraitPipeline

ROUNDS = 3


@dataclass(frozen=True)
class Timing:
    """Seconds, the best of the warm rounds, the process's peak memory in MiB, and the portrait's height."""

    identity_seconds: float
    portrait_seconds: float
    warp_seconds: float
    peak_memory: float
    threads: int
    references: int
    size: int


def time_portrait(
    pipe: HiFiPortraitPipeline, photos: Sequence[Path], sampling: Sampling, rounds: int = ROUNDS
) -> Timing:
    """Time the analysis of `photos`, one portrait and one plain warp, each after a first, untimed round."""
    target = Target()
    person = Identity.from_photos(list(photos))
    draw = pipeline_row(pipe, sampling)
    size = draw(person, target, 0).shape[0]
    person.warp(target, size)

    identity_seconds = _best(lambda: Identity.from_photos(list(photos)), rounds)
    return Timing(
        identity_seconds=identity_seconds,
        portrait_seconds=_best(lambda: draw(person, target, 0), rounds),
        warp_seconds=_best(lambda: person.warp(target, size), rounds),
        peak_memory=_peak_memory(),
        threads=torch.get_num_threads(),
        references=len(photos),
        size=size,
    )


def _best(job: Callable[[], object], rounds: int) -> float:
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        job()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def _peak_memory() -> float:
    """The process's largest resident set so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
