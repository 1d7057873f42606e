"""From people and their targets to what the networks read of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from hifi_portrait.head.arrays import Array
from hifi_portrait.head.glasses import without_frame
from hifi_portrait.landmarks import LandmarkGenerator, LandmarkImage
from hifi_portrait.models.conditioning import FaceConditioner, face_inputs, view_photos
from hifi_portrait.models.regions import Region
from hifi_portrait.person.identity import Identity
from hifi_portrait.person.own_expressions import use_own_expressions
from hifi_portrait.person.target import Target
from hifi_portrait.pipeline.detail import reduce_picture
from hifi_portrait.pipeline.inpaint import InpaintingMask
from hifi_portrait.pipeline.last_drawn import draw_once
from hifi_portrait.pipeline.request import Request, Subjects
from hifi_portrait.pipeline.scene import Scene
from hifi_portrait.pipeline.subjects import EncodedSubjects, share_picture
from hifi_portrait.warp.draw import draw_warp

Device = torch.device | str


def encode_request(request: Request, conditioner: FaceConditioner, device: Device) -> EncodedSubjects:
    """Draw the heads and warps of a request's people and run the face networks over them.

    Parameters
    ----------
    request
        The call's inputs.
    conditioner
        Runs the networks that read faces.
    device
        On which they run.
    """
    settings = request.settings
    height, width, factor = settings.height, settings.width, settings.upscale
    heads = _draw_heads(request.subjects, height, width)
    large_heads = (
        _draw_heads(request.subjects, factor * height, factor * width) if request.is_enlarged else []
    )
    return encode_subjects(
        request.subjects,
        heads,
        conditioner,
        device,
        scene=request.scene,
        regions=request.regions,
        large_heads=large_heads,
        with_warp=request.reads_warp or conditioner.hifi_net.config.warp_latents,
    )


def encode_subjects(
    subjects: Subjects,
    heads: Sequence[LandmarkImage],
    conditioner: FaceConditioner,
    device: Device,
    *,
    scene: Scene | None = None,
    regions: Sequence[Region] | None = None,
    large_heads: Sequence[LandmarkImage] = (),
    with_warp: bool = True,
) -> EncodedSubjects:
    """Encode people with their drawn heads.

    Parameters
    ----------
    subjects, heads
        Each person and target, and the head drawn of them.
    conditioner, device
        Runs the networks that read faces, and where they run.
    scene
        The given picture in which the one person is drawn.
    regions
        Which part of the picture is whose; found by the heads if not given.
    large_heads
        The same heads in the size of finished pictures, where these are larger. The networks then read the
        large warps, reduced.
    with_warp
        Whether anything reads the warps; if not they are left empty.
    """
    draw = _draw_warp if with_warp else _leave_empty
    warps = [
        draw(identity, target, head, scene)
        for (identity, target), head in zip(subjects, large_heads or heads, strict=True)
    ]
    height, width = heads[0].image.shape[:2]
    large_warps = [_to_tensor(picture).to(device) for picture, _, _ in warps] if large_heads else []
    if large_heads:
        factor = large_heads[0].image.shape[0] // height
        warps = [
            (reduce_picture(a, factor), reduce_picture(b, factor), reduce_picture(c, factor))
            for a, b, c in warps
        ]
    inputs = [
        face_inputs(
            identity,
            head,
            views=draw_once(identity, target, "views", partial(view_photos, identity)),
            warp=(picture, coverage),
        ).to(device)
        for (identity, target), head, (picture, coverage, _) in zip(subjects, heads, warps, strict=True)
    ]
    recoloured = [torch.tensor(fraction)[None, None].to(device) for _, _, fraction in warps]
    within, parts = share_picture(subjects, regions, height, width, device)
    features = [conditioner.read_faces(each) for each in inputs]
    return EncodedSubjects(
        heads,
        inputs,
        features,
        [
            conditioner(each, features=known, with_warp=with_warp, separate_warp=True)
            for each, known in zip(inputs, features, strict=True)
        ],
        recoloured,
        within,
        parts,
        large_heads,
        large_warps,
    )


def draw_head(identity: Identity, target: Target, height: int, width: int) -> LandmarkImage:
    """Draw a person's head with a target's attributes, in a picture of that size."""
    own = use_own_expressions(target, identity.geometries)
    return LandmarkGenerator.load()(identity.identity, own, height if height == width else (width, height))


def mask_scene(scene: Scene, head: LandmarkImage, device: Device) -> InpaintingMask:
    """Cut a scene's crop as large as a drawn head, and mask what of it is redrawn."""
    picture = _to_tensor(scene.crop(head.image.shape[0])).to(device)
    return InpaintingMask(picture, torch.from_numpy(scene.mask(head))[None, None].to(picture))


def _draw_heads(subjects: Subjects, height: int, width: int) -> list[LandmarkImage]:
    return [
        draw_once(identity, target, (height, width), partial(draw_head, identity, target, height, width))
        for identity, target in subjects
    ]


def _draw_warp(
    identity: Identity, target: Target, head: LandmarkImage, scene: Scene | None
) -> tuple[Array, Array, Array]:
    """Draw a warp, in its scene if any: picture (H, W, 3) in [0, 255], coverage and recoloured (H, W)."""
    if scene is None:
        warp = draw_once(identity, target, head, lambda: draw_warp(identity, head))
        return warp.picture, warp.coverage, warp.dyed
    # A scene puts glasses on itself, in its light, and keeps hair and clothes.
    bare = replace(head, glasses=without_frame(head.glasses), hair=None, clothes=None)
    warp = draw_once(identity, target, (head, "bare"), lambda: draw_warp(identity, bare))
    return *scene.receive_warp(warp.picture, warp.coverage, head), warp.dyed


def _leave_empty(
    _: Identity, _target: Target, head: LandmarkImage, _scene: Scene | None
) -> tuple[Array, Array, Array]:
    """Give what stands for a warp that nothing reads: grey, and covered nowhere."""
    extent = head.image.shape[:2]
    nowhere = np.zeros(extent, np.float32)
    return np.full((*extent, 3), 127.5, np.float32), nowhere, nowhere


def _to_tensor(picture: Array) -> Tensor:
    """Turn a picture (H, W, 3) in [0, 255] into (1, 3, H, W) in [-1, 1]."""
    return torch.from_numpy(np.array(picture, np.float32)).permute(2, 0, 1)[None] / 127.5 - 1
