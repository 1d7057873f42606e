"""Text as SDXL reads it: two encoders' hidden states side by side, and the second's pooled embedding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class TextEmbeddings:
    """``hidden`` (B, 77, D1 + D2) and ``pooled`` (B, P)."""

    hidden: Tensor
    pooled: Tensor

    def without(self, dropped: Tensor) -> TextEmbeddings:
        """Zeros, SDXL's embedding of no prompt, where ``dropped`` (B,) is True."""
        keep = (~dropped).to(self.hidden.dtype)
        return TextEmbeddings(self.hidden * keep[:, None, None], self.pooled * keep[:, None])

    def added(self, height: int, width: int) -> dict[str, Tensor]:
        """SDXL's added conditions for uncropped pictures of so many pixels."""
        times = torch.tensor([[height, width, 0, 0, height, width]], device=self.pooled.device)
        return {
            "text_embeds": self.pooled,
            "time_ids": times.repeat(len(self.pooled), 1).to(self.pooled.dtype),
        }


def encode_text(
    text_encoder: Any, text_encoder_2: Any, ids: Tensor, second_padding: tuple[int, int] | None = None
) -> TextEmbeddings:
    """Embed token ids (B, 77) as SDXL's pipeline does: the last hidden states but one.

    ``second_padding`` is the token that ends a text and what the second encoder reads behind it, if that is
    not what the first one reads there.
    """
    first = text_encoder(ids, output_hidden_states=True)
    if second_padding is not None:
        end, padding = second_padding
        ends = (ids == end).int()
        ids = ids.masked_fill(ends.cumsum(dim=1) - ends > 0, padding)
    second = text_encoder_2(ids, output_hidden_states=True)
    hidden = torch.cat([first.hidden_states[-2], second.hidden_states[-2]], dim=-1)
    return TextEmbeddings(hidden, second.text_embeds)


def vary_caption(caption: str, rng: np.random.Generator, clause_dropout: float, empty: float = 0.0) -> str:
    """Leave out each comma-separated clause but the first with probability ``clause_dropout``.

    With probability ``empty`` nothing is left. So prompts that say less than the captions, or nothing, are
    understood too.
    """
    if rng.random() < empty:
        return ""
    first, *clauses = caption.split(", ")
    return ", ".join([first, *(clause for clause in clauses if rng.random() >= clause_dropout)])
