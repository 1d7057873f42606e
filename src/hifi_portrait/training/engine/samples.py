"""The endless stream of an objective's samples: their order, and batches of them from any sample on."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from hifi_portrait.errors import HiFiPortraitError
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


def check_shared_memory(
    objective: Objective, config: TrainerConfig, processes: int, folder: str = "/dev/shm"
) -> None:
    """Check that batches made ahead find room in the shared memory by which they travel.

    Parameters
    ----------
    objective
        Makes the samples, of which the first is measured.
    config
        Tells the size of batches, and how many processes make samples.
    processes
        Processes that train on this machine.
    folder
        Where the system keeps shared memory; nothing is checked where there is none.

    Raises
    ------
    HiFiPortraitError
        They do not; the message says how much there must be.
    """
    if not config.workers or not Path(folder).is_dir():
        return
    sample = measure_bytes(objective.collate([objective.sample(0)]))
    ahead = processes * (config.workers * _PREFETCHED_BATCHES + 1)
    needed, free = ahead * config.batch_size * sample, shutil.disk_usage(folder).free
    if needed > free:
        raise HiFiPortraitError(
            f"{folder} must hold {needed / 1e9:.2f} GB of samples made ahead ({processes * config.workers} "
            f"processes, {_PREFETCHED_BATCHES} batches each, {sample / 1e6:.1f} MB a sample), but has "
            f"{free / 1e9:.2f} GB free: give a container more (docker run --shm-size={ceil(needed / 1e9)}g), "
            "or lower trainer.workers; 0 needs none"
        )


def measure_bytes(batch: Any) -> int:
    """Measure the tensors of a batch, in bytes."""
    if isinstance(batch, Tensor):
        return batch.nbytes
    if is_dataclass(batch):
        return sum(measure_bytes(getattr(batch, each.name)) for each in fields(batch))
    return sum(map(measure_bytes, batch.values())) if isinstance(batch, Mapping) else 0


def _start_worker(_number: int) -> None:
    """Leave signals to the main process, and do without OpenCV's threads, which do not survive a fork."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    cv2.setNumThreads(0)
