"""The options of a call of the pipeline, in five groups.

Each value can be given in its group, `warp=WarpOptions(strength=0.3)`, or by a keyword of its own,
`warp_strength=0.3`. `KEYWORDS` is the table from one to the other. Where both are given, the keyword counts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hifi_portrait.errors import ArgumentError
from hifi_portrait.head.numerics import as_number, as_whole
from hifi_portrait.models.guides import Guide


@dataclass(frozen=True, kw_only=True)
class SizeOptions:
    """How large the networks draw, and how large finished pictures are."""

    height: int | None = None
    """Height in pixels of the finished picture, a multiple of 16 for an eight-fold autoencoder; with
    `upscale`, that at which the networks draw. The model's own size if None. Keyword `height`."""
    width: int | None = None
    """Width in pixels, as for `height`. Keyword `width`."""
    upscale: int | None = None
    """How many times as high and wide as drawn the finished pictures are. If None, the model's own
    `default_upscale`; where height or width are given and the model enlarges its pictures, the number that
    lets it draw near its own size. Keyword `upscale`."""


@dataclass(frozen=True, kw_only=True)
class SamplingOptions:
    """How the denoising loop samples, in diffusers' sense."""

    steps: int | None = None
    """Denoising steps; the model's own `default_steps` if None. Keyword `num_inference_steps`."""
    guidance: float | None = None
    """Scale of classifier-free guidance, which strengthens prompt and faces together; 1 does without it. The
    model's own `default_guidance` if None. Keyword `guidance_scale`."""
    face_guidance: float | None = None
    """Scale of guidance by faces, warp and guides alone, 0 or more; `guidance` then is that by the prompt. It
    costs one more half of the UNet at each step, and needs a `guidance` above 1. None guides by both
    together. Keyword `face_guidance_scale`."""
    guidance_rescale: float = 0.0
    """Fraction, in [0, 1], by which guided predictions are brought back to the spread of unguided ones
    (arXiv 2305.08891, section 3.4). Keyword `guidance_rescale`."""
    images_per_prompt: int = 1
    """Pictures drawn of each prompt. Keyword `num_images_per_prompt`."""


@dataclass(frozen=True, kw_only=True)
class SteeringOptions:
    """What steers the base model, and how strongly."""

    hifi_scale: float = 1.0
    """Strength, 0 or more, of HiFi-Net's residuals; 0 leaves the base model as it is. Keyword
    `hifi_scale`."""
    hifi_every: int = 1
    """Run HiFi-Net at every so-many-th step only and reuse its residuals for the steps between: 2 saves about
    half of its cost. Keyword `hifi_every`."""
    face_scale: float = 1.0
    """Strength, 0 or more, of the UNet's own attention to faces. Keyword `face_scale`."""
    guides: Sequence[Guide] = ()
    """ControlNets and T2I-Adapters that steer the picture, too. Keyword `guides`."""


@dataclass(frozen=True, kw_only=True)
class WarpOptions:
    """What a portrait takes from the plain warp of the references."""

    start: str | None = None
    """"faithful": from the warp, so that light, clothes and place are those of the photos; "imagined": from
    noise, so that they are the model's and the prompt's. With "imagined" the model's `default_imagined_steps`
    and `default_imagined_guidance` count. The model's own way if None, as its `default_warp_strength` says.
    Keyword `start`."""
    strength: float | None = None
    """1 starts from noise. A number in (0, 1) starts from the plain warp, noised that far, as image-to-image
    does, and takes that fraction of the steps: small values stay close to the warp. With `timesteps` or
    `sigmas` of one's own it is noised to the first of these, and all of them are taken. The model's own
    `default_warp_strength` if None. Keyword `warp_strength`."""
    noise_scale: float | None = None
    """Fraction, in [0, 1], of the schedule's noise that a start from the warp adds to it: with 0 nothing of
    the warp is lost to noise and every seed gives the same picture; 1 is plain image-to-image. The model's
    own `default_warp_grain` if None. Keyword `warp_grain`."""
    until: float = 0.0
    """Place in the noise schedule, as a fraction in [0, 1), at which the warp has ceased to guide HiFi-Net.
    It guides in full at the noisiest timestep, and less from there on: composition and pose come from it, a
    prompt's style from the base model. 0 guides in full throughout. Keyword `warp_until`."""
    fraction: float = 1.0
    """How much of the plain warp, in [0, 1], a portrait that starts from it shows where the warp is sure: off
    the outline of the head, and where references see the person. 0 gives the networks' own picture. Keyword
    `warp_share`."""


@dataclass(frozen=True, kw_only=True)
class PromptOptions:
    """How prompts change a portrait that starts from the warp.

    Their changes are found by drawing with the prompt and without it, and are added to the picture.
    """

    scale: float | None = None
    """How much of the changes is added, 0 or more; above 1 exaggerates them, and at 0 the networks read only
    what the warp shows already. The model's own `default_prompt_scale` if None. Keyword `prompt_scale`."""
    rounds: int = 2
    """How often changes are found and added, each time in the picture so far: a small network goes a part of
    the way at a time. Every round draws twice. Keyword `prompt_rounds`."""


