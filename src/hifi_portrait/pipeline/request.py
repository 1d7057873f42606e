"""One call's inputs, gathered and with nothing left to defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from hifi_portrait.models.regions import Region
from hifi_portrait.person.identity import Identity
from hifi_portrait.person.target import Target
from hifi_portrait.pipeline.options import KEYWORDS, CallSettings
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
    prompts: Mapping[str, Any]
    """Arguments of diffusers' pipeline that are prompts or embeddings of prompts."""
    scene: Scene | None
    """The given picture of which only a face is redrawn."""
    regions: Sequence[Region] | None
    """Which part of the picture is whose."""
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
        count = 1 if isinstance(self.texts, str) else len(self.texts)
        return self.settings.num_images_per_prompt * count

    @property
    def starts_from_warp(self) -> bool:
        """Whether denoising starts from the noised warp; from noise alone otherwise."""
        return self.settings.warp_strength < 1

    @property
    def noise_scale(self) -> float:
        """Fraction of the schedule's noise with which denoising starts."""
        return self.settings.warp_grain if self.starts_from_warp else 1.0

    @property
    def shows_warp(self) -> bool:
        """Whether the finished picture shows the warp where it is sure."""
        return self.starts_from_warp and self.settings.warp_share > 0 and self.output_type != "latent"

    @property
    def is_enlarged(self) -> bool:
        """Whether finished pictures are larger than the networks draw them."""
        return self.settings.upscale > 1 and self.output_type != "latent"

    @property
    def is_finished_here(self) -> bool:
        """Whether anything happens to pictures after diffusers' pipeline has drawn them."""
        redrawn = self.scene is not None and self.output_type != "latent"
        return self.shows_warp or self.is_enlarged or redrawn


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
        raise ValueError(
            f"give as many targets as people: there are {len(identities)} in `identity` and {len(targets)} "
            "in `target`"
        )
    return list(zip(identities, targets, strict=True))


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def make_request(
    subjects: Subjects,
    prompts: Mapping[str, Any],
    settings: CallSettings,
    *,
    scene: Scene | None,
    regions: Sequence[Region] | None,
    generator: torch.Generator | list[torch.Generator] | None,
    callback: Callable[..., Any] | None,
    output_type: str,
    keywords: Mapping[str, Any],
) -> Request:
    """Make a request of a call's arguments.

    Parameters
    ----------
    subjects, settings, scene, regions, generator, callback, output_type
        As a `Request` has them.
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
    given = {"prompt": None} if "prompt_embeds" in embeddings else {}
    return Request(
        subjects=subjects,
        settings=settings,
        prompts={**prompts, **embeddings, **given},
        scene=scene,
        regions=regions,
        generator=generator,
        callback={"callback_on_step_end": callback, **hearing},
        output_type=output_type,
        passed_on={name: value for name, value in others.items() if name not in embeddings},
    )
