"""What a prompt changes in a picture, carried over to a sharper one."""

from __future__ import annotations

import torch
from torch import Tensor

from hifi_portrait.models.pixels import exceeds, local_mean, widened

_NOTICED = 0.06  # difference, in [-1, 1], from which on a prompt is believed to have changed something
_NOTICED_OVER = 9  # pixels at 256 over which that difference is taken
_BLURRED = 9  # pixels at 256 by which a small network blurs the person's outline
_ACROSS = 31  # pixels at 256 over which the change on one side of it is taken
_LEAST = 0.02  # share of these that must be of that side
_FADING = 7  # pixels at 256 over which one kind of change gives way to the other


def with_change(
    sharp: Tensor, prompted: Tensor, unprompted: Tensor, person: Tensor, scale: Tensor | float = 1.0
) -> Tensor:
    """A picture with what a prompt changes, of which the networks draw softer ones of the same warp.

    The same networks draw both from the same warp, so that what they blur of it is in both and cancels.
    Differences too small to have been asked for fade away. Along the person's outline, across which both are
    blurred, person and background each change as they do farther inside: hair of another colour has no halo.

    Parameters
    ----------
    sharp
        (B, 3, H, W) in [-1, 1], without a prompt.
    prompted, unprompted
        (B, 3, H, W) in [-1, 1], drawn with a prompt and without.
    person
        (1, 1, H, W) in [0, 1], how much of each pixel is the person.
    scale
        How much of the change is added, 0 or more, or so at each place (1, 1, H, W).

    Returns
    -------
    Tensor
        (B, 3, H, W), as far beyond [-1, 1] as the change goes.
    """
    difference = prompted - unprompted
    noticed = exceeds(local_mean(difference.abs().mean(dim=1, keepdim=True), _NOTICED_OVER), _NOTICED)
    change = noticed * difference
    shown = (person > 0.5).to(change)
    within, without = 1 - widened(1 - shown, _BLURRED), 1 - widened(shown, _BLURRED)
    beside = torch.lerp(_around(change, without), _around(change, within), person.to(change))
    return sharp + scale * torch.lerp(change, beside, local_mean(1 - within - without, _FADING))


def _around(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of values (B, C, H, W) within a mask (1, 1, H, W), nearby; the values where there is none."""
    share = local_mean(mask, _ACROSS)
    mean = local_mean(values * mask, _ACROSS) / share.clamp(min=_LEAST)
    return torch.where(share > _LEAST, mean, values)
