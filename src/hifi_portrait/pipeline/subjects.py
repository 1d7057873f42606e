"""Everybody in a picture, as the networks read them: one person, or several with a part of it each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from hifi_portrait.models.conditioning import Conditioning, FaceInputs
from hifi_portrait.models.hifi_condition import HiFiCondition, SharedPicture
from hifi_portrait.models.regions import Region, Regions
from hifi_portrait.person.identity import Identity
from hifi_portrait.person.target import Target
from hifi_portrait.pipeline.composite import on_warp, person_in
from hifi_portrait.pipeline.detail import with_detail
from hifi_portrait.pipeline.prompt_delta import with_change


@dataclass(frozen=True, eq=False)
class Cast:
    """The people of a picture.

    Attributes
    ----------
    inputs, conditionings
        Of each person.
    dyed
        Where each person's warp (1, 1, H, W) shows hair and clothes in colours that prompts name, in [0, 1]:
        the networks change nothing there.
    regions
        Within which each is drawn; None for one person, whose is all.
    parts
        All of the picture, each place somebody's: whose warp is seen there. None for one person.
    sharp
        Each person's warp (1, 3, F H, F W) in [-1, 1], as large as finished pictures, if they are to be
        larger than the networks draw them.
    """

    inputs: Sequence[FaceInputs]
    conditionings: Sequence[Conditioning]
    dyed: Sequence[Tensor]
    regions: Regions | None = None
    parts: Regions | None = None
    sharp: Sequence[Tensor] = ()

    @property
    def reads_nobody(self) -> bool:
        """Whether the unconditional half of guidance reads tokens too, those of nobody."""
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
        return self._joined([each.warp_latents for each in self.conditionings])

    def hifi(self, copies: int) -> HiFiCondition | SharedPicture:
        """HiFi-Net's condition for so many pictures."""
        each = [conditioning.hifi.expand(copies) for conditioning in self.conditionings]
        return each[0] if self.regions is None else SharedPicture(each, self.regions)

    def prior_mean(self, copies: int) -> Tensor | None:
        """Mean (copies, C, h, w) of the clean latents as far as the warps tell; None without a prior."""
        means = [conditioning.hifi.prior_mean for conditioning in self.conditionings]
        known = [mean.float() for mean in means if mean is not None]
        if not known:
            return None
        mean = self._joined(known)
        return mean.repeat_interleave(copies // len(mean), dim=0)

    def on_warp(self, pictures: Tensor, unprompted: Tensor, share: float, prompt_scale: float) -> Tensor:
        """Pictures (B, 3, H, W) in [-1, 1]: each person's own; see :func:`warp_composite.on_warp`."""
        scales = [prompt_scale * (1 - dyed) for dyed in self.dyed]
        return self._joined(
            [
                on_warp(pictures, unprompted, inputs, share, scale)
                for inputs, scale in zip(self.inputs, scales, strict=True)
            ]
        )

    def changed(self, pictures: Tensor, prompted: Tensor, unprompted: Tensor, prompt_scale: float) -> Tensor:
        """Pictures (B, 3, H, W) in [-1, 1] with what prompts change in draws of them, both in [0, 1]."""
        both = 2 * prompted.float() - 1, 2 * unprompted.float() - 1
        changes = [
            with_change(pictures, *both, person_in(inputs), prompt_scale * (1 - dyed))
            for inputs, dyed in zip(self.inputs, self.dyed, strict=True)
        ]
        return self._joined(changes).clamp(-1, 1)

    def with_detail(self, pictures: Tensor, share: float) -> Tensor:
        """Pictures (B, 3, H, W) in [-1, 1] as large as ``sharp``; see :func:`warp_detail.with_detail`."""
        larger = [
            with_detail(pictures, inputs.warp, sharp, share)
            for inputs, sharp in zip(self.inputs, self.sharp, strict=True)
        ]
        return self._joined(larger)

    def _joined(self, values: Sequence[Tensor]) -> Tensor:
        return values[0] if self.parts is None else self.parts.blend(values)


def paired(
    identity: Identity | Sequence[Identity], target: Target | Sequence[Target]
) -> list[tuple[Identity, Target]]:
    """Each person with the own target.

    Raises
    ------
    ValueError
        There is nobody, or there are not as many targets as people.
    """
    identities: list[Identity] = _listed(identity)
    targets: list[Target] = _listed(target)
    if not identities or len(identities) != len(targets):
        raise ValueError(
            f"give as many targets as people: there are {len(identities)} in `identity` and {len(targets)} "
            "in `target`"
        )
    return list(zip(identities, targets, strict=True))


def common(people: Sequence[tuple[Identity, Target]], *attributes: str) -> list[Any]:
    """Attributes of all people's targets; None for one in which they differ."""
    values = [{getattr(target, name) for _, target in people} for name in attributes]
    return [each.pop() if len(each) == 1 else None for each in values]


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def regions_of(
    people: Sequence[tuple[Identity, Target]],
    regions: Sequence[Region] | None,
    height: int,
    width: int,
    device: torch.device | str,
) -> tuple[Regions | None, Regions | None]:
    """A cast's ``regions`` and ``parts``.

    Raises
    ------
    ValueError
        There are not as many regions as people, or one is none.
    """
    if regions is not None:
        if len(regions) != len(people):
            raise ValueError(f"`regions` must be {len(people)}, one a person, but are {len(regions)}")
    elif len(people) == 1:
        return None, None
    heads = [(target.framing.scale, target.framing.x, target.framing.y) for _, target in people]
    parts = Regions.around(heads, height, width)
    if regions is None:
        return parts.to(device), parts.to(device)
    within = Regions.given(regions, height, width)
    return within.to(device), within.filled(parts).to(device)
