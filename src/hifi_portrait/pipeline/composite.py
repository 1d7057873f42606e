"""Keep the warp where it is sure, and the networks' picture where the warp has its faults.

The warp is sharp and true where references see the person. It errs along the face's outline, where the fitted
mesh and the person part: ears, cheeks, jaw before the neck, and on surface that no reference shows. A small
network mends these places and softens all others. Hair and shoulders have the outlines of the references'
mattes.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.models.conditioning import FaceInputs
from hifi_portrait.models.pixels import exceeds, local_mean, widened
from hifi_portrait.pipeline.prompt_delta import with_change
from hifi_portrait.warp.hair.shell import scalp

_OUTSIDE, _INSIDE = 4, 8  # pixels at 256 that the doubt about an outline reaches out and in
_SOFTENED = 7  # pixels at 256 over which doubt fades
_SEEN = 0.1  # coverage of the surface below which the warp is a guess
_SHADE = 25  # pixels at 256 over which a colour counts as an area's
_BLOTCH = (9, 49)  # pixels at 256 between which a difference on the surface is a blotch of the warp's
_RIM = 5  # pixels at 256 over which blotches count less towards the head's outline
_AGREED = 0.6  # difference beyond detail, in [-1, 1], from which on a doubt about the warp is confirmed
_AGREED_OVER = 9  # pixels at 256 over which that difference is taken
_BLOTCHED = 0.8  # difference of that width, in [-1, 1], at which the warp's share falls to 1 / e
_LEAST = 0.05  # share of an area that must be sure for its shade to count in full


def on_warp(
    pictures: Tensor,
    unprompted: Tensor,
    inputs: FaceInputs,
    share: float = 1.0,
    prompt_scale: Tensor | float = 1.0,
) -> Tensor:
    """Portraits from what the networks draw of a warp.

    Parameters
    ----------
    pictures, unprompted
        (B, 3, H, W) in [0, 1], drawn with prompts and without.
    inputs
        What they were drawn from.
    share
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
    doubts = doubt(on_head, inputs.warp_coverage, of_mattes(inputs.triangle))
    plain = composite(unprompted, inputs.warp, doubts, share, on_head=on_head)
    return with_change(plain, pictures, unprompted, person_in(inputs), prompt_scale).clamp(-1, 1)


def person_in(inputs: FaceInputs) -> Tensor:
    """How much of each pixel is the person, (B, 1, H, W) in [0, 1]."""
    on_head = (inputs.triangle >= 0).unsqueeze(1)
    return torch.where(on_head, 1.0, (2 * inputs.warp_coverage).clamp(max=1))


def of_mattes(triangle: Tensor, model: HeadModel | None = None) -> Tensor:
    """Where a target (B, H, W) shows scalp or shoulders, whose outlines are the mattes', (B, 1, H, W)."""
    triangles = torch.from_numpy(_triangles_of_mattes(model or HeadModel.load()))
    shown = triangles.to(triangle.device)[triangle.long()]
    return (shown & (triangle >= 0)).unsqueeze(1)


@lru_cache(maxsize=4)
def _triangles_of_mattes(model: HeadModel) -> npt.NDArray[np.bool_]:
    return np.isin(model.triangles, scalp(model).vertices).any(axis=1) | (model.parts == Part.SHOULDERS)


def doubt(on_head: Tensor, coverage: Tensor, sure: Tensor) -> Tensor:
    """Where the warp has its faults.

    Parameters
    ----------
    on_head
        (B, 1, H, W) bool, where the drawn target is.
    coverage
        (B, 1, H, W) in [0, 1], how well references see the warp.
    sure
        (B, 1, H, W) bool, where its outline is sure, from `of_mattes`.

    Returns
    -------
    Tensor
        (B, 1, H, W) in [0, 1].
    """
    on_head = on_head.float()
    outline = widened(on_head, _OUTSIDE) - (1 - widened(1 - on_head, _INSIDE))
    unseen = on_head * (coverage < _SEEN).float()
    away = 1 - widened(sure.float(), _OUTSIDE + _INSIDE)
    return local_mean(torch.maximum(outline, unseen) * away, _SOFTENED)


def composite(
    picture: Tensor,
    warp: Tensor,
    doubts: Tensor,
    share: float,
    *,
    on_head: Tensor | None = None,
) -> Tensor:
    """Pictures with the warp where it is sure, and elsewhere in the shade of the warp beside it.

    A doubt counts where the picture says otherwise than the warp by more than detail, which it lacks: a
    hairline in its place stays as sharp as it is. References of different light leave blotches on the warp's
    skin. Where the picture has mended one on the surface, it stays.

    Parameters
    ----------
    picture
        (B, 3, H, W) in [-1, 1], drawn from the warp.
    warp
        (1, 3, H, W) in [-1, 1].
    doubts
        (1, 1, H, W) from `doubt`.
    share
        Of the warp where it is sure, in [0, 1].
    on_head
        (1, 1, H, W), where there may be blotches; nowhere if not given.

    Returns
    -------
    Tensor
        (B, 3, H, W) in [-1, 1].
    """
    difference = warp - picture
    beyond_detail = local_mean(difference, _AGREED_OVER).abs().mean(dim=1, keepdim=True)
    doubts = doubts * exceeds(local_mean(beyond_detail, _AGREED_OVER), _AGREED)
    kept = share * (1 - doubts)
    if on_head is not None:
        fine, wide = (local_mean(difference, window) for window in _BLOTCH)
        blotch = (fine - wide).abs().mean(dim=1, keepdim=True)
        blotch = local_mean(blotch, _BLOTCH[0])
        # Blotches fade out towards the outline, where doubt about it rules.
        inner = local_mean(1 - widened(1 - on_head.to(kept), _RIM), _RIM)
        kept = kept * (1 - inner * exceeds(blotch, _BLOTCHED))
    beside = local_mean(kept * difference, _SHADE) / local_mean(kept, _SHADE).clamp(min=_LEAST)
    return (picture + kept * difference + share * doubts * beside).clamp(-1, 1)
