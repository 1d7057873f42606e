"""The optimiser and its learning rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from hifi_portrait.errors import HiFiPortraitError
from hifi_portrait.training.engine.config import TrainerConfig


def make_optimiser(parameters: Sequence[torch.nn.Parameter], config: TrainerConfig) -> torch.optim.Optimizer:
    """AdamW (arXiv 1711.05101) over ``parameters``, or its like with moments in 8 bits (arXiv 2110.02861).

    Raises
    ------
    HiFiPortraitError
        ``config`` asks for 8 bits, and bitsandbytes is not installed.
    """
    shared: dict[str, Any] = {
        "lr": config.learning_rate,
        "betas": config.betas,
        "weight_decay": config.weight_decay,
    }
    if config.optimiser == "adamw":
        return torch.optim.AdamW(parameters, **shared, fused=True)
    try:
        from bitsandbytes.optim import AdamW8bit
    except ImportError as error:
        raise HiFiPortraitError(
            "the optimiser adamw8bit needs bitsandbytes: pip install bitsandbytes, or set "
            "trainer.optimiser = 'adamw'"
        ) from error
    optimiser: torch.optim.Optimizer = AdamW8bit(parameters, **shared)
    return optimiser


def learning_rate(config: TrainerConfig, step: int, progress: float) -> float:
    """Linear warm-up, then a cosine (arXiv 1608.03983) over the run's ``progress`` in [0, 1]."""
    floor = config.final_lr_share
    cosine = floor + (1 - floor) * (1 + math.cos(math.pi * progress)) / 2
    return config.learning_rate * cosine * min(1.0, (step + 1) / max(1, config.warmup_steps))
