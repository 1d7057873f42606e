"""From people and their targets to what the networks read of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hifi_portrait.head.glasses import without_frame
from hifi_portrait.landmarks import LandmarkGenerator, LandmarkImage
from hifi_portrait.models.conditioning import face_inputs
from hifi_portrait.models.latents import encode_picture
from hifi_portrait.models.regions import Region
from hifi_portrait.person.identity import Identity
from hifi_portrait.person.target import Target
from hifi_portrait.pipeline.denoise import DrawingPipeline
from hifi_portrait.pipeline.detail import reduced
from hifi_portrait.pipeline.inpaint import Kept, KeptPicture
from hifi_portrait.pipeline.scene import Scene
from hifi_portrait.pipeline.subjects import Cast, regions_of
from hifi_portrait.warp.draw import draw_warp

People = Sequence[tuple[Identity, Target]]


class CastingPipeline(DrawingPipeline):
    """What `HiFiPortraitPipeline` does before it draws."""

    @property
    def default_size(self) -> int:
        """Side in pixels of the pictures the base model was trained for."""
        return int(self.unet.config.sample_size) * int(self.vae_scale_factor)

    def landmarks(self, identity: Identity, target: Target, size: int | None = None) -> npt.NDArray[np.uint8]:
        """The landmark image (size, size, 3) uint8 that a portrait would follow."""
        return head_of(identity, target, size or self.default_size, size or self.default_size).image

    def _cast(
        self,
        people: People,
        drawn: Sequence[LandmarkImage],
        regions: Sequence[Region] | None,
        scene: Scene | None,
        large: Sequence[LandmarkImage] = (),
    ) -> Cast:
        """What the networks read of people with their drawn heads.

        ``large`` are the same heads in the size of finished pictures, if these are to be larger; the networks
        read those warps, reduced.
        """
        warps = [
            _warp(identity, head, scene) for (identity, _), head in zip(people, large or drawn, strict=True)
        ]
        device = self._execution_device
        height, width = drawn[0].image.shape[:2]
        sharp = [_tensor(warp[0]).to(device) for warp in warps] if large else []
        if large:
            factor = large[0].image.shape[0] // height
            warps = [tuple(reduced(part, factor) for part in warp) for warp in warps]
        inputs = [
            face_inputs(identity, head, warp=(picture, coverage)).to(device)
            for (identity, _), head, (picture, coverage, _) in zip(people, drawn, warps, strict=True)
        ]
        dyed = [torch.from_numpy(share)[None, None].to(device) for _, _, share in warps]
        shared = regions_of(people, regions, height, width, device)
        return Cast(inputs, [self.condition(each) for each in inputs], dyed, *shared, sharp)

    def _kept_of(self, scene: Scene, drawn: LandmarkImage, grain: float) -> Kept:
        """What a call keeps of a scene in which a head is drawn."""
        kept = self._kept_picture(scene, drawn)
        return Kept(kept.picture, kept.redrawn, encode_picture(self.vae, kept.picture), grain)

    def _kept_picture(self, scene: Scene, drawn: LandmarkImage) -> KeptPicture:
        """A scene's crop as large as a drawn head, and what of it is redrawn."""
        picture = _tensor(scene.crop(drawn.image.shape[0])).to(self._execution_device)
        return KeptPicture(picture, torch.from_numpy(scene.mask(drawn))[None, None].to(picture))


def head_of(identity: Identity, target: Target, height: int, width: int) -> LandmarkImage:
    """A person's head with a target's attributes, in a picture of that size."""
    return LandmarkGenerator()(identity.identity, target, height if height == width else (width, height))


def _warp(identity: Identity, head: LandmarkImage, scene: Scene | None) -> tuple[npt.NDArray[Any], ...]:
    """Picture (H, W, 3) in [0, 255], coverage and dyed share (H, W) of a warp, in its scene if it has one."""
    if scene is None:
        warp = draw_warp(identity, head)
        return warp.picture, warp.coverage, warp.dyed
    # A scene puts glasses on itself, in its light, and keeps hair and clothes.
    bare = replace(head, glasses=without_frame(head.glasses), hair=None, clothes=None)
    warp = draw_warp(identity, bare)
    return *scene.received(warp.picture, warp.coverage, head), warp.dyed


def _tensor(picture: npt.NDArray[Any]) -> Tensor:
    """A picture (H, W, 3) in [0, 255] as (1, 3, H, W) in [-1, 1]."""
    return torch.from_numpy(np.array(picture, np.float32)).permute(2, 0, 1)[None] / 127.5 - 1
