"""Leaving the process group, so that none of its threads outlives it."""

from __future__ import annotations

import gc

import torch.distributed as dist
from torch.distributed.device_mesh import DeviceMesh

from hifi_portrait.errors import needs_extra

with needs_extra("train"):
    from accelerate import PartialState


def leave_process_group() -> None:
    """Close the process group of a run of several processes, and wait for its threads to end.

    Call it at the end of a process that trained, when nothing refers to the trainer and its objective any
    more. Without a process group it does nothing.

    Gloo's threads hold the tensors of each collective until they get round to dropping them, a moment after
    the collective is done. To drop a tensor that Python made they need the interpreter's lock. A thread that
    asks for it while the interpreter ends is ended by force, which aborts the process ("terminate called
    without an active exception"; pytorch/pytorch#38228 and #190489). ``destroy_process_group`` alone does not
    end the threads: the last reference to the group does, and torch's caches of sharded tensors keep
    references to their device mesh, which holds the group.
    """
    if not dist.is_initialized():
        return
    group = dist.group.WORLD
    PartialState().destroy_process_group()
    gc.collect()  # the trainer and its wrappers refer to each other in circles
    for mesh in [thing for thing in gc.get_objects() if type(thing) is DeviceMesh]:
        registry = getattr(mesh, "_pg_registry", None)  # torch 2.11 and later keep groups in one
        if registry:
            registry.clear()
    # The last reference must be one of Python's, which gives the interpreter's lock up while it waits for the
    # threads. One of C++, as DistributedDataParallel has, would keep it and wait for ever.
    del group
