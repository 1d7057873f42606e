"""Start denoising from the noised warp instead of from noise, with any of diffusers' schedulers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any

from torch import Tensor


def steps_taken(steps: int, warp_strength: float) -> int:
    """How many of the schedule's steps a start from the warp leaves: at least one."""
    return max(1, round(steps * warp_strength))


@dataclass
class WarpStart:
    """A start from given latents, part of the way down the noise schedule, for any diffusers scheduler."""

    latents: Tensor
    strength: float
    grain: float = 1.0  # share of the schedule's noise that is added
    timesteps: Tensor | None = None  # the whole schedule
    skipped: int = 0

    def taken(self) -> Tensor:
        """The timesteps that the call takes."""
        assert self.timesteps is not None
        return self.timesteps[self.skipped :]

    @contextmanager
    def shortening(self, scheduler: Any) -> Iterator[None]:
        """Within this context `scheduler.set_timesteps` leaves the first steps out."""
        original = scheduler.set_timesteps

        @wraps(original)
        def set_timesteps(*args: Any, **kwargs: Any) -> None:
            original(*args, **kwargs)
            self.timesteps = scheduler.timesteps
            order = scheduler.order
            steps = len(scheduler.timesteps) // order
            self.skipped = (steps - steps_taken(steps, self.strength)) * order
            scheduler.timesteps = scheduler.timesteps[self.skipped :]

        scheduler.set_timesteps = set_timesteps
        try:
            yield
        finally:
            del scheduler.set_timesteps

    def noised(self, scheduler: Any, noise: Tensor) -> Tensor:
        """The latents with `grain` times `noise` (B, C, h, w) of the first step that is taken."""
        assert self.timesteps is not None
        # The loop has its shortened copy; the scheduler itself counts its steps in the whole schedule.
        scheduler.timesteps = self.timesteps
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(self.skipped)
        first = self.timesteps[self.skipped : self.skipped + 1].repeat(len(noise))
        latents = self.latents.repeat_interleave(len(noise) // len(self.latents), dim=0).to(noise)
        return scheduler.add_noise(latents, self.grain * noise, first)