GROUPS: Mapping[str, type] = {
    "size": SizeOptions,
    "sampling": SamplingOptions,
    "steering": SteeringOptions,
    "warp": WarpOptions,
    "prompting": PromptOptions,
}
"""Parameter of a call -> the group that it takes."""

KEYWORDS: Mapping[str, tuple[str, str]] = {
    "height": ("size", "height"),
    "width": ("size", "width"),
    "upscale": ("size", "upscale"),
    "num_inference_steps": ("sampling", "steps"),
    "guidance_scale": ("sampling", "guidance"),
    "face_guidance_scale": ("sampling", "face_guidance"),
    "guidance_rescale": ("sampling", "guidance_rescale"),
    "num_images_per_prompt": ("sampling", "images_per_prompt"),
    "hifi_scale": ("steering", "hifi_scale"),
    "hifi_every": ("steering", "hifi_every"),
    "face_scale": ("steering", "face_scale"),
    "guides": ("steering", "guides"),
    "start": ("warp", "start"),
    "warp_strength": ("warp", "strength"),
    "warp_grain": ("warp", "noise_scale"),
    "warp_until": ("warp", "until"),
    "warp_share": ("warp", "fraction"),
    "prompt_scale": ("prompting", "scale"),
    "prompt_rounds": ("prompting", "rounds"),
}
"""Keyword of a call -> group and field that it stands for."""


@dataclass(frozen=True, kw_only=True)
class CallSettings:
    """All options of a call, with nothing left to defaults. Fields are named as the keywords."""

    height: int
    width: int
    upscale: int
    num_inference_steps: int
    guidance_scale: float
    face_guidance_scale: float | None
    guidance_rescale: float
    num_images_per_prompt: int
    hifi_scale: float
    hifi_every: int
    face_scale: float
    guides: Sequence[Guide]
    start: str
    warp_strength: float
    warp_grain: float
    warp_until: float
    warp_share: float
    prompt_scale: float
    prompt_rounds: int


WITH_DEFAULTS: Mapping[str, str] = {
    "num_inference_steps": "default_steps",
    "guidance_scale": "default_guidance",
    "warp_strength": "default_warp_strength",
    "warp_grain": "default_warp_grain",
    "upscale": "default_upscale",
    "prompt_scale": "default_prompt_scale",
}
"""Keyword of a call -> entry of the pipeline's config that is its default."""


FAITHFUL, IMAGINED = "faithful", "imagined"
STARTS = (FAITHFUL, IMAGINED)
"""Ways to start: from the warp, or from noise."""

_USUAL_STRENGTH = 0.5
"""Strength of a faithful start with a model that starts from noise by itself."""

_IMAGINED_DEFAULTS: Mapping[str, str] = {
    "num_inference_steps": "default_imagined_steps",
    "guidance_scale": "default_imagined_guidance",
}
"""Keyword of a call -> entry of the pipeline's config that is its default with the start "imagined", where
the model starts from the warp by itself."""


def fill_defaults(values: Mapping[str, Any], config: Any, start: str | None = None) -> dict[str, Any]:
    """Replace what is None by the model's default.

    Parameters
    ----------
    values
        By keyword of a call.
    config
        The pipeline's.
    start
        One of `STARTS`; None for the model's own way.

    Raises
    ------
    ValueError
        It is neither, or a start from noise is to be from the warp as well.
    """
    if start is not None and not (isinstance(start, str) and start in STARTS):
        raise ArgumentError(f"`start` must be 'faithful' or 'imagined', but is {start!r:.80}")
    own = config["default_warp_strength"]
    entries, fixed = dict(WITH_DEFAULTS), dict[str, float]()
    if start == IMAGINED:
        given = values.get("warp_strength")
        if given is not None and given < 1:
            raise ArgumentError(
                f"`start` 'imagined' begins at noise, `warp_strength` {given} at the warp: leave one out"
            )
        fixed = {"warp_strength": 1.0, "warp_grain": 1.0}
        entries |= _IMAGINED_DEFAULTS if own < 1 else {}
    elif start == FAITHFUL:
        if values.get("warp_strength") == 1:
            raise ArgumentError(
                "`start` 'faithful' begins at the warp, `warp_strength` 1 at noise: leave one out"
            )
        fixed = {"warp_strength": _USUAL_STRENGTH} if own == 1 else {}
    return {
        keyword: fixed.get(keyword, config[entries[keyword]] if keyword in entries else None)
        if value is None
        else value
        for keyword, value in values.items()
    }


