"""Inputs of tiny networks, and networks that do not stand at their zero initialisation."""

from __future__ import annotations

import torch


def randomised(module):
    """Fill zero-initialised weights, as training would."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.abs().max() == 0:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.1)
    return module


def unet_inputs(batch=2):
    generator = torch.Generator().manual_seed(0)
    return {
        "sample": torch.randn(batch, 4, 8, 8, generator=generator),
        "timestep": torch.tensor(10),
        "encoder_hidden_states": torch.randn(batch, 77, 32, generator=generator),
        "added_cond_kwargs": {
            "text_embeds": torch.randn(batch, 16, generator=generator),
            "time_ids": torch.zeros(batch, 6),
        },
    }


def sources(batch=2):
    generator = torch.Generator().manual_seed(3)

    def noise(*shape):
        return torch.randn(batch, *shape, generator=generator)

    return {
        "landmark": noise(7, 64, 64),
        "warp_latents": noise(4, 8, 8),
        "warp_coverage": noise(1, 8, 8).sigmoid(),
        "fine": noise(4, 16, 16),
        "fine_coverage": noise(1, 16, 16).sigmoid(),
        "coarse": noise(8, 8, 8),
        "coarse_coverage": noise(1, 8, 8).sigmoid(),
        "tokens": noise(4, 32),
    }
