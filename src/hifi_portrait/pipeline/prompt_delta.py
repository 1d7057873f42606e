"""What a prompt changes in a picture, carried over to a sharper one."""

from __future__ import annotations

import torch
from torch import Tensor

from hifi_portrait.models.pixels import dilate, local_mean, soft_threshold

_NOTICED_DIFFERENCE = 0.06
"""Difference, in [-1, 1], from which on a prompt is believed to have changed something."""
_NOTICED_WINDOW = 9
"""Pixels at 256 over which that difference is averaged."""
_OUTLINE_BLUR = 9
"""Pixels at 256 by which a small network blurs the person's outline."""
_SIDE_WINDOW = 31
"""Pixels at 256 over which the change on one side of the outline is averaged."""
_MIN_SIDE_FRACTION = 0.02
"""Fraction of such a window that must be on that side for its mean to count."""
_FADING_WINDOW = 7
"""Pixels at 256 over which one kind of change gives way to the other."""


def add_change(
    sharp: Tensor, prompted: Tensor, unprompted: Tensor, person: Tensor, scale: Tensor | float = 1.0
) -> Tensor:
    """Add to a picture what a prompt changes in softer draws of the same warp.

    The same networks draw both from the same warp, so that what they blur of it is in both and cancels.
    Differences too small to have been requested fade away. Along the person's outline, across which both are
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
    amount = local_mean(difference.abs().mean(dim=1, keepdim=True), _NOTICED_WINDOW)
    change = soft_threshold(amount, _NOTICED_DIFFERENCE) * difference
    shown = (person > 0.5).to(change)
    inside, outside = 1 - dilate(1 - shown, _OUTLINE_BLUR), 1 - dilate(shown, _OUTLINE_BLUR)
    beside = torch.lerp(_mean_within(change, outside), _mean_within(change, inside), person.to(change))
    return sharp + scale * torch.lerp(change, beside, local_mean(1 - inside - outside, _FADING_WINDOW))


def _mean_within(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of values (B, C, H, W) within a mask (1, 1, H, W), nearby; the values where there is none."""
    fraction = local_mean(mask, _SIDE_WINDOW)
    mean = local_mean(values * mask, _SIDE_WINDOW) / fraction.clamp(min=_MIN_SIDE_FRACTION)
    return torch.where(fraction > _MIN_SIDE_FRACTION, mean, values)
