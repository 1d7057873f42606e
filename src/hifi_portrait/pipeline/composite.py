"""Keep the warp where it is sure, and the networks' picture where the warp has its faults.

The warp is sharp and true where references see the person. It errs along the face's outline, where the fitted
mesh and the person part: ears, cheeks, jaw before the neck, and on surface that no reference shows. A small
network mends these places and softens all others. Hair and shoulders have the outlines of the references'
mattes.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from hifi_portrait.head.arrays import BoolArray
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.models.conditioning import FaceInputs
from hifi_portrait.models.pixels import dilate, local_mean, soft_threshold
from hifi_portrait.pipeline.prompt_delta import add_change
from hifi_portrait.warp.hair.shell import scalp
from hifi_portrait.warp.settings import ScalpSettings

# Lengths are in pixels of a picture 256 wide, differences in those of pictures in [-1, 1].
_OUTSIDE_REACH, _INSIDE_REACH = 4, 8
"""How far the doubt about an outline reaches out and in, in pixels at 256."""
_DOUBT_WINDOW = 7
"""Window over which doubt fades, in pixels at 256."""
_MIN_COVERAGE = 0.1
"""Coverage of the surface below which the warp is a guess."""
_SHADE_WINDOW = 25
"""Window over which a colour counts as an area's, in pixels at 256."""
_BLOTCH_WINDOWS = (9, 49)
"""Windows between which a difference on the surface is a blotch of the warp's, in pixels at 256."""
_RIM_WIDTH = 5
"""Window over which blotches count less towards the head's outline, in pixels at 256."""
_CONFIRMED_DIFFERENCE = 0.6
"""Difference beyond detail, in [-1, 1], around which a doubt about the warp is confirmed."""
_CONFIRMED_WINDOW = 9
"""Window over which that difference is averaged, in pixels at 256."""
_BLOTCH_DIFFERENCE = 0.8
"""Difference of a blotch, in [-1, 1], at which the warp's fraction falls to 1 / e."""
_MIN_SURE_FRACTION = 0.05
"""Fraction of an area that must be sure for its shade to count in full."""


def composite_warp(
    pictures: Tensor,
    unprompted: Tensor,
    inputs: FaceInputs,
    fraction: float = 1.0,
    prompt_scale: Tensor | float = 1.0,
) -> Tensor:
    """Composite portraits of a warp and what the networks draw of it.

    Parameters
    ----------
    pictures, unprompted
        (B, 3, H, W) in [0, 1], drawn with prompts and without.
    inputs
        What they were drawn from.
    fraction
        Of the warp where it is sure, in [0, 1].
    prompt_scale
        How much of what the prompts change is added, 0 or more, or so at each place (1, 1, H, W).

    Returns
    -------
    Tensor
        (B, 3, H, W) in [-1, 1].
    """
    pictures, unprompted = 2 * pictures.float() - 1, 2 * unprompted.float() - 1
    on_head = (inputs.triangle >= 0).unsqueeze(1)
    doubt = find_doubt(on_head, inputs.warp_coverage, mask_matted(inputs.triangle))
    plain = blend_warp(unprompted, inputs.warp, doubt, fraction, on_head=on_head)
    return add_change(plain, pictures, unprompted, mask_person(inputs), prompt_scale).clamp(-1, 1)


def mask_person(inputs: FaceInputs) -> Tensor:
    """How much of each pixel is the person, (B, 1, H, W) in [0, 1]."""
    on_head = (inputs.triangle >= 0).unsqueeze(1)
    return torch.where(on_head, 1.0, (2 * inputs.warp_coverage).clamp(max=1))


def mask_matted(triangle: Tensor, model: HeadModel | None = None) -> Tensor:
    """Where a target (B, H, W) shows scalp or shoulders, whose outlines are the mattes', (B, 1, H, W)."""
    triangles = torch.from_numpy(_matted_triangles(model or HeadModel.load()))
    shown = triangles.to(triangle.device)[triangle.long()]
    return (shown & (triangle >= 0)).unsqueeze(1)


@lru_cache(maxsize=4)
def _matted_triangles(model: HeadModel) -> BoolArray:
    of_scalp = np.zeros(len(model.parts), np.bool_)
    of_scalp[scalp(model, ScalpSettings()).triangles] = True
    return np.asarray(of_scalp | (model.parts == Part.SHOULDERS))


def find_doubt(on_head: Tensor, coverage: Tensor, sure: Tensor) -> Tensor:
    """Find where the warp has its faults.

    Parameters
    ----------
    on_head
        (B, 1, H, W) bool, where the drawn target is.
    coverage
        (B, 1, H, W) in [0, 1], how well references see the warp.
    sure
        (B, 1, H, W) bool, where its outline is sure, from `mask_matted`.

    Returns
    -------
    Tensor
        (B, 1, H, W) in [0, 1].
    """
    on_head = on_head.float()
    outline = dilate(on_head, _OUTSIDE_REACH) - (1 - dilate(1 - on_head, _INSIDE_REACH))
    unseen = on_head * (coverage < _MIN_COVERAGE).float()
    away = 1 - dilate(sure.float(), _OUTSIDE_REACH + _INSIDE_REACH)
    return local_mean(torch.maximum(outline, unseen) * away, _DOUBT_WINDOW)


def blend_warp(
    picture: Tensor,
    warp: Tensor,
    doubt: Tensor,
    fraction: float,
    *,
    on_head: Tensor | None = None,
) -> Tensor:
    """Blend pictures with the warp where it is sure, and elsewhere with the shade of the warp beside it.

    A doubt counts where the picture differs from the warp by more than the detail that it lacks: a hairline
    in its place stays as sharp as it is. References of different light leave blotches on the warp's skin.
    Where the picture has mended one on the surface, it stays.

    Parameters
    ----------
    picture
        (B, 3, H, W) in [-1, 1], drawn from the warp.
    warp
        (1, 3, H, W) in [-1, 1].
    doubt
        (1, 1, H, W) from `find_doubt`.
    fraction
        Of the warp where it is sure, in [0, 1].
    on_head
        (1, 1, H, W), where there may be blotches; nowhere if not given.

    Returns
    -------
    Tensor
        (B, 3, H, W) in [-1, 1].
    """
    difference = warp - picture
    beyond_detail = local_mean(difference, _CONFIRMED_WINDOW).abs().mean(dim=1, keepdim=True)
    doubt = doubt * soft_threshold(local_mean(beyond_detail, _CONFIRMED_WINDOW), _CONFIRMED_DIFFERENCE)
    weight = fraction * (1 - doubt)
    if on_head is not None:
        fine, wide = (local_mean(difference, window) for window in _BLOTCH_WINDOWS)
        blotch = (fine - wide).abs().mean(dim=1, keepdim=True)
        blotch = local_mean(blotch, _BLOTCH_WINDOWS[0])
        # Blotches fade out towards the outline, where doubt about it rules.
        inner = local_mean(1 - dilate(1 - on_head.to(weight), _RIM_WIDTH), _RIM_WIDTH)
        weight = weight * (1 - inner * soft_threshold(blotch, _BLOTCH_DIFFERENCE))
    sure = local_mean(weight, _SHADE_WINDOW).clamp(min=_MIN_SURE_FRACTION)
    beside = local_mean(weight * difference, _SHADE_WINDOW) / sure
    return (picture + weight * difference + fraction * doubt * beside).clamp(-1, 1)
