"""Residuals of one denoising step taken for the next ones too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

Residuals = tuple[list[Tensor], Tensor]
"""Residuals for the UNet's skip connections, and the one for its middle."""


@dataclass
class Reuse:
    """Computes residuals at every ``every``-th call only; the calls between get the last ones.

    What neighbouring steps differ in is mostly noise, which the UNet sees for itself.
    """

    every: int
    """At how many-th call residuals are computed."""
    calls: int = 0
    """Calls so far."""
    last: Residuals | None = None
    """What was computed last."""

    def residuals(self, compute: Callable[[], Residuals], samples: int) -> Residuals:
        """Return the residuals of this call, for so many samples."""
        due = self.calls % self.every == 0
        self.calls += 1
        if due or self.last is None or len(self.last[1]) != samples:
            self.last = compute()
        return self.last
