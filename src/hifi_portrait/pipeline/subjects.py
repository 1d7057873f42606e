"""The people of a picture as the networks read them: one person, or several with a part of it each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from hifi_portrait.errors import ArgumentError
from hifi_portrait.landmarks import LandmarkImage
from hifi_portrait.models.conditioning import Conditioning, FaceFeatures, FaceInputs
from hifi_portrait.models.hifi_condition import HiFiCondition, SharedPicture
from hifi_portrait.models.regions import Region, Regions
from hifi_portrait.pipeline.composite import composite_warp, mask_person
from hifi_portrait.pipeline.detail import add_detail
from hifi_portrait.pipeline.prompt_delta import add_change
from hifi_portrait.pipeline.request import Subjects


@dataclass(frozen=True, eq=False)
class EncodedSubjects:
    """The people of a picture, encoded."""

    heads: Sequence[LandmarkImage]
    """Each person's head as the target shows it, of the size at which the networks draw."""
    inputs: Sequence[FaceInputs]
    """Each person's photos, landmarks and warp as tensors."""
    features: Sequence[FaceFeatures]
    """What the face networks read in the photos, whatever the warp shows."""
    conditionings: Sequence[Conditioning]
    """What the networks made of them."""
    recoloured: Sequence[Tensor]
    """Where each person's warp (1, 1, H, W) shows hair and clothes in colours that prompts name, in [0, 1]:
    the networks change nothing there."""
    regions: Regions | None = None
    """Within which each person is drawn; None for one person, who has all of the picture."""
    parts: Regions | None = None
    """All of the picture, each place somebody's, whose warp is seen there; None for one person."""
    large_heads: Sequence[LandmarkImage] = ()
    """The heads in the size of finished pictures, where these are larger."""
    large_warps: Sequence[Tensor] = ()
    """Each person's warp (1, 3, F H, F W) in [-1, 1], as large as finished pictures, if those are larger."""

    @property
    def reads_nobody(self) -> bool:
        """Whether the unconditional half of guidance reads face tokens, too: those of nobody."""
        return self.conditionings[0].unconditional_tokens is not None

    @property
    def tokens(self) -> list[Tensor]:
        """Face tokens (1, K, D) of each person."""
        return [each.tokens for each in self.conditionings]

    @property
    def unconditional_tokens(self) -> list[Tensor | None]:
        """What the unconditional half reads in each person's place, if anything."""
        return [each.unconditional_tokens for each in self.conditionings]

    @property
    def warp_latents(self) -> Tensor:
        """(1, C, h, w) scaled latents of the warps."""
        return self._join([each.warp_latents for each in self.conditionings])

    def make_condition(self, copies: int) -> HiFiCondition | SharedPicture:
        """Make HiFi-Net's condition for so many pictures."""
        each = [conditioning.hifi.expand(copies) for conditioning in self.conditionings]
        return each[0] if self.regions is None else SharedPicture(each, self.regions)

    def prior_mean(self, copies: int) -> Tensor | None:
        """Mean (copies, C, h, w) of the clean latents, expected of the warps; None without a prior."""
        means = [conditioning.hifi.prior_mean for conditioning in self.conditionings]
        known = [mean.float() for mean in means if mean is not None]
        if not known:
            return None
        mean = self._join(known)
        return mean.repeat_interleave(copies // len(mean), dim=0)

    def composite_warp(
        self, pictures: Tensor, unprompted: Tensor, fraction: float, prompt_scale: float
    ) -> Tensor:
        """Composite each person's warp with pictures; see :func:`composite.composite_warp`.

        Returns (B, 3, H, W) in [-1, 1].
        """
        scales = [prompt_scale * (1 - recoloured) for recoloured in self.recoloured]
        return self._join(
            [
                composite_warp(pictures, unprompted, inputs, fraction, scale)
                for inputs, scale in zip(self.inputs, scales, strict=True)
            ]
        )

    def add_change(
        self, pictures: Tensor, prompted: Tensor, unprompted: Tensor, prompt_scale: float
    ) -> Tensor:
        """Add to pictures (B, 3, H, W) in [-1, 1] what prompts change in draws of them, both in [0, 1]."""
        both = 2 * prompted.float() - 1, 2 * unprompted.float() - 1
        changes = [
            add_change(pictures, *both, mask_person(inputs), prompt_scale * (1 - recoloured))
            for inputs, recoloured in zip(self.inputs, self.recoloured, strict=True)
        ]
        return self._join(changes).clamp(-1, 1)

    def add_detail(self, pictures: Tensor, fraction: float) -> Tensor:
        """Enlarge pictures (B, 3, H, W) in [-1, 1] to the large warps; see :func:`detail.add_detail`."""
        larger = [
            add_detail(pictures, inputs.warp, large, fraction)
            for inputs, large in zip(self.inputs, self.large_warps, strict=True)
        ]
        return self._join(larger)

    def _join(self, values: Sequence[Tensor]) -> Tensor:
        return values[0] if self.parts is None else self.parts.blend(values)


def share_picture(
    subjects: Subjects,
    regions: Sequence[Region] | None,
    height: int,
    width: int,
    device: torch.device | str,
) -> tuple[Regions | None, Regions | None]:
    """Share a picture between people: the `regions` and `parts` of `EncodedSubjects`.

    Raises
    ------
    ValueError
        If there are not as many regions as people, or one is none.
    """
    if regions is not None:
        if len(regions) != len(subjects):
            raise ArgumentError(f"`regions` must be {len(subjects)}, one a person, but are {len(regions)}")
    elif len(subjects) == 1:
        return None, None
    heads = [(target.framing.scale, target.framing.x, target.framing.y) for _, target in subjects]
    parts = Regions.around(heads, height, width)
    if regions is None:
        return parts.to(device), parts.to(device)
    within = Regions.given(regions, height, width)
    return within.to(device), within.filled(parts).to(device)
