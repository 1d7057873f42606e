"""A given picture with one face redrawn: what `HiFiPortraitPipeline.redraw` does around a call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image

from hifi_portrait.person.identity import Identity
from hifi_portrait.person.target import Target
from hifi_portrait.pipeline.encode import draw_head
from hifi_portrait.pipeline.options import SamplingOptions, SizeOptions
from hifi_portrait.pipeline.scene import Scene

_MIN_REDRAWN = 0.05
"""Redrawn fraction of a pixel from which on all of it is taken from what was drawn."""


def square_arguments(arguments: dict[str, Any], default_size: int, default_upscale: int) -> dict[str, Any]:
    """Return the arguments of a redrawing as those of a call, whose pictures are square.

    Raises
    ------
    TypeError
        For arguments that are the scene's.
    """
    for name in ("width", "output_type", "return_dict", "regions"):
        if name in arguments:
            raise TypeError(f"`redraw` takes no argument `{name}`: call the pipeline with a `scene` for it")
    arguments = dict(arguments)
    size = arguments.pop("size", None) or SizeOptions()
    if size.width is not None:
        raise TypeError("`redraw` takes no `width` in `size`: what it draws is square, of the side `height`")
    side = arguments.pop("height", None) or size.height or default_size
    if size.upscale is None and arguments.get("upscale") is None:
        arguments["upscale"] = default_upscale
    return arguments | {"size": replace(size, height=side, width=side)}


def paste_portraits(
    portraits: Sequence[Image.Image],
    identity: Identity,
    target: Target,
    scene: Scene,
    prompt: str | list[str] | None,
    arguments: Mapping[str, Any],
) -> list[Image.Image]:
    """Paste portraits that a call drew into their scene.

    Parameters
    ----------
    portraits
        Of a call with that scene; fewer than requested if it was interrupted.
    identity, target
        The person, and what was requested of them.
    scene
        The picture.
    prompt
        The call's: the glasses that it names are worn.
    arguments
        The call's others.
    """
    sampling = arguments.get("sampling") or SamplingOptions()
    each = arguments.get("num_images_per_prompt", sampling.images_per_prompt)
    texts = prompt if isinstance(prompt, list | tuple) else [prompt if isinstance(prompt, str) else ""]
    side = portraits[0].height
    masks = {}
    for glasses in {target.with_prompt(text).glasses for text in texts}:
        redrawn = scene.mask(draw_head(identity, target.replace(glasses=glasses), side, side))
        # Where little was redrawn the crop holds that little already.
        masks[glasses] = np.minimum(1, redrawn / _MIN_REDRAWN)
    worn = [target.with_prompt(text).glasses for text in texts for _ in range(each)]
    return [
        Image.fromarray(scene.paste(np.asarray(portrait.convert("RGB")), masks[glasses]))
        for portrait, glasses in zip(portraits, worn, strict=False)
    ]
