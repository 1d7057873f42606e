"""Three ways to draw one person many times: the baked head, the warp, and the networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import cv2
import numpy as np

from hifi_portrait.head.arrays import ByteArray
from hifi_portrait.head.numerics import as_whole
from hifi_portrait.landmarks import LandmarkGenerator
from hifi_portrait.person.background import Background, BackgroundLike
from hifi_portrait.person.identity import Identity
from hifi_portrait.person.target import Target
from hifi_portrait.scenery.studio import LightOnPerson, StudioLight
from hifi_portrait.warp.new_light import light_person

if TYPE_CHECKING:
    from hifi_portrait.pipeline.pipeline import HiFiPortraitPipeline

Quality: TypeAlias = Literal["head", "warp", "model"]

QUALITIES: tuple[Quality, ...] = ("head", "warp", "model")
"""Ways to draw, the quickest first."""

Draw: TypeAlias = Callable[[Target], ByteArray]
"""Draws a target as (size, size, 3) uint8 RGB, or (size, size, 4) if the background is transparent."""

_LEAST_TEXELS, _MOST_TEXELS = 512, 2048
"""Side of the textures of baked heads, from small pictures to large ones."""

_LEAST_SIDE, _MOST_SIDE = 16, 8192
"""Of the pictures, in pixels."""

_LIT_SIDE = 192
"""Pixels across the small picture in which the light of a place on a baked head is computed."""

_LOOKS_COMPARED = 48
"""Targets of a long sequence, spread over it, by which its look is chosen."""


def make_drawer(
    quality: Quality,
    identity: Identity,
    size: int,
    *,
    background: BackgroundLike = "photo",
    pipe: HiFiPortraitPipeline | None = None,
    settings: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> Draw:
    """Make what draws a person again and again.

    Parameters
    ----------
    quality
        "head": the photos baked onto the fitted head once, which takes hundredths of a second a picture;
        "warp": the plain warp; "model": the networks, over the warp.
    identity
        The person.
    size
        Side of the square pictures, in pixels; from 16 to 8192.
    background
        What is behind the person; see `Background.of`.
    pipe, settings
        For "model": the pipeline, and further keywords of its call.
    seed
        For "model": of the noise, the same in all pictures.

    Raises
    ------
    ValueError
        The quality is unknown, or "model" and there is no pipeline; or the size is no such whole number.
    """
    behind = Background.of(background)
    side = as_whole(size)
    if side is None or not _LEAST_SIDE <= side <= _MOST_SIDE:
        raise ValueError(
            f"`size` must be a whole number of pixels in [{_LEAST_SIDE}, {_MOST_SIDE}], but is {size!r}"
        )
    size = side
    if quality == "warp":
        return lambda target: identity.warp(target, size, background=behind)
    if quality == "head":
        return _draw_head(identity, size, behind)
    if quality != "model":
        raise ValueError(f"`quality` must be one of {', '.join(QUALITIES)}, but is {quality!r}")
    if pipe is None:
        raise ValueError("`quality` 'model' needs `pipe`, the pipeline that draws")
    return _draw_by_networks(pipe, identity, size, behind, settings or {}, seed)


def choose_look(identity: Identity, targets: Sequence[Target]) -> list[Target]:
    """Give a sequence of targets one look, that of the photo that suits them best, unless they name one."""
    if not targets or any(target.look is not None for target in targets):
        return list(targets)
    places = np.unique(np.linspace(0, len(targets) - 1, min(len(targets), _LOOKS_COMPARED)).astype(int))
    look = identity.best_look([targets[place] for place in places])
    return [target.replace(look=look) for target in targets]


def _draw_head(identity: Identity, size: int, background: Background) -> Draw:
    """Draw by baked heads, one for each look, before the background of the look's photo."""
    from hifi_portrait.baked import BakedHead

    texels = min(_MOST_TEXELS, max(_LEAST_TEXELS, 2 * size))  # as many as the picture shows
    heads: dict[int | None, BakedHead] = {}

    def draw(target: Target) -> ByteArray:
        if target.look not in heads:
            heads[target.look] = BakedHead.bake(
                identity, look="auto" if target.look is None else target.look, texture=texels
            )
        head = heads[target.look]
        behind = cv2.resize(head.behind, (size, size)).astype(np.float32)
        cutout = head.draw(target, size)
        light = None if background.light is None else _light(identity, target, cutout, background.light)
        return background.put_behind(cutout, behind, light)

    return draw


def _light(identity: Identity, target: Target, cutout: ByteArray, light: StudioLight) -> LightOnPerson:
    """Compute what a place's light does to a drawn cut-out (S, S, 4), in a smaller picture."""
    small = min(_LIT_SIDE, len(cutout))
    drawn = LandmarkGenerator.load()(identity.identity, target, small, contours=False)
    alpha = cv2.resize(cutout[..., 3], (small, small), interpolation=cv2.INTER_AREA)
    lit = light_person(drawn, alpha / np.float32(255), light)
    factors = cv2.resize(lit.factors, cutout.shape[:2], interpolation=cv2.INTER_LINEAR)
    return replace(lit, factors=np.asarray(factors, np.float32))


def _draw_by_networks(
    pipe: HiFiPortraitPipeline,
    identity: Identity,
    size: int,
    background: Background,
    settings: Mapping[str, Any],
    seed: int,
) -> Draw:
    def draw(target: Target) -> ByteArray:
        drawn: Any = pipe(
            identity,
            target,
            generator=seed,
            height=size,
            width=size,
            background=background,
            **settings,
        )
        return np.asarray(drawn.images[0])

    return draw
