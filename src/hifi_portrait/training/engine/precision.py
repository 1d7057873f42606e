"""Where bfloat16 is worth its rounding: a CPU without instructions for it is several times slower in it."""

from __future__ import annotations

import logging

import torch

logger = logging.getLogger(__name__)


def computes_bfloat16(device: torch.device) -> bool:
    """Whether a device computes products and convolutions in bfloat16 itself, instead of imitating it."""
    if device.type != "cpu":
        return True
    return torch.backends.mkldnn.is_available() and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def half_where_fast(device: torch.device) -> torch.autocast:
    """Autocast to bfloat16, or nothing on a CPU that is slower in it."""
    return torch.autocast(device.type, torch.bfloat16, enabled=computes_bfloat16(device))


def precision_here(wished: str) -> str:
    """The precision to train in: as wished, but "no" (float32) for "bf16" on a CPU that is slower in it."""
    if wished != "bf16" or torch.accelerator.is_available() or computes_bfloat16(torch.device("cpu")):
        return wished
    logger.warning("this CPU has no instructions for bfloat16: training in float32, which is faster here")
    return "no"
