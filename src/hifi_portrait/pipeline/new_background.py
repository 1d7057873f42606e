"""Put the person of finished pictures before another background, and into another light."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from hifi_portrait.landmarks import LandmarkImage
from hifi_portrait.person.background import Background
from hifi_portrait.person.identity import Identity
from hifi_portrait.person.target import Target
from hifi_portrait.pipeline.last_drawn import draw_once
from hifi_portrait.warp.draw import draw_warp
from hifi_portrait.warp.new_light import choose_light


def replace_background(
    pictures: Tensor,
    background: Background,
    light: str,
    identity: Identity,
    target: Target,
    head: LandmarkImage,
) -> Tensor:
    """Replace background and light of pictures that were drawn from a warp.

    Parameters
    ----------
    pictures
        (B, 3, H, W) in [-1, 1].
    background
        What they get.
    light
        "photo", which leaves it to the background, or one of `LIGHT_NAMES`.
    identity, target, head
        Who was drawn, how, and the head (H, W) that was drawn of them: their warp says what of the pictures
        is the person.

    Returns
    -------
    Tensor
        (B, 3, H, W) in [-1, 1]; (B, 4, H, W), with alpha in the same range, if it is transparent.
    """
    warp = draw_once(identity, target, head, lambda: draw_warp(identity, head))
    arrays = (127.5 * (pictures.float() + 1)).permute(0, 2, 3, 1).cpu().numpy()
    lit = choose_light(background, light, head, warp.alpha)
    replaced = np.stack([background.replace_in(each, warp.alpha, warp.behind, lit) for each in arrays])
    return torch.from_numpy(replaced).permute(0, 3, 1, 2).to(pictures) / 127.5 - 1
