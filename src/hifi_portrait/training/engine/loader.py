"""The batches of a run: an objective's endless stream of samples, from any one on."""

from __future__ import annotations

import signal
from typing import Any

import cv2
from torch.utils.data import DataLoader

from hifi_portrait.training.engine.config import TrainerConfig
from hifi_portrait.training.engine.objective import ENDLESS, Objective, SampleStream


def make_loader(
    objective: Objective, config: TrainerConfig, first: int, *, pin_memory: bool = False
) -> DataLoader[Any]:
    """Batches of ``config.batch_size`` samples, in order from sample ``first`` on."""
    return DataLoader(
        SampleStream(objective.sample, ENDLESS),
        batch_size=config.batch_size,
        sampler=range(first, ENDLESS),
        num_workers=config.workers,
        drop_last=True,
        collate_fn=objective.collate,
        prefetch_factor=4 if config.workers else None,
        worker_init_fn=_settle_worker,
        pin_memory=pin_memory,
    )


def _settle_worker(_number: int) -> None:
    """Leave signals to the main process, and OpenCV's threads, which do not survive a fork, unused."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    cv2.setNumThreads(0)
