"""Drawing in few steps, learnt from a teacher: progressive distillation (arXiv 2202.00512, section 3).

The teacher is what the networks were at the start of the run. From a noised photo it takes several of its
many steps, with guidance. The networks learn the clean picture that a single step has to see, without
guidance, in order to arrive at the same place. So they draw in few steps what the teacher draws in many, by
the same sampler.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from hifi_portrait.models.conditioning import Conditioning
from hifi_portrait.training.data.text import TextEmbeddings
from hifi_portrait.training.objectives.diffusion import clean_from_velocity, step_by_ddim
from hifi_portrait.training.objectives.hifi.denoiser import Denoiser


@dataclass(frozen=True)
class Teacher:
    """The networks as they were, and how they draw."""

    denoiser: Denoiser
    """The networks, frozen."""

    steps: int
    """Steps in which they draw, evenly over the schedule's timesteps."""

    at_once: int
    """How many of these a learner takes at once, 2 or more."""

    guidance: float
    """Guidance scale with which they draw, 1 for none."""

    def numbers(self, timesteps: Tensor) -> Tensor:
        """Tell which of the teacher's steps (B,) is at or next above timesteps (B,); its last one is 1."""
        return (((timesteps + 1) * self.steps + self._total - 1) // self._total).clamp(1, self.steps)

    def timesteps(self, numbers: Tensor) -> Tensor:
        """Give the timesteps (B,) of the teacher's steps of those numbers; of 0, where all is clean, -1."""
        return numbers * self._total // self.steps - 1

    @torch.no_grad()
    def clean(
        self, noisy: Tensor, timesteps: Tensor, text: TextEmbeddings, condition: Conditioning
    ) -> Tensor:
        """Give the clean latents (B, C, h, w) of which one step of DDIM leads as far as the teacher comes.

        Parameters
        ----------
        noisy
            (B, C, h, w) latents to start from.
        timesteps
            (B,) timesteps of the teacher's steps.
        text, condition
            What the networks read.
        """
        self.denoiser.to(noisy.device)
        numbers, latents = self.numbers(timesteps), noisy
        for _ in range(self.at_once):
            latents = self._step(latents, numbers, text, condition)
            numbers = (numbers - 1).clamp(min=0)
        here, there = self._alphas(timesteps), self._alphas(self.timesteps(numbers))
        shrunk = ((1 - there) / (1 - here)).sqrt()  # what the step leaves of the noise
        return (latents - shrunk * noisy) / (there.sqrt() - shrunk * here.sqrt())

    def _step(
        self, latents: Tensor, numbers: Tensor, text: TextEmbeddings, condition: Conditioning
    ) -> Tensor:
        """Take the teacher's steps of those numbers (B,), by DDIM; latents of number 0 are clean and stay."""
        timesteps = self.timesteps(numbers).clamp(min=0)
        everyone = torch.ones(len(latents), dtype=torch.bool, device=latents.device)
        velocity = self.denoiser(latents, timesteps, text, condition, ~everyone)
        if self.guidance != 1:
            plain = self.denoiser(latents, timesteps, text, condition, everyone)
            velocity = plain + self.guidance * (velocity - plain)
        alphas = self.denoiser.alphas_cumprod.to(latents.device)
        clean = clean_from_velocity(latents, velocity, alphas, timesteps)
        following = self.timesteps((numbers - 1).clamp(min=0))
        after = step_by_ddim(latents, clean, self._alphas(timesteps), self._alphas(following))
        return torch.where((numbers > 0).view(-1, 1, 1, 1), after, latents)

    def _alphas(self, timesteps: Tensor) -> Tensor:
        """Give the schedule's cumulative alphas (B, 1, 1, 1) at timesteps (B,); 1 below 0."""
        alphas = self.denoiser.alphas_cumprod.to(timesteps.device)
        return torch.where(timesteps < 0, 1.0, alphas[timesteps.clamp(min=0)]).view(-1, 1, 1, 1)

    @property
    def _total(self) -> int:
        return len(self.denoiser.alphas_cumprod)
