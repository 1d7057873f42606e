"""Turn finished pictures into paintings, drawings or photos without colours."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from hifi_portrait.scenery.styles import stylise

_SEED = 11
"""Of paper and brush: the same for every picture, so that nothing flickers from one to the next."""


def turn_into_style(pictures: Tensor, style: str) -> Tensor:
    """Turn pictures (B, C, H, W) in [-1, 1] into one of `STYLES`; a fourth channel, alpha, stays."""
    colours = (pictures[:, :3].float() / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).cpu().numpy()
    turned = np.stack([stylise(each, style, np.random.default_rng(_SEED)) for each in colours])
    finished = torch.from_numpy(turned).permute(0, 3, 1, 2).to(pictures) * 2 - 1
    return torch.cat([finished, pictures[:, 3:]], dim=1)
