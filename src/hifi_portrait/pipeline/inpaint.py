"""Keep a part of a picture as it is while diffusers' denoising loop redraws the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.nn import functional as F

AfterStep = Callable[..., dict[str, Any]]


@dataclass
class KeptPicture:
    """A given picture, and how much of each place is redrawn.

    Attributes
    ----------
    picture
        (1, 3, H, W) in [-1, 1].
    redrawn
        (1, 1, H, W) in [0, 1], 1 where nothing is kept.
    """

    picture: Tensor
    redrawn: Tensor

    def onto(self, drawn: Tensor) -> Tensor:
        """Drawn pictures (B, 3, H, W) where they are redrawn, and the given one elsewhere."""
        return self.picture + self.redrawn.to(drawn) * (drawn - self.picture)


@dataclass
class Kept(KeptPicture):
    """The same with the picture's latents, for the denoising loop.

    Attributes
    ----------
    latents
        (1, C, h, w) scaled, of the picture.
    grain
        Share of the schedule's noise that the rest was started with.
    noise
        (B, C, h, w) that the call under way starts from; known once it has begun.
    """

    latents: Tensor
    grain: float
    noise: Tensor | None = None

    def restored(self, latents: Tensor, scheduler: Any, timestep: Tensor | None) -> Tensor:
        """Latents (B, C, h, w) with what is kept as it is at a timestep; clean at None."""
        kept = self.latents.to(latents).expand_as(latents)
        if timestep is not None and self.noise is not None:
            noise = self.grain * self.noise.to(latents)
            kept = scheduler.add_noise(kept, noise, timestep.reshape(1).repeat(len(latents)))
        share = F.adaptive_avg_pool2d(self.redrawn.to(latents), (latents.shape[-2], latents.shape[-1]))
        return kept + share * (latents - kept)

    def after_step(
        self, asked: AfterStep | None, heard: Sequence[str], timesteps: Callable[[], Tensor]
    ) -> AfterStep:
        """A callback for diffusers' loop that restores what is kept, after the one ``asked`` for.

        ``heard`` names the tensors which that one is to get.
        """

        def restore(pipe: Any, step: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            wanted = {name: tensors[name] for name in heard}
            changed = asked(pipe, step, timestep, wanted) if asked else {}
            to_come = timesteps()[step + 1 :]
            following = to_come[0] if len(to_come) else None
            latents = changed.get("latents", tensors["latents"])
            return changed | {"latents": self.restored(latents, pipe.scheduler, following)}

        return restore
