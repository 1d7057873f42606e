"""One call's inputs, gathered and with nothing left to defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from hifi_portrait.errors import ArgumentError
from hifi_portrait.head.numerics import as_whole
from hifi_portrait.models.regions import Region
from hifi_portrait.person.background import Background, BackgroundLike
from hifi_portrait.person.identity import Identity
from hifi_portrait.person.target import Target
from hifi_portrait.pipeline.options import FAITHFUL, KEYWORDS, CallSettings
from hifi_portrait.pipeline.scene import Scene

Subjects = Sequence[tuple[Identity, Target]]
"""Each person of a picture with what they show in it."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Request:
    """What one call asks for."""

    subjects: Subjects
    """The people of the picture, each with a target."""
    settings: CallSettings
    """The options, settled."""
    given: frozenset[str]
    """Keywords of options that the call itself gives."""
    prompts: Mapping[str, Any]
    """Arguments of diffusers' pipeline that are prompts or embeddings of prompts."""
    scene: Scene | None
    """The given picture of which only a face is redrawn."""
    regions: Sequence[Region] | None
    """Which part of the picture is whose."""
    background: Background
    """What is behind the person."""
    light: str
    """"photo", or one of `LIGHT_NAMES`: what falls on the person."""
    style: str
    """"photo", or one of `STYLES`, into which finished pictures are turned."""
    generator: torch.Generator | list[torch.Generator] | None
    """The source of noise, one or one a picture."""
    callback: Mapping[str, Any]
    """diffusers' two arguments about a callback after each step."""
    output_type: str
    """What pictures are returned as: `pil`, `np`, `pt` or `latent`."""
    passed_on: Mapping[str, Any]
    """Any other arguments of diffusers' pipeline."""

    @property
    def texts(self) -> Any:
        """The prompts, or their embeddings where those are given."""
        return self.prompts.get("prompt_embeds", self.prompts.get("prompt"))

    @property
    def copies(self) -> int:
        """How many pictures one draw has."""
        count = 1 if self.texts is None or isinstance(self.texts, str) else len(self.texts)
        return self.settings.num_images_per_prompt * count

    @property
    def starts_from_warp(self) -> bool:
        """Whether denoising starts from the noised warp; from noise alone otherwise."""
        return self.settings.start == FAITHFUL

    @property
    def noise_scale(self) -> float:
        """Fraction of the schedule's noise with which denoising starts."""
        return self.settings.warp_grain if self.starts_from_warp else 1.0

    @property
    def shows_warp(self) -> bool:
        """Whether the finished picture shows the warp where it is sure."""
        return self.starts_from_warp and self.settings.warp_share > 0 and self.output_type != "latent"

    @property
    def reads_warp(self) -> bool:
        """Whether anything but HiFi-Net reads the warp: the start, the finished picture or its detail."""
        return self.starts_from_warp or self.is_enlarged or self.scene is not None

    @property
    def is_enlarged(self) -> bool:
        """Whether finished pictures are larger than the networks draw them."""
        return self.settings.upscale > 1 and self.output_type != "latent"

    @property
    def changes_surroundings(self) -> bool:
        """Whether the person gets another background or another light."""
        return self.background.kind != "photo" or self.light != "photo"

    @property
    def is_finished_here(self) -> bool:
        """Whether anything happens to pictures after diffusers' pipeline has drawn them."""
        changed = self.scene is not None or self.changes_surroundings or self.style != "photo"
        return self.shows_warp or self.is_enlarged or (changed and self.output_type != "latent")


def pair_subjects(
    identity: Identity | Sequence[Identity], target: Target | Sequence[Target]
) -> list[tuple[Identity, Target]]:
    """Pair each person with their own target.

    Raises
    ------
    ValueError
        If there is nobody, or there are not as many targets as people.
    """
    identities: list[Identity] = _as_list(identity)
    targets: list[Target] = _as_list(target)
    if not identities or len(identities) != len(targets):
        raise ArgumentError(
            f"give as many targets as people: there are {len(identities)} in `identity` and {len(targets)} "
            "in `target`"
        )
    return list(zip(identities, targets, strict=True))


MAX_SEED = 2**64 - 1


def read_generator(generator: Any, pictures: int) -> torch.Generator | list[torch.Generator] | None:
    """Read a source of noise: generators, or seeds of some.

    Parameters
    ----------
    generator
        A generator or a seed, a list or tuple of these with one a picture, or None.
    pictures
        How many pictures a call draws.

    Raises
    ------
    TypeError, ValueError
        If it is something else, a seed is out of range, or there are not as many as pictures.
    """
    if generator is None or isinstance(generator, torch.Generator):
        return generator
    if isinstance(generator, list | tuple):
        if len(generator) != pictures:
            raise ArgumentError(
                f"`generator` must be one, or {pictures}, one a picture, but are {len(generator)}"
            )
        return [_read_one_generator(each) for each in generator]
    return _read_one_generator(generator)


def _read_one_generator(generator: Any) -> torch.Generator:
    if isinstance(generator, torch.Generator):
        return generator
    seed = as_whole(generator)
    if seed is None:
        raise TypeError(f"`generator` must be a torch.Generator or a seed, but is {generator!r}")
    if not 0 <= seed <= MAX_SEED:
        raise ArgumentError(f"`generator`: a seed must be in [0, {MAX_SEED}], but is {seed}")
    return torch.Generator().manual_seed(seed)


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def make_request(
    subjects: Subjects,
    prompts: Mapping[str, Any],
    settings: CallSettings,
    *,
    given: frozenset[str],
    scene: Scene | None,
    regions: Sequence[Region] | None,
    background: BackgroundLike,
    light: str,
    style: str,
    generator: Any,
    callback: Callable[..., Any] | None,
    output_type: str,
    keywords: Mapping[str, Any],
) -> Request:
    """Make a request of a call's arguments.

    Parameters
    ----------
    subjects, settings, given, scene, regions, light, style, callback, output_type
        As a `Request` has them.
    background
        As `Background.of` takes it.
    generator
        As `read_generator` takes it.
    prompts
        `prompt` and `negative_prompt`.
    keywords
        The call's others, checked to be known: those of `KEYWORDS`, which are in ``settings``, and those of
        diffusers' pipeline.
    """
    others = {name: value for name, value in keywords.items() if name not in KEYWORDS}
    tensors = others.pop("callback_on_step_end_tensor_inputs", None)
    hearing = {} if tensors is None else {"callback_on_step_end_tensor_inputs": tensors}
    embeddings = {name: value for name, value in others.items() if "prompt" in name}
    embedded = "prompt_embeds" in embeddings
    instead: dict[str, Any] = {"prompt": None} if embedded else {}
    if not embedded and prompts.get("prompt") is None:
        instead = {"prompt": ""}
    request = Request(
        subjects=subjects,
        settings=settings,
        given=given,
        prompts={
            name: list(value) if isinstance(value, tuple) else value
            for name, value in {**prompts, **embeddings, **instead}.items()
        },
        scene=scene,
        regions=regions,
        background=Background.of(background),
        light=light,
        style=style,
        generator=None,
        callback={"callback_on_step_end": callback, **hearing},
        output_type=output_type,
        passed_on={name: value for name, value in others.items() if name not in embeddings},
    )
    many = isinstance(generator, list | tuple)
    return replace(request, generator=read_generator(generator, request.copies if many else 1))
