"""The optimiser and its learning rate."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from hifi_portrait.errors import HiFiPortraitError
from hifi_portrait.training.engine.config import TrainerConfig
from hifi_portrait.training.engine.muon import Muon, is_orthogonalised


def group_parameters(
    learning: Mapping[str, nn.Parameter], fresh: Collection[str], config: TrainerConfig
) -> list[dict[str, Any]]:
    """Group what learns: what was copied, and what starts from nothing, with a learning rate of its own.

    With the optimiser Muon, hidden layers' matrices are groups apart.

    Parameters
    ----------
    learning
        The parameters by name.
    fresh
        Names of those that start from nothing.
    config
        Gives the learning rates; with one for all there is one group.

    Returns
    -------
    list of dict
        ``params``, and ``rate``, the factor of the learning rate; for Muon ``orthogonal``, too.
    """
    if config.fresh_learning_rate <= 0:
        groups = [(dict(learning), 1.0)]
    else:
        copied = {name: parameter for name, parameter in learning.items() if name not in fresh}
        others = {name: parameter for name, parameter in learning.items() if name in fresh}
        groups = [(copied, 1.0), (others, config.fresh_learning_rate / config.learning_rate)]
    if config.optimiser != "muon":
        return [{"params": list(group.values()), "rate": rate} for group, rate in groups if group]
    split = [
        {
            "params": [p for name, p in group.items() if is_orthogonalised(name, p) == orthogonal],
            "rate": rate,
            "orthogonal": orthogonal,
        }
        for group, rate in groups
        for orthogonal in (True, False)
    ]
    return [group for group in split if group["params"]]


def make_optimiser(groups: Sequence[dict[str, Any]], config: TrainerConfig) -> torch.optim.Optimizer:
    """Make AdamW (arXiv 1711.05101), its variant with moments in 8 bits (arXiv 2110.02861), or Muon.

    ``groups`` are those of `group_parameters`.

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
        return torch.optim.AdamW(groups, **settings, fused=True)
    if config.optimiser == "muon":
        return Muon(groups, **settings)
    try:
        from bitsandbytes.optim import AdamW8bit
    except ImportError as error:
        raise HiFiPortraitError(
            "the optimiser adamw8bit needs bitsandbytes: pip install bitsandbytes, or set "
            "trainer.optimiser = 'adamw'"
        ) from error
    optimiser: torch.optim.Optimizer = AdamW8bit(groups, **settings)
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
