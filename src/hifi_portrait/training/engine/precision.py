"""Number formats and kernels: bfloat16 where it is fast, and what a CPU computes fastest with."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

logger = logging.getLogger(__name__)


def computes_bfloat16(device: torch.device) -> bool:
    """Tell whether a device has instructions for bfloat16; a CPU without is several times slower in it."""
    if device.type != "cpu":
        return True
    return torch.backends.mkldnn.is_available() and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def autocast_where_fast(device: torch.device) -> torch.autocast:
    """Give autocast to bfloat16, which does nothing on a CPU that is slower in it."""
    return torch.autocast(device.type, torch.bfloat16, enabled=computes_bfloat16(device))


def choose_precision(requested: str) -> str:
    """Choose the precision to train in: the requested one, but "no" for "bf16" on a CPU slower in it.

    "no" is float32.
    """
    if requested != "bf16" or torch.accelerator.is_available() or computes_bfloat16(torch.device("cpu")):
        return requested
    logger.warning("this CPU has no instructions for bfloat16: training in float32, which is faster here")
    return "no"


def own_precision(part: nn.Module) -> AbstractContextManager[None]:
    """Leave autocast while a part computes whose weights are of half precision themselves."""
    parameter = next(part.parameters())
    if parameter.dtype == torch.float32:
        return nullcontext()
    context: AbstractContextManager[None] = torch.autocast(parameter.device.type, enabled=False)
    return context


def attention_kernel(device: torch.device) -> AbstractContextManager[None]:
    """Choose plain matrix products for attention on a CPU: faster than PyTorch's choice for few tokens."""
    context: AbstractContextManager[None] = (
        sdpa_kernel(SDPBackend.MATH) if device.type == "cpu" else nullcontext()
    )
    return context