def settle(
    groups: Sequence[Any], keywords: Mapping[str, Any], config: Any, size: int, step: int = 1
) -> CallSettings:
    """Join groups, keywords and the model's defaults.

    Parameters
    ----------
    groups
        One of each of `GROUPS`, in that order; None for one of defaults.
    keywords
        Those of `KEYWORDS`, which count where a group has another value; others are left alone.
    config
        The pipeline's, which holds the model's defaults.
    size
        Side in pixels of the model's own pictures.
    step
        What height and width must be multiples of, in pixels.

    Raises
    ------
    TypeError, ValueError
        If a group is of another kind, or a number is none.
    """
    values = read_numbers(_join(groups, keywords))
    settled = fill_defaults(values, config, values["start"])
    settled["start"] = IMAGINED if settled["warp_strength"] == 1 else FAITHFUL
    given_size = values["height"] or values["width"]
    if given_size and values["upscale"] is None and settled["upscale"] > 1:
        settled |= _reduce_size(values["height"], values["width"], size, settled["upscale"], step)
    settled["height"], settled["width"] = settled["height"] or size, settled["width"] or size
    return CallSettings(**settled)


def find_given(groups: Sequence[Any], keywords: Mapping[str, Any], config: Any) -> frozenset[str]:
    """Find the keywords of `KEYWORDS` that a call gives another value than they have by themselves.

    Arguments are as of `settle`, and checked by it.
    """
    values, usual = _join(groups, keywords), _join([None] * len(GROUPS), {})
    known = [usual, *(fill_defaults(usual, config, start) for start in (None, *STARTS))]
    return frozenset(
        keyword for keyword, value in values.items() if all(value != each[keyword] for each in known)
    )


def _join(groups: Sequence[Any], keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Give the value of each of `KEYWORDS`: the keyword's, or else its group's."""
    given = {}
    for (name, kind), group in zip(GROUPS.items(), groups, strict=True):
        if not isinstance(group, kind | None):
            raise TypeError(f"`{name}` must be of kind {kind.__name__}, but is {type(group)}")
        given[name] = kind() if group is None else group
    return {
        keyword: keywords[keyword] if keyword in keywords else getattr(given[group], field)
        for keyword, (group, field) in KEYWORDS.items()
    }


def _reduce_size(height: int | None, width: int | None, size: int, upscale: int, step: int) -> dict[str, int]:
    """Find what the networks draw of a finished picture of that size, for a model that enlarges by itself."""
    height, width = height or size * upscale, width or size * upscale
    factor = choose_upscale(height, width, size, step)
    return {"height": height // factor, "width": width // factor, "upscale": factor}


_COUNTS = (
    *("height", "width", "upscale", "num_inference_steps", "num_images_per_prompt"),
    *("hifi_every", "prompt_rounds"),
)
"""Keywords whose values are whole numbers of 1 or more."""

_MAY_BE_NONE = ("height", "width", "face_guidance_scale")

_MOST_STEPS = 10_000
_LARGEST_UPSCALE = 16
LARGEST_SIDE = 16_384


def read_numbers(values: Mapping[str, Any]) -> dict[str, Any]:
    """Read a call's numbers, of Python, NumPy or torch, as Python's own.

    Parameters
    ----------
    values
        By keyword of a call; what is None or no number by its nature, such as `guides`, stays as it is.

    Raises
    ------
    ValueError
        If one is no finite number, or no whole number of 1 or more where it counts something; the message
        names it.
    """
    numbers = dict(values)
    for name, value in values.items():
        if name in ("guides", "start") or (value is None and name in (*WITH_DEFAULTS, *_MAY_BE_NONE)):
            continue
        if name in _COUNTS:
            whole = as_whole(value)
            if whole is None or whole < 1:
                raise ArgumentError(f"`{name}` must be a whole number of 1 or more, but is {value!r}")
            numbers[name] = whole
        else:
            number = as_number(value)
            if number is None:
                raise ArgumentError(f"`{name}` must be a number of 0 or more, but is {value!r}")
            numbers[name] = number
    for name, limit in (
        *(("num_inference_steps", _MOST_STEPS), ("upscale", _LARGEST_UPSCALE)),
        *(("height", LARGEST_SIDE), ("width", LARGEST_SIDE), ("num_images_per_prompt", 1000)),
    ):
        if (numbers[name] or 0) > limit:
            raise ArgumentError(f"`{name}` must be {limit} or less, but is {numbers[name]}")
    return numbers


def choose_upscale(height: int, width: int, side: int, step: int) -> int:
    """Choose how many times smaller than the finished picture the networks draw it.

    Parameters
    ----------
    height, width
        Of the finished picture, in pixels.
    side
        Of the pictures that the networks were trained for.
    step
        What the height and width that they draw must be multiples of.

    Returns
    -------
    int
        1 where the picture cannot be drawn smaller.
    """
    fitting = [
        factor for factor in range(1, 9) if height % (factor * step) == 0 and width % (factor * step) == 0
    ]
    return min(fitting, default=1, key=lambda factor: abs(math.log(min(height, width) / factor / side)))
