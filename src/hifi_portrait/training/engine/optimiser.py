"""The optimiser and its learning rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from hifi_portrait.errors import HiFiPortraitError
from hifi_portrait.training.engine.config import TrainerConfig


def make_optimiser(parameters: Sequence[torch.nn.Parameter], config: TrainerConfig) -> torch.optim.Optimizer:
    """Make AdamW (arXiv 1711.05101), or its variant with moments in 8 bits (arXiv 2110.02861).

    Raises
    ------
    HiFiPortraitError
        ``config`` requests 8 bits, and bitsandbytes is not installed.
    """
    settings: dict[str, Any] = {
        "lr": config.learning_rate,
        "betas": config.betas,
        "weight_decay": config.weight_decay,
    }
    if config.optimiser == "adamw":
        return torch.optim.AdamW(parameters, **settings, fused=True)
    try:
        from bitsandbytes.optim import AdamW8bit
    except ImportError as error:
        raise HiFiPortraitError(
            "the optimiser adamw8bit needs bitsandbytes: pip install bitsandbytes, or set "
            "trainer.optimiser = 'adamw'"
        ) from error
    optimiser: torch.optim.Optimizer = AdamW8bit(parameters, **settings)
    return optimiser


def learning_rate(config: TrainerConfig, step: int, progress: float) -> float:
    """Compute the learning rate of a step: a linear warm-up, times a cosine (arXiv 1608.03983).

    Parameters
    ----------
    config
        Gives the greatest rate, the steps of the warm-up and the fraction that the cosine ends at.
    step
        Steps done before, 0 or more.
    progress
        Fraction of the run that is done, in [0, 1].
    """
    floor = config.final_lr_share
    cosine = floor + (1 - floor) * (1 + math.cos(math.pi * progress)) / 2
    return config.learning_rate * cosine * min(1.0, (step + 1) / max(1, config.warmup_steps))
