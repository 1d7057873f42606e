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

from hifi_portrait.evaluation.runner import Sampling, make_pipeline_row
from hifi_portrait.person.identity import Identity
from hifi_portrait.person.target import Target

if TYPE_CHECKING:
    from hifi_portrait.pipeline.pipeline import HiFiPortraitPipeline

ROUNDS = 3
"""How often each is timed, after a round that is not."""


@dataclass(frozen=True)
class Timing:
    """What was measured; seconds are the best of the rounds after the first."""

    identity_seconds: float
    """Of the photos' analysis."""
    portrait_seconds: float
    """Of one portrait."""
    warp_seconds: float
    """Of one plain warp of the portrait's size."""
    peak_memory: float
    """Of the process, in MiB."""
    threads: int
    """How many threads torch used."""
    references: int
    """How many photos there were."""
    size: int
    """Height of the portrait, in pixels."""


def time_portrait(
    pipe: HiFiPortraitPipeline, photos: Sequence[Path], sampling: Sampling, rounds: int = ROUNDS
) -> Timing:
    """Time the analysis of `photos`, one portrait and one plain warp, each after a first, untimed round."""
    target = Target()
    person = Identity.from_photos(list(photos))
    draw = make_pipeline_row(pipe, sampling)
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
    """Measure the process's largest resident set so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
