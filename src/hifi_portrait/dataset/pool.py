"""Where work on many photos runs."""

from __future__ import annotations

from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import torch


def worker_pool(workers: int) -> Executor:
    """``workers`` processes of one thread each; for one worker, a thread of this process."""
    if workers == 1:
        return ThreadPoolExecutor(1)
    context = get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=torch.set_num_threads, initargs=(1,))
