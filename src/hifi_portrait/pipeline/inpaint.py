"""Keep a part of a picture as it is while diffusers' denoising loop redraws the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.nn import functional as F

AfterStep = Callable[..., dict[str, Any]]
"""A callback after each step, as diffusers' pipelines call it: pipeline, step, timestep, tensors."""


@dataclass
class InpaintingMask:
    """A given picture, and how much of each place is redrawn."""

    picture: Tensor
    """(1, 3, H, W) in [-1, 1]."""
    redrawn: Tensor
    """(1, 1, H, W) in [0, 1], 1 where nothing of the picture is kept."""

    def paste(self, drawn: Tensor) -> Tensor:
        """Paste what is redrawn of pictures (B, 3, H, W) into the given one."""
        return self.picture + self.redrawn.to(drawn) * (drawn - self.picture)


@dataclass
class LatentInpainting(InpaintingMask):
    """The same with the picture's latents, which are blended into those of the denoising loop."""

    latents: Tensor
    """(1, C, h, w) scaled, of the picture."""
    noise_scale: float
    """Fraction of the schedule's noise with which the rest starts."""
    noise: Tensor | None = None
    """(B, C, h, w) from which the loop starts; known once it has begun."""

    def blend(self, latents: Tensor, scheduler: Any, timestep: Tensor | None) -> Tensor:
        """Blend the picture's latents, as noisy as at a timestep, into those of the loop.

        Parameters
        ----------
        latents
            (B, C, h, w) of the loop.
        scheduler
            That adds the noise.
        timestep
            Of the step to come; None after the last one, where latents are clean.
        """
        given = self.latents.to(latents).expand_as(latents)
        if timestep is not None and self.noise is not None:
            noise = self.noise_scale * self.noise.to(latents)
            given = scheduler.add_noise(given, noise, timestep.reshape(1).repeat(len(latents)))
        redrawn = F.adaptive_avg_pool2d(self.redrawn.to(latents), (latents.shape[-2], latents.shape[-1]))
        return given + redrawn * (latents - given)

    def make_callback(
        self, callback: AfterStep | None, tensors: Sequence[str], timesteps: Callable[[], Tensor]
    ) -> AfterStep:
        """Make a callback for diffusers' loop that blends after each step.

        Parameters
        ----------
        callback
            The user's own, which is called first.
        tensors
            Names of the tensors that the user's own is to get.
        timesteps
            Gives those that the loop takes.
        """

        def blend_after_step(pipe: Any, step: int, timestep: Any, values: dict[str, Any]) -> dict[str, Any]:
            requested = {name: values[name] for name in tensors}
            changed = callback(pipe, step, timestep, requested) if callback else {}
            to_come = timesteps()[step + 1 :]
            following = to_come[0] if len(to_come) else None
            latents = changed.get("latents", values["latents"])
            return changed | {"latents": self.blend(latents, pipe.scheduler, following)}

        return blend_after_step
