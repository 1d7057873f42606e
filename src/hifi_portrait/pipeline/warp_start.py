"""Start denoising from the noised warp instead of from noise, with any of diffusers' schedulers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any

from torch import Tensor


def steps_taken(steps: int, warp_strength: float) -> int:
    """Count the schedule's steps that a start from the warp leaves: at least one."""
    return max(1, round(steps * warp_strength))


def schedule_length(steps: int, warp_strength: float, most: int) -> int:
    """Count the steps of a schedule whose last ones a start from the warp takes.

    They are the requested ones, unless those would all be taken: a schedule begins at noise alone, so that a
    start there would have nothing of the warp. Then it has as many more as bring the start to about the
    requested strength, at least one, as far as a scheduler has so many.

    Parameters
    ----------
    steps
        The requested ones.
    warp_strength
        Fraction of the schedule that is taken.
    most
        The most steps of a schedule.
    """
    taken = steps_taken(steps, warp_strength)
    if taken < steps:
        return steps
    return max(steps, min(max(steps + 1, round(taken / warp_strength)), most))


def _most_steps(scheduler: Any) -> int:
    """Give the most steps of a scheduler's schedule."""
    config = scheduler.config
    known = (config.get("original_inference_steps"), config.get("num_train_timesteps"))
    return min((int(each) for each in known if each is not None), default=1000)


@dataclass
class WarpStart:
    """A start from given latents, part of the way down the noise schedule, for any diffusers scheduler."""

    latents: Tensor
    """(1, C, h, w) or (B, C, h, w) scaled latents of the warp."""
    strength: float
    """Fraction of the schedule's steps that are taken, in (0, 1)."""
    noise_scale: float = 1.0
    """Fraction of the schedule's noise that is added, in [0, 1]."""
    timesteps: Tensor | None = None
    """The whole schedule, known once the scheduler has set it."""
    skipped: int = 0
    """How many of its first entries are left out."""

    def remaining_timesteps(self) -> Tensor:
        """Return the timesteps that the call takes."""
        assert self.timesteps is not None
        return self.timesteps[self.skipped :]

    @contextmanager
    def shorten_schedule(self, scheduler: Any) -> Iterator[None]:
        """Within this context `scheduler.set_timesteps` leaves the first steps out."""
        original, own = scheduler.set_timesteps, vars(scheduler).get("set_timesteps")

        @wraps(original)
        def set_timesteps(num_inference_steps: int | None = None, *args: Any, **kwargs: Any) -> None:
            if num_inference_steps is None:  # a caller's own begins where they want the warp noised to
                original(*args, **kwargs)
                self.skipped = 0
            else:
                length = schedule_length(num_inference_steps, self.strength, _most_steps(scheduler))
                original(length, *args, **kwargs)
                self.skipped = (length - steps_taken(num_inference_steps, self.strength)) * scheduler.order
            self.timesteps = scheduler.timesteps
            scheduler.timesteps = scheduler.timesteps[self.skipped :]

        scheduler.set_timesteps = set_timesteps
        try:
            yield
        finally:
            if own is None:
                del scheduler.set_timesteps
            else:
                scheduler.set_timesteps = own

    def add_noise(self, scheduler: Any, noise: Tensor) -> Tensor:
        """Return the latents with the noise (B, C, h, w), scaled, of the first step that is taken."""
        assert self.timesteps is not None
        # The loop has its shortened copy; the scheduler itself counts its steps in the whole schedule.
        scheduler.timesteps = self.timesteps
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(self.skipped)
        first = self.timesteps[self.skipped : self.skipped + 1].repeat(len(noise))
        latents = self.latents.repeat_interleave(len(noise) // len(self.latents), dim=0).to(noise)
        noisy: Tensor = scheduler.add_noise(latents, self.noise_scale * noise, first)
        return noisy
