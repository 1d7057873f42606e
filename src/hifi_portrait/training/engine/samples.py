"""The endless stream of an objective's samples: their order, and batches of them from any sample on."""

from __future__ import annotations

import signal
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from torch.utils.data import DataLoader, Dataset

from hifi_portrait.head.arrays import IntArray
from hifi_portrait.training.engine.config import TrainerConfig
from hifi_portrait.training.engine.objective import Batch, Objective

ENDLESS = 2**31 - 1
"""Length of a stream of samples that does not end: the largest that PyTorch's samplers take."""

_PREFETCHED_BATCHES = 4
"""Batches that each worker process makes ahead."""


def shuffled_index(index: int, count: int, seed: int) -> int:
    """Give the item of sample ``index`` in endless passes over ``count`` items, each in its own order."""
    epoch, place = divmod(index, count)
    return int(_permutation(count, seed, epoch)[place])


@lru_cache(maxsize=4)
def _permutation(count: int, seed: int, epoch: int) -> IntArray:
    return np.random.default_rng([seed, epoch]).permutation(count)


class SampleStream(Dataset[Batch]):
    """An objective's endless stream of samples as a map-style data set of PyTorch's."""

    def __init__(self, sample: Callable[[int], Batch]) -> None:
        self.sample = sample

    def __len__(self) -> int:
        return ENDLESS

    def __getitem__(self, index: int) -> Batch:
        return self.sample(index)


def make_loader(
    objective: Objective, config: TrainerConfig, first: int, *, pin_memory: bool = False
) -> DataLoader[Any]:
    """Load batches of ``config.batch_size`` samples, in order from sample ``first`` on.

    Parameters
    ----------
    objective
        Makes samples and joins them.
    config
        Tells the size of batches, and how many processes make samples.
    first
        Number of the first sample.
    pin_memory
        Whether to put batches where a GPU copies them from faster.
    """
    return DataLoader(
        SampleStream(objective.sample),
        batch_size=config.batch_size,
        sampler=range(first, ENDLESS),
        num_workers=config.workers,
        drop_last=True,
        collate_fn=objective.collate,
        prefetch_factor=_PREFETCHED_BATCHES if config.workers else None,
        worker_init_fn=_start_worker,
        pin_memory=pin_memory,
    )


def _start_worker(_number: int) -> None:
    """Leave signals to the main process, and do without OpenCV's threads, which do not survive a fork."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    cv2.setNumThreads(0)
